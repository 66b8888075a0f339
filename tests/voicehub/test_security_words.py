"""Security events in plain words: who did what to whom, in the administration and on the profile."""

from collections.abc import Callable
from itertools import product
from typing import Any, cast

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.auth.models import Group
from django.core import mail
from django.db.migrations import RunPython
from django.db.migrations.loader import MigrationLoader
from django.test import Client
from django.urls import reverse

from tests.support.task_runner import run_due_tasks
from tests.voicehub.sign_in.codes import PASSWORD, WRONG_PASSWORD, add_app, sign_in
from voicehub.models import BrowserSession, SecurityEvent, SecurityEventKind, User
from voicehub.security_log import record_security_event
from voicehub.security_words import DESCRIPTIONS, describe_event

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

Kind = SecurityEventKind
ADMIN_ADDRESS = "192.0.2.77"


@pytest.fixture
def ada(make_person: Callable[..., User]) -> User:
    return make_person("ada", "admin", is_staff=True, is_superuser=True)


@pytest.fixture
def ada_client(ada: User) -> Client:
    client = Client(REMOTE_ADDR=ADMIN_ADDRESS)
    client.force_login(ada)
    return client


def run_action(client: Client, model: str, action: str, *rows: Any) -> None:
    selected = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    client.post(reverse(f"admin:{model}_changelist"), selected)


def save_user(client: Client, user: User, **fields: Any) -> None:
    user.refresh_from_db()
    groups = [group.pk for group in user.groups.all()]
    values = {"username": user.username, "first_name": user.first_name, "email": user.email, "groups": groups}
    values |= {"is_active": "on"} | fields
    url = reverse("admin:voicehub_user_change", args=[user.pk])
    client.post(url, {name: value for name, value in values.items() if value is not None})


def act_on_paula(client: Client, paula: User) -> None:
    """What an admin can do to the access of another user, in this order."""
    add_app(paula)
    run_action(client, "mfa_authenticator", "remove", Authenticator.objects.get(user=paula, type="totp"))
    sign_in(Client(), "paula")
    run_action(client, "voicehub_browsersession", "end", BrowserSession.objects.get(user=paula))
    client.post(reverse("admin:voicehub_user_link", args=[paula.pk]))
    save_user(client, paula, groups=[Group.objects.get(name="engineer").pk])
    save_user(client, paula, email="new@studio.test")
    save_user(client, paula, is_active=None)


ACTS = [
    "Ada removed the authenticator app of Paula",
    "Ada ended the session of Paula",
    "Ada sent Paula a link for a new password",
    "Ada changed the roles of Paula",
    "Ada changed Paula",
    "Ada changed the email address of Paula",
    "Ada no longer lets Paula sign in",
]


def test_what_an_admin_does_to_another_user_has_the_admin_as_actor(
    ada: User, ada_client: Client, producer: User
) -> None:
    act_on_paula(ada_client, producer)
    events = list(SecurityEvent.objects.filter(actor=ada, person__isnull=False).order_by("pk"))
    assert sorted(describe_event(event) for event in events) == sorted(ACTS)
    assert {(event.person, event.person_name) for event in events} == {(producer, "Paula")}
    assert not SecurityEvent.objects.filter(actor=producer, detail__contains="Ada").exists()
    page = ada_client.get(reverse("admin:voicehub_securityevent_changelist")).content.decode()
    assert [text for text in ACTS if text not in page] == []


def test_person_reads_what_an_admin_did_but_not_from_where(ada_client: Client, producer: User) -> None:
    act_on_paula(ada_client, producer)
    User.objects.filter(pk=producer.pk).update(is_active=True)
    client = Client(REMOTE_ADDR="192.0.2.5")
    sign_in(client, "paula")
    page = client.get(reverse("profile")).content.decode()
    for text in ("Ada removed your authenticator app", "Ada ended your session", "You signed in", "Roles: producer → "):
        assert text in page
    assert ADMIN_ADDRESS not in page
    assert "192.0.2.5" in page


def test_admin_reads_on_the_profile_what_they_did_to_others(ada_client: Client, producer: User) -> None:
    act_on_paula(ada_client, producer)
    page = ada_client.get(reverse("profile")).content.decode()
    assert "You removed the authenticator app of Paula" in page
    assert "You changed the roles of Paula" in page


