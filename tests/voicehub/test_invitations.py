"""Admins invite people by mail, or pass on a link. No admin types a password."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Group
from django.core import mail
from django.test import Client
from django.urls import reverse

from tests.support.task_runner import run_due_tasks
from voicehub.models import BrowserSession, SecurityEvent, SecurityEventKind, User
from voicehub.user_forms import propose_username

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

ADD_URL = "admin:voicehub_user_add"
LINK = re.compile(r"http://\S+/password/new/[\w-]+/")
PASSWORD = "three small boats at dawn"


@pytest.fixture
def root(make_person: Callable[..., User]) -> User:
    return make_person("root", is_superuser=True, is_staff=True)


@pytest.fixture
def root_client(client: Client, root: User) -> Client:
    client.force_login(root)
    return client


@pytest.fixture
def _mail_server(settings: Any) -> None:
    settings.MAIL = object()


def invite(client: Client, **fields: Any) -> Any:
    defaults = {"first_name": "Nora", "email": "nora.berg@studio.test", "username": ""}
    return client.post(reverse(ADD_URL), defaults | fields)


def send_link(client: Client, user: User) -> Any:
    return client.post(reverse("admin:voicehub_user_link", args=[user.pk]))


def choose_password(link: str) -> None:
    browser = Client()
    page = browser.get(urlsplit(link).path, follow=True)
    fields = {"password1": PASSWORD, "password2": PASSWORD}
    browser.post(page.redirect_chain[-1][0], fields)


@pytest.mark.usefixtures("_mail_server")
def test_invited_person_gets_a_mail_and_chooses_a_password(root_client: Client, root: User) -> None:
    role = Group.objects.get(name="engineer")
    assert invite(root_client, groups=[role.pk]).status_code == 302
    user = User.objects.get(username="nora.berg")
    assert (list(user.groups.all()), user.has_usable_password()) == ([role], False)
    run_due_tasks()
    (message,) = mail.outbox
    assert message.to == ["nora.berg@studio.test"]
    assert "Your username is nora.berg." in message.body
    found = LINK.search(str(message.body))
    assert found
    choose_password(found[0])
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    event = SecurityEvent.objects.get(kind=SecurityEventKind.INVITED)
    assert (event.actor, event.person) == (root, user)


def test_without_a_mail_server_the_link_is_shown_once_and_no_mail_is_written(root_client: Client) -> None:
    page = invite(root_client).content.decode()
    found = LINK.search(page)
    assert found
    run_due_tasks()
    assert not mail.outbox
    user = User.objects.get(username="nora.berg")
    change_page = root_client.get(reverse("admin:voicehub_user_change", args=[user.pk])).content.decode()
    assert "/password/new/" not in change_page
    assert found[0] not in str(SecurityEvent.objects.values())
    choose_password(found[0])
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_form_for_a_new_user_has_no_password(root_client: Client) -> None:
    page = root_client.get(reverse(ADD_URL)).content.decode()
    assert 'type="password"' not in page
    invite(root_client, password1="attack-at-noon-9", password2="attack-at-noon-9", usable_password="true")
    assert not User.objects.get(username="nora.berg").has_usable_password()


@pytest.mark.parametrize(("role", "is_staff"), [("admin", True), ("producer", False)])
def test_invited_admin_may_open_the_administration(root_client: Client, role: str, is_staff: bool) -> None:
    invite(root_client, groups=[Group.objects.get(name=role).pk])
    assert User.objects.get(username="nora.berg").is_staff == is_staff


def test_email_of_another_user_is_refused(root_client: Client, root: User, viewer: User) -> None:
    page = invite(root_client, email=root.email.upper()).content.decode()
    assert "Another user has this email address." in page
    change = reverse("admin:voicehub_user_change", args=[viewer.pk])
    page = root_client.post(change, {"username": viewer.username, "email": root.email}).content.decode()
    assert "Another user has this email address." in page


def test_username_is_proposed_from_the_email(make_person: Callable[..., User]) -> None:
    make_person("nora")
    assert propose_username("nora@studio.test") == "nora2"
    assert propose_username("o'neil+x@studio.test") == "oneil+x"
    assert propose_username("''@studio.test") == "user"


@pytest.mark.usefixtures("_mail_server")
def test_admin_sends_the_invitation_again_and_later_a_link_for_a_new_password(root_client: Client) -> None:
    invite(root_client)
    user = User.objects.get(username="nora.berg")
    change = reverse("admin:voicehub_user_change", args=[user.pk])
    assert "Send the invitation again" in root_client.get(change).content.decode()
    send_link(root_client, user)
    run_due_tasks()
    first = str(mail.outbox[-1].body)
    choose_password(LINK.findall(first)[0])
    assert "Send a link for a new password" in root_client.get(change).content.decode()
    send_link(root_client, user)
    run_due_tasks()
    assert mail.outbox[-1].subject == "Choose a new password"
    kinds = list(SecurityEvent.objects.filter(person=user).values_list("kind", flat=True))
    assert sorted(kinds) == ["invited", "invited", "reset_requested", "user_changed"]


@pytest.mark.parametrize(
    ("fields", "words"), [({"is_active": False}, "is not allowed to sign in"), ({"email": ""}, "has no email address")]
)
@pytest.mark.usefixtures("_mail_server")
def test_link_is_refused_in_words(root_client: Client, viewer: User, fields: dict[str, Any], words: str) -> None:
    User.objects.filter(pk=viewer.pk).update(**fields)
    response = root_client.post(reverse("admin:voicehub_user_link", args=[viewer.pk]), follow=True)
    assert words in response.content.decode()
    run_due_tasks()
    assert not mail.outbox


def test_deactivation_ends_sessions_and_is_recorded(root_client: Client, root: User, viewer: User) -> None:
    browser = Client()
    browser.force_login(viewer)
    assert BrowserSession.objects.filter(user=viewer).exists()
    change = reverse("admin:voicehub_user_change", args=[viewer.pk])
    groups = [group.pk for group in viewer.groups.all()]
    fields = {"username": viewer.username, "email": viewer.email, "first_name": viewer.first_name, "groups": groups}
    assert root_client.post(change, fields).status_code == 302
    assert not BrowserSession.objects.filter(user=viewer).exists()
    assert browser.get("/").status_code == 302
    event = SecurityEvent.objects.get(kind=SecurityEventKind.USER_CHANGED)
    assert (event.actor, event.person, event.detail) == (root, viewer, "May sign in: yes → no")
