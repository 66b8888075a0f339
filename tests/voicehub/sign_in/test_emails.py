"""People change their own email address. It counts once a link that was mailed to the new address is used."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from tests.support.task_runner import run_due_tasks
from voicehub.models import SecurityEvent, SecurityEventKind, User
from voicehub.tokens import redact_links

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

NEW = "nora.new@studio.test"


@pytest.fixture(autouse=True)
def _mail_server(settings: Any) -> None:
    settings.MAIL = object()


@pytest.fixture
def nora(make_person: Callable[..., User]) -> User:
    return make_person("nora", "viewer")


@pytest.fixture
def nora_client(client: Client, nora: User) -> Client:
    client.force_login(nora)
    return client


def request_change(client: Client, email: str = NEW) -> Any:
    return client.post(reverse("profile_email"), {"email": email})


def read_link() -> str:
    run_due_tasks()
    (link,) = re.findall(r"http://\S+/profile/email/\S+", str(mail.outbox[-1].body))
    return str(urlsplit(link).path)


def test_new_address_counts_after_its_link_was_used_and_the_earlier_one_gets_a_mail(
    nora_client: Client, nora: User
) -> None:
    request_change(nora_client, NEW.upper())
    link = read_link()
    assert mail.outbox[-1].to == [NEW]
    browser = Client()
    page = browser.get(link).content.decode()
    assert NEW in page
    nora.refresh_from_db()
    assert nora.email == "nora@studio.test"
    browser.post(link)
    nora.refresh_from_db()
    assert nora.email == NEW
    run_due_tasks()
    assert (mail.outbox[-1].to, mail.outbox[-1].subject) == (["nora@studio.test"], "Your email address was changed")
    event = SecurityEvent.objects.get(kind=SecurityEventKind.EMAIL_CHANGED)
    assert (event.actor, event.detail) == (nora, f"nora@studio.test → {NEW}")
    assert browser.post("/sign-in/", {"login": NEW, "password": "secret"}).status_code == 302


def test_link_works_once(nora_client: Client, nora: User) -> None:
    request_change(nora_client)
    link = read_link()
    nora_client.post(link)
    User.objects.filter(pk=nora.pk).update(email="third@studio.test")
    assert nora_client.post(link).status_code == 410
    nora.refresh_from_db()
    assert nora.email == "third@studio.test"


def test_link_ends_with_a_new_password(nora_client: Client, nora: User) -> None:
    request_change(nora_client)
    link = read_link()
    nora.set_password("three small boats at dawn")
    nora.save()
    assert nora_client.post(link).status_code in (302, 410)
    assert Client().post(link).status_code == 410
    nora.refresh_from_db()
    assert nora.email == "nora@studio.test"


def test_link_of_a_deactivated_person_or_with_changed_letters_does_nothing(nora_client: Client, nora: User) -> None:
    request_change(nora_client)
    link = read_link()
    assert Client().post(link.replace(":", ":x", 1)).status_code == 410
    User.objects.filter(pk=nora.pk).update(is_active=False)
    assert Client().post(link).status_code == 410
    nora.refresh_from_db()
    assert nora.email == "nora@studio.test"


def test_address_that_someone_else_got_meanwhile_is_refused(
    nora_client: Client, nora: User, make_person: Callable[..., User]
) -> None:
    request_change(nora_client)
    link = read_link()
    other = make_person("other")
    User.objects.filter(pk=other.pk).update(email=NEW)
    response = nora_client.post(link)
    assert response.status_code == 410
    assert "Another user has this email address." in response.content.decode()


@pytest.mark.parametrize(
    ("email", "words"),
    [
        ("NORA@studio.test", "This is your present address."),
        ("Other@studio.test", "Another user has this email address."),
        ("nora", "Enter a valid email address."),
    ],
)
def test_addresses_that_cannot_be_used(
    nora_client: Client, make_person: Callable[..., User], email: str, words: str
) -> None:
    make_person("other")
    assert words in request_change(nora_client, email).content.decode()
    run_due_tasks()
    assert not mail.outbox


def test_without_a_mail_server_an_admin_changes_the_address(nora_client: Client, settings: Any) -> None:
    assert reverse("profile_email") in nora_client.get(reverse("profile")).content.decode()
    settings.MAIL = None
    page = nora_client.get(reverse("profile")).content.decode()
    assert reverse("profile_email") not in page
    assert "An admin changes it for you." in page
    assert request_change(nora_client).status_code == 302
    run_due_tasks()
    assert not mail.outbox


def test_link_is_neither_stored_nor_logged(nora_client: Client) -> None:
    request_change(nora_client)
    link = read_link()
    assert link.split("/")[3] not in str(list(SecurityEvent.objects.values()))
    assert link.split("/")[3].split(":")[0] not in redact_links(f"GET {link}")