def test_events_keep_the_names_of_deleted_users(ada_client: Client, producer: User) -> None:
    save_user(ada_client, producer, groups=[Group.objects.get(name="viewer").pk])
    ada_client.post(reverse("admin:voicehub_user_delete", args=[producer.pk]), {"post": "yes"})
    texts = [describe_event(event) for event in SecurityEvent.objects.filter(kind=Kind.USER_CHANGED).order_by("pk")]
    assert texts == ["Ada changed the roles of Paula", "Ada deleted Paula"]


def test_invitation_names_both(ada_client: Client) -> None:
    ada_client.post(reverse("admin:voicehub_user_add"), {"email": "nora@studio.test", "first_name": "Nora"})
    texts = {describe_event(event) for event in SecurityEvent.objects.filter(person__username="nora")}
    assert texts == {"Ada added Nora", "Ada invited Nora"}


def test_failed_sign_ins_name_only_known_users(producer: User) -> None:
    sign_in(Client(), "paula", WRONG_PASSWORD)
    sign_in(Client(), "stranger", WRONG_PASSWORD)
    known, unknown = SecurityEvent.objects.filter(kind=Kind.SIGN_IN_FAILED).order_by("pk")
    assert describe_event(known) == "A sign-in as Paula failed"
    assert describe_event(known, producer) == "A sign-in as you failed"
    assert describe_event(unknown) == "A sign-in with an unknown name failed"


def test_command_on_the_server_is_named(producer: User) -> None:
    event = record_security_event(Kind.FACTOR_REMOVED, None, None, "All", "create_admin --reset", person=producer)
    assert describe_event(event) == "A command on the server removed the second factors of Paula"


def test_each_kind_has_words(producer: User, viewer: User) -> None:
    assert set(DESCRIPTIONS) == set(Kind)
    for kind, person, reader in product(Kind, (None, viewer), (None, producer, viewer)):
        event = SecurityEvent(kind=kind, actor=producer, actor_name="Paula", person=person, subject="Passkey")
        text = describe_event(event, reader)
        assert text[0].isupper() and not text.endswith(".") and "None" not in text


def test_mail_about_a_factor_that_an_admin_removed_names_the_admin_and_not_their_address(
    ada_client: Client, producer: User
) -> None:
    add_app(producer)
    run_action(ada_client, "mfa_authenticator", "remove", Authenticator.objects.get(user=producer, type="totp"))
    run_due_tasks()
    (message,) = mail.outbox
    assert message.to == [producer.email]
    assert ", by Ada" in message.body and ADMIN_ADDRESS not in message.body


def test_own_change_is_no_change_by_another(ada_client: Client, ada: User) -> None:
    new = {"oldpassword": PASSWORD, "password1": "correct horse battery", "password2": "correct horse battery"}
    ada_client.post("/profile/password/", new)
    event = SecurityEvent.objects.get(kind=Kind.PASSWORD_CHANGED)
    assert (event.actor, event.person, describe_event(event)) == (ada, None, "Ada changed their password")
    record_security_event(Kind.EMAIL_CHANGED, ada, None, person=ada)
    assert SecurityEvent.objects.get(kind=Kind.EMAIL_CHANGED).person is None


def test_events_that_earlier_versions_wrote_the_wrong_way_round_are_corrected(ada: User, producer: User) -> None:
    reversed_one = SecurityEvent.objects.create(
        kind=Kind.FACTOR_REMOVED, actor=producer, actor_name="Paula", subject="Passkey", detail="By Ada Admin"
    )
    link = SecurityEvent.objects.create(kind=Kind.RESET_REQUESTED, actor=ada, actor_name="Ada", person=producer)
    migrations = MigrationLoader(None).disk_migrations
    for operation in migrations["voicehub", "0011_people_of_security_events"].operations:
        if isinstance(operation, RunPython):
            operation.code(cast(Any, apps), cast(Any, None))
    reversed_one.refresh_from_db()
    link.refresh_from_db()
    assert describe_event(reversed_one) == "Ada Admin removed the passkey of Paula"
    assert (reversed_one.actor, reversed_one.person, reversed_one.detail) == (None, producer, "")
    assert describe_event(link) == "Ada sent Paula a link for a new password"
