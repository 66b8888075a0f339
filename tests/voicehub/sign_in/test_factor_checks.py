"""The demanded second factor is looked up once in a session, and again after each change that may demand one."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.voicehub.sign_in.codes import add_app, compute_code, sign_in
from voicehub.models import SecurityEvent, SecurityEventKind, User

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

LISTS = "/talents/"


@pytest.fixture(autouse=True)
def _demanded(settings: Any) -> None:
    settings.VOICEHUB_SECOND_FACTOR_ROLES = {"admin"}


@pytest.fixture
def vera_client(viewer: User) -> Client:
    client = Client()
    sign_in(client, "vera")
    return client


def count_factor_queries(client: Client, url: str = LISTS) -> int:
    with CaptureQueriesContext(connection) as queries:
        client.get(url)
    texts = [one["sql"] for one in queries if "mfa_authenticator" in one["sql"]]
    return len(texts)


def is_led_to_profile(client: Client) -> bool:
    response = client.get(LISTS)
    return bool(response.status_code == 302 and response.headers["Location"] == "/profile/")


def test_no_request_after_the_sign_in_looks_the_factor_up(vera_client: Client) -> None:
    assert [count_factor_queries(vera_client) for _ in range(3)] == [0, 0, 0]


def test_page_costs_the_same_number_of_queries_with_and_without_the_demand(vera_client: Client, settings: Any) -> None:
    counts = []
    for roles in ({"admin"}, set()):
        settings.VOICEHUB_SECOND_FACTOR_ROLES = roles
        with CaptureQueriesContext(connection) as queries:
            vera_client.get(LISTS)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_session_that_remembers_nothing_asks_once(vera_client: Client) -> None:
    session = vera_client.session
    del session["factor_checked"]
    session.save()
    assert [count_factor_queries(vera_client) for _ in range(3)] == [1, 0, 0]


@pytest.mark.parametrize("way", ["user", "role", "role set", "superuser"])
def test_role_that_is_given_later_demands_a_factor_at_the_next_request(
    vera_client: Client, viewer: User, way: str
) -> None:
    assert not is_led_to_profile(vera_client)
    role = Group.objects.get(name="admin")
    if way == "user":
        viewer.groups.add(role)
    elif way == "role":
        role.user_set.add(viewer)
    elif way == "role set":
        viewer.groups.set([role])
    else:
        User.objects.filter(pk=viewer.pk).update(is_superuser=True)
    assert is_led_to_profile(vera_client)
    assert is_led_to_profile(vera_client)


def test_role_that_an_admin_gives_in_the_administration_demands_a_factor(
    vera_client: Client, viewer: User, make_person: Callable[..., User]
) -> None:
    root = make_person("root", is_superuser=True, is_staff=True)
    add_app(root)
    client = Client()
    client.force_login(root)
    fields = {"username": "vera", "email": viewer.email, "is_active": "on"}
    fields["groups"] = [Group.objects.get(name="admin").pk]  # type: ignore[assignment]  # a form takes lists
    assert client.post(f"/administration/voicehub/user/{viewer.pk}/change/", fields).status_code == 302
    assert is_led_to_profile(vera_client)


@pytest.mark.parametrize("way", ["row", "query"])
def test_removed_factor_is_demanded_again_at_the_next_request(viewer: User, way: str) -> None:
    viewer.groups.add(Group.objects.get(name="admin"))
    add_app(viewer)
    client = Client()
    sign_in(client, "vera")
    client.post("/sign-in/second-factor/", {"code": compute_code()})
    assert not is_led_to_profile(client)
    if way == "row":
        Authenticator.objects.get(user=viewer, type="totp").delete()
    else:
        Authenticator.objects.filter(user=viewer).delete()
    assert is_led_to_profile(client)
    add_app(viewer)
    assert not is_led_to_profile(client)


def test_another_setting_asks_again(vera_client: Client, settings: Any) -> None:
    settings.VOICEHUB_SECOND_FACTOR_ROLES = {"admin", "viewer"}
    assert is_led_to_profile(vera_client)


def test_row_that_was_read_before_a_new_role_does_not_take_the_demand_back(vera_client: Client, viewer: User) -> None:
    read_earlier = User.objects.get(pk=viewer.pk)
    viewer.groups.add(Group.objects.get(name="admin"))
    read_earlier.first_name = "Verena"
    read_earlier.save()
    read_earlier.last_name = "Vox"
    read_earlier.save()
    viewer.refresh_from_db()
    assert (viewer.first_name, viewer.last_name) == ("Verena", "Vox")
    assert is_led_to_profile(vera_client)


def test_role_of_another_person_asks_nothing_again(vera_client: Client, producer: User) -> None:
    producer.groups.add(Group.objects.get(name="admin"))
    assert count_factor_queries(vera_client) == 0


def test_wrong_codes_and_used_recovery_codes_are_recorded_and_mailed(viewer: User, mailoutbox: list[Any]) -> None:
    from tests.support.task_runner import run_due_tasks

    codes = add_app(viewer)
    client = Client(REMOTE_ADDR="192.0.2.4")
    sign_in(client, "vera")
    client.post("/sign-in/second-factor/", {"code": "000000"})
    client.post("/sign-in/second-factor/", {"code": codes[0]})
    for kind in (SecurityEventKind.FACTOR_FAILED, SecurityEventKind.CODE_USED):
        event = SecurityEvent.objects.get(kind=kind)
        assert (event.actor, event.address) == (viewer, "192.0.2.4")
    run_due_tasks()
    assert "A recovery code was used" in [message.subject for message in mailoutbox]
