"""The admin role runs the studio; only superusers give and take powers, and one of them always stays."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from voicehub.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

LAST = "This is the last superuser who can sign in."


@pytest.fixture
def root(make_person: Callable[..., User]) -> User:
    return make_person("ada", is_superuser=True, is_staff=True)


@pytest.fixture
def as_admin_role(client: Client, make_person: Callable[..., User]) -> Client:
    """Somebody of the admin role who is no superuser."""
    client.force_login(make_person("adam", "admin", is_staff=True))
    return client


@pytest.fixture
def as_root(root: User) -> Client:
    client = Client()
    client.force_login(root)
    return client


def address(name: str, *args: object) -> str:
    return reverse(f"admin:voicehub_user_{name}", args=args)


def save(client: Client, person: User, **fields: Any) -> Any:
    """Send the change form with these fields, as anybody can make one up."""
    given = {"username": person.username, "is_active": "on", "is_staff": "on" if person.is_staff else ""}
    given |= {"date_joined_0": "2025-01-01", "date_joined_1": "10:00:00"} | fields
    sent = {name: value for name, value in given.items() if value}
    response = client.post(address("change", person.pk), sent)
    person.refresh_from_db()
    return response


def delete_many(client: Client, *people: User) -> Any:
    chosen = {"action": "delete_selected", "_selected_action": [person.pk for person in people], "post": "yes"}
    return client.post(address("changelist"), chosen)


def test_admin_role_gives_roles_and_no_powers(as_admin_role: Client, viewer: User) -> None:
    from django.contrib.auth.models import Group, Permission

    fields = {"is_superuser": "on", "user_permissions": [Permission.objects.all()[0].pk], "first_name": "Vera"}
    assert save(as_admin_role, viewer, groups=[Group.objects.get(name="producer").pk], **fields).status_code == 302
    assert (viewer.first_name, viewer.is_superuser, viewer.user_permissions.count()) == ("Vera", False, 0)
    assert [group.name for group in viewer.groups.all()] == ["producer"]
    page = as_admin_role.get(address("change", viewer.pk)).content.decode()
    assert "is_superuser" not in page
    assert "user_permissions" not in page


def test_admin_role_makes_itself_no_superuser(as_admin_role: Client) -> None:
    me = User.objects.get(username="adam")
    save(as_admin_role, me, is_superuser="on")
    assert not me.is_superuser


def test_admin_role_adds_people_without_powers(as_admin_role: Client) -> None:
    password = {"usable_password": "true", "password1": "kept-safe-4711", "password2": "kept-safe-4711"}
    fields = {"username": "nora", "is_superuser": "on"}
    assert as_admin_role.post(address("add"), fields | password).status_code == 302
    assert not User.objects.get(username="nora").is_superuser


def test_admin_role_does_not_touch_a_superuser(as_admin_role: Client, root: User) -> None:
    assert as_admin_role.get(address("change", root.pk)).status_code == 200
    assert save(as_admin_role, root, first_name="Taken").status_code == 403
    assert save(as_admin_role, root, is_active="").status_code == 403
    password = reverse("admin:auth_user_password_change", args=[root.pk])
    new = {"usable_password": "true", "password1": "taken-over-4711", "password2": "taken-over-4711"}
    assert as_admin_role.post(password, new).status_code == 403
    assert as_admin_role.post(address("delete", root.pk), {"post": "yes"}).status_code == 403
    root.refresh_from_db()
    assert (root.first_name, root.is_active, root.check_password("taken-over-4711")) == ("Ada", True, False)


def test_admin_role_deletes_no_superuser_among_others(
    as_admin_role: Client, root: User, viewer: User, make_person: Callable[..., User]
) -> None:
    for others in ([], [make_person("bea", is_superuser=True, is_staff=True)]):
        assert delete_many(as_admin_role, viewer, root, *others).status_code in {200, 403}
        assert User.objects.filter(pk__in=[root.pk, viewer.pk]).count() == 2
    assert delete_many(as_admin_role, viewer).status_code == 302
    assert not User.objects.filter(pk=viewer.pk).exists()


@pytest.mark.parametrize("field", ["is_superuser", "is_active", "is_staff"])
def test_last_superuser_keeps_powers(as_root: Client, root: User, field: str) -> None:
    powers = {"is_superuser": "on", "is_active": "on", "is_staff": "on"} | {field: ""}
    assert LAST in save(as_root, root, **powers).content.decode()
    assert (root.is_superuser, root.is_active, root.is_staff) == (True, True, True)


def test_last_superuser_is_not_deleted(as_root: Client, root: User) -> None:
    assert LAST in as_root.post(address("delete", root.pk), {"post": "yes"}).content.decode()
    assert LAST in delete_many(as_root, root).content.decode()
    assert User.objects.filter(pk=root.pk).exists()


def test_last_superusers_are_not_deleted_together(
    as_root: Client, root: User, make_person: Callable[..., User]
) -> None:
    other = make_person("bea", is_superuser=True, is_staff=True)
    assert LAST in delete_many(as_root, root, other).content.decode()
    assert delete_many(as_root, other).status_code == 302
    assert set(User.objects.filter(is_superuser=True)) == {root}


def test_superuser_who_cannot_sign_in_does_not_count(
    as_root: Client, root: User, make_person: Callable[..., User]
) -> None:
    make_person("gone", is_superuser=True, is_staff=True, is_active=False)
    assert LAST in save(as_root, root, is_staff="on").content.decode()
    assert root.is_superuser


def test_superuser_gives_powers_and_takes_them(as_root: Client, root: User, make_person: Callable[..., User]) -> None:
    other = make_person("bea", is_staff=True)
    assert save(as_root, other, is_superuser="on").status_code == 302
    assert other.is_superuser
    assert save(as_root, root).status_code == 302
    assert not root.is_superuser
