"""The admin role manages users, but no superusers and no permission fields. The last superuser cannot be removed."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from voicehub.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

LIST_URL = "admin:voicehub_user_changelist"
ADD_URL = "admin:voicehub_user_add"
CHANGE_URL = "admin:voicehub_user_change"
DELETE_URL = "admin:voicehub_user_delete"
LINK_URL = "admin:voicehub_user_link"


@pytest.fixture
def root(make_person: Callable[..., User]) -> User:
    return make_person("root", is_superuser=True, is_staff=True)


@pytest.fixture
def manager(make_person: Callable[..., User], root: User) -> User:
    """A user with the admin role who is not a superuser."""
    return make_person("manager", "admin", is_staff=True)


@pytest.fixture
def manager_client(client: Client, manager: User) -> Client:
    client.force_login(manager)
    return client


@pytest.fixture
def root_client(client: Client, root: User) -> Client:
    client.force_login(root)
    return client


def make_change_form(user: User, **changes: Any) -> dict[str, Any]:
    """The form data that a browser sends when it saves the change form of this user."""
    flags = {name: "on" for name in ("is_active", "is_staff", "is_superuser") if getattr(user, name)}
    date_joined = {"date_joined_0": f"{user.date_joined:%Y-%m-%d}", "date_joined_1": f"{user.date_joined:%H:%M:%S}"}
    fields = (
        {"username": user.username, "groups": [group.pk for group in user.groups.all()]} | flags | date_joined | changes
    )
    return {name: value for name, value in fields.items() if value is not None}


def save_user(client: Client, user: User, **changes: Any) -> Any:
    response = client.post(reverse(CHANGE_URL, args=[user.pk]), make_change_form(user, **changes))
    user.refresh_from_db()
    return response


def delete_users(client: Client, *users: User) -> Any:
    selection = {"action": "delete_selected", "_selected_action": [user.pk for user in users], "post": "yes"}
    return client.post(reverse(LIST_URL), selection)


@pytest.mark.parametrize("own_row", [True, False])
def test_admin_role_cannot_make_a_superuser(manager_client: Client, manager: User, viewer: User, own_row: bool) -> None:
    user = manager if own_row else viewer
    permission = Permission.objects.first()
    assert permission
    changes = {"is_superuser": "on", "user_permissions": [permission.pk], "first_name": "Renamed"}
    assert save_user(manager_client, user, **changes).status_code == 302
    assert (user.first_name, user.is_superuser, user.user_permissions.count()) == ("Renamed", False, 0)


def test_admin_role_can_add_users_but_no_superusers(manager_client: Client) -> None:
    extra_fields = {"is_superuser": "on", "is_staff": "on", "user_permissions": ["1"]}
    fields = {"username": "newcomer", "email": "newcomer@studio.test", **extra_fields}
    assert manager_client.post(reverse(ADD_URL), fields).status_code == 200
    user = User.objects.get(username="newcomer")
    assert (user.is_superuser, user.user_permissions.count()) == (False, 0)


@pytest.mark.parametrize("field", ["is_active", "is_staff", "is_superuser"])
def test_admin_role_cannot_change_superuser(manager_client: Client, root: User, field: str) -> None:
    assert save_user(manager_client, root, username="taken", **{field: None}).status_code == 403
    assert (root.username, getattr(root, field)) == ("root", True)


def test_admin_role_cannot_get_a_link_for_the_password_of_a_superuser(
    manager_client: Client, root: User, viewer: User
) -> None:
    response = manager_client.post(reverse(LINK_URL, args=[root.pk]))
    assert response.status_code == 403
    assert b"/password/new/" not in response.content
    assert b"/password/new/" in manager_client.post(reverse(LINK_URL, args=[viewer.pk])).content


def test_admin_role_cannot_delete_superuser(manager_client: Client, root: User, viewer: User, make_person: Any) -> None:
    make_person("second-root", is_superuser=True, is_staff=True)
    assert manager_client.post(reverse(DELETE_URL, args=[root.pk]), {"post": "yes"}).status_code == 403
    assert delete_users(manager_client, root, viewer).status_code == 403
    assert User.objects.filter(pk__in=[root.pk, viewer.pk]).count() == 2
    assert delete_users(manager_client, viewer).status_code == 302
    assert not User.objects.filter(pk=viewer.pk).exists()


def test_admin_role_can_assign_roles(manager_client: Client, viewer: User) -> None:
    admin_role = Group.objects.get(name="admin")
    assert save_user(manager_client, viewer, groups=[admin_role.pk], is_staff="on").status_code == 302
    assert set(viewer.groups.all()) == {admin_role}
    assert not viewer.is_superuser


def make_user_editor(make_person: Callable[..., User]) -> User:
    """A user who may only view, change and delete users. Every role has permissions that this user lacks."""
    editor = make_person("editor", is_staff=True)
    editor.user_permissions.set(Permission.objects.filter(codename__in=["change_user", "view_user", "delete_user"]))
    return editor


def test_editor_cannot_assign_role_with_more_permissions(
    client: Client, make_person: Callable[..., User], outsider: User
) -> None:
    editor = make_user_editor(make_person)
    client.force_login(editor)
    for user in (editor, outsider):
        response = save_user(client, user, groups=[Group.objects.get(name="admin").pk])
        assert response.status_code == 200 and b"Select a valid choice" in response.content
        assert not user.groups.exists()


def test_editor_cannot_change_user_with_more_permissions(
    client: Client, make_person: Callable[..., User], manager: User
) -> None:
    client.force_login(make_user_editor(make_person))
    User.objects.filter(pk=manager.pk).update(is_active=False)
    manager.refresh_from_db()
    assert save_user(client, manager, is_active="on").status_code == 403
    assert client.post(reverse(LINK_URL, args=[manager.pk])).status_code == 403
    assert client.post(reverse(DELETE_URL, args=[manager.pk]), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("field", ["is_active", "is_staff", "is_superuser"])
def test_last_superuser_cannot_be_demoted(root_client: Client, root: User, field: str, make_person: Any) -> None:
    make_person("former", is_superuser=True, is_staff=True, is_active=False)
    response = save_user(root_client, root, **{field: None})
    assert "No other superuser can sign in" in response.content.decode()
    assert getattr(root, field)
    make_person("second-root", is_superuser=True, is_staff=True)
    assert save_user(root_client, root, **{field: None}).status_code == 302
    assert not getattr(root, field)


def test_last_superuser_cannot_be_deleted(root_client: Client, root: User, make_person: Any) -> None:
    second = make_person("second-root", is_superuser=True, is_staff=True)
    response = delete_users(root_client, root, second)
    assert "No other superuser can sign in" in response.content.decode()
    assert User.objects.filter(is_superuser=True).count() == 2
    assert delete_users(root_client, second).status_code == 302
    response = root_client.post(reverse(DELETE_URL, args=[root.pk]), {"post": "yes"})
    assert "No other superuser can sign in" in response.content.decode()
    assert User.objects.get(is_superuser=True) == root


def test_superuser_can_make_a_superuser(root_client: Client, viewer: User) -> None:
    assert save_user(root_client, viewer, is_superuser="on").status_code == 302
    assert viewer.is_superuser


def test_superuser_without_password_does_not_replace_the_last_superuser(
    root_client: Client, root: User, make_person: Any
) -> None:
    other = make_person("bea", is_superuser=True, is_staff=True)
    other.set_unusable_password()
    other.save()
    root_client.post(reverse(DELETE_URL, args=[root.pk]), {"post": "yes"})
    assert User.objects.filter(pk=root.pk).exists()


def test_deletion_of_last_superuser_is_refused_even_after_the_confirmation_page(root: User, rf: Any) -> None:
    """The confirmation page was opened while another superuser existed, who has since been deleted."""
    with pytest.raises(PermissionDenied):
        admin.site.get_model_admin(User).delete_queryset(rf.post("/"), User.objects.filter(pk=root.pk))
    assert User.objects.filter(pk=root.pk).exists()
