"""The admin role manages people, but never superusers or permission fields; the last superuser stays."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from voicehub.models import User

pytestmark = pytest.mark.django_db

LIST = "admin:voicehub_user_changelist"
ADD = "admin:voicehub_user_add"
CHANGE = "admin:voicehub_user_change"
DELETE = "admin:voicehub_user_delete"
PASSWORD = "admin:auth_user_password_change"
NEW_PASSWORD = {"password1": "Gr4vel-and-Tide", "password2": "Gr4vel-and-Tide", "usable_password": "true"}


@pytest.fixture
def root(make_person: Callable[..., User]) -> User:
    return make_person("root", is_superuser=True, is_staff=True)


@pytest.fixture
def manager(make_person: Callable[..., User], root: User) -> User:
    """Has the admin role, and is no superuser."""
    return make_person("manager", "admin", is_staff=True)


@pytest.fixture
def desk(client: Client, manager: User) -> Client:
    client.force_login(manager)
    return client


@pytest.fixture
def root_desk(client: Client, root: User) -> Client:
    client.force_login(root)
    return client


def form_of(user: User, **changes: Any) -> dict[str, Any]:
    """What the browser sends when the change form of this person is saved."""
    flags = {name: "on" for name in ("is_active", "is_staff", "is_superuser") if getattr(user, name)}
    joined = {"date_joined_0": f"{user.date_joined:%Y-%m-%d}", "date_joined_1": f"{user.date_joined:%H:%M:%S}"}
    form = {"username": user.username, "groups": [group.pk for group in user.groups.all()]} | flags | joined | changes
    return {name: value for name, value in form.items() if value is not None}


def save(client: Client, user: User, **changes: Any) -> Any:
    response = client.post(reverse(CHANGE, args=[user.pk]), form_of(user, **changes))
    user.refresh_from_db()
    return response


def delete_together(client: Client, *users: User) -> Any:
    chosen = {"action": "delete_selected", "_selected_action": [user.pk for user in users], "post": "yes"}
    return client.post(reverse(LIST), chosen)


@pytest.mark.parametrize("own_row", [True, False])
def test_admin_role_makes_no_superuser(desk: Client, manager: User, viewer: User, own_row: bool) -> None:
    person = manager if own_row else viewer
    permission = Permission.objects.first()
    assert permission
    changes = {"is_superuser": "on", "user_permissions": [permission.pk], "first_name": "Renamed"}
    assert save(desk, person, **changes).status_code == 302
    assert (person.first_name, person.is_superuser, person.user_permissions.count()) == ("Renamed", False, 0)


def test_admin_role_adds_people_but_no_superuser(desk: Client) -> None:
    extra = {"is_superuser": "on", "is_staff": "on", "user_permissions": ["1"]}
    assert desk.post(reverse(ADD), {"username": "newcomer", **NEW_PASSWORD, **extra}).status_code == 302
    person = User.objects.get(username="newcomer")
    assert (person.is_superuser, person.user_permissions.count()) == (False, 0)


@pytest.mark.parametrize("field", ["is_active", "is_staff", "is_superuser"])
def test_admin_role_does_not_change_superuser(desk: Client, root: User, field: str) -> None:
    assert save(desk, root, username="taken", **{field: None}).status_code == 403
    assert (root.username, getattr(root, field)) == ("root", True)


def test_admin_role_does_not_set_password_of_superuser(desk: Client, root: User, viewer: User) -> None:
    before = root.password
    for answer in (
        desk.get(reverse(PASSWORD, args=[root.pk])),
        desk.post(reverse(PASSWORD, args=[root.pk]), NEW_PASSWORD),
    ):
        assert answer.status_code == 403
    root.refresh_from_db()
    assert root.password == before
    assert desk.post(reverse(PASSWORD, args=[viewer.pk]), NEW_PASSWORD).status_code == 302
    viewer.refresh_from_db()
    assert viewer.check_password(NEW_PASSWORD["password1"])


def test_admin_role_does_not_delete_superuser(desk: Client, root: User, viewer: User, make_person: Any) -> None:
    make_person("second-root", is_superuser=True, is_staff=True)
    assert desk.post(reverse(DELETE, args=[root.pk]), {"post": "yes"}).status_code == 403
    assert delete_together(desk, root, viewer).status_code == 403
    assert User.objects.filter(pk__in=[root.pk, viewer.pk]).count() == 2
    assert delete_together(desk, viewer).status_code == 302
    assert not User.objects.filter(pk=viewer.pk).exists()


def test_admin_role_gives_roles(desk: Client, viewer: User) -> None:
    admin_role = Group.objects.get(name="admin")
    assert save(desk, viewer, groups=[admin_role.pk], is_staff="on").status_code == 302
    assert set(viewer.groups.all()) == {admin_role}
    assert not viewer.is_superuser


def make_clerk(make_person: Callable[..., User]) -> User:
    """May change people, and little else: a role of the table would give more than this person has."""
    clerk = make_person("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=["change_user", "view_user", "delete_user"]))
    return clerk


def test_role_with_more_rights_than_the_editor_is_not_given(
    client: Client, make_person: Callable[..., User], outsider: User
) -> None:
    clerk = make_clerk(make_person)
    client.force_login(clerk)
    for person in (clerk, outsider):
        response = save(client, person, groups=[Group.objects.get(name="admin").pk])
        assert response.status_code == 200 and b"Select a valid choice" in response.content
        assert not person.groups.exists()


def test_person_with_more_rights_than_the_editor_is_not_changed(
    client: Client, make_person: Callable[..., User], manager: User
) -> None:
    client.force_login(make_clerk(make_person))
    User.objects.filter(pk=manager.pk).update(is_active=False)
    manager.refresh_from_db()
    assert save(client, manager, is_active="on").status_code == 403
    assert client.post(reverse(PASSWORD, args=[manager.pk]), NEW_PASSWORD).status_code == 403
    assert client.post(reverse(DELETE, args=[manager.pk]), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("field", ["is_active", "is_staff", "is_superuser"])
def test_last_superuser_is_not_demoted(root_desk: Client, root: User, field: str, make_person: Any) -> None:
    make_person("former", is_superuser=True, is_staff=True, is_active=False)
    response = save(root_desk, root, **{field: None})
    assert "only superuser who can sign in" in response.content.decode()
    assert getattr(root, field)
    make_person("second-root", is_superuser=True, is_staff=True)
    assert save(root_desk, root, **{field: None}).status_code == 302
    assert not getattr(root, field)


def test_last_superuser_keeps_password(root_desk: Client, root: User) -> None:
    form = {"usable_password": "false", "unset-password": "1"}
    response = root_desk.post(reverse(PASSWORD, args=[root.pk]), form)
    root.refresh_from_db()
    assert "only superuser who can sign in" in response.content.decode()
    assert root.has_usable_password()
    assert root_desk.post(reverse(PASSWORD, args=[root.pk]), NEW_PASSWORD).status_code == 302


def test_last_superuser_is_not_deleted(root_desk: Client, root: User, make_person: Any) -> None:
    second = make_person("second-root", is_superuser=True, is_staff=True)
    response = delete_together(root_desk, root, second)
    assert "only superuser who can sign in" in response.content.decode()
    assert User.objects.filter(is_superuser=True).count() == 2
    assert delete_together(root_desk, second).status_code == 302
    response = root_desk.post(reverse(DELETE, args=[root.pk]), {"post": "yes"})
    assert "only superuser who can sign in" in response.content.decode()
    assert User.objects.get(is_superuser=True) == root


def test_superuser_makes_superuser(root_desk: Client, viewer: User) -> None:
    assert save(root_desk, viewer, is_superuser="on").status_code == 302
    assert viewer.is_superuser


def test_superuser_without_password_does_not_count(root_desk: Client, root: User, make_person: Any) -> None:
    other = make_person("bea", is_superuser=True, is_staff=True)
    other.set_unusable_password()
    other.save()
    password = reverse("admin:auth_user_password_change", args=[root.pk])
    root_desk.post(password, {"usable_password": "false"})
    root_desk.post(reverse("admin:voicehub_user_delete", args=[root.pk]), {"post": "yes"})
    root.refresh_from_db()
    assert root.has_usable_password()


def test_deletion_is_judged_again_when_it_happens(root: User, rf: Any) -> None:
    """The page was shown while there was another superuser, who is gone now."""
    with pytest.raises(PermissionDenied):
        admin.site.get_model_admin(User).delete_queryset(rf.post("/"), User.objects.filter(pk=root.pk))
    assert User.objects.filter(pk=root.pk).exists()
