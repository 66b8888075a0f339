"""Mails about one's own access: reset, new browser, changed password. Sent by a task, with a link that works once."""

import re

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client

from tests.support.task_runner import run_due_tasks
from tests.voicehub.sign_in.codes import PASSWORD, is_signed_in, sign_in
from voicehub.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
NEW = "correct horse battery"


@pytest.fixture
def paula(producer: User) -> User:
    producer.email = "Paula@studio.test"
    producer.save()
    return producer


def read_mails() -> list[str]:
    run_due_tasks()
    return [f"{one.subject}\n{one.body}" for one in mail.outbox]


def ask_for_reset(email: str = "paula@studio.test") -> Client:
    client = Client()
    response = client.post("/password/forgotten/", {"email": email})
    assert response.headers["Location"] == "/password/forgotten/sent/"
    return client


def find_link(text: str) -> str:
    found = re.search(rf"{re.escape(settings.VOICEHUB_BASE_URL)}(/password/new/\S+)", text)
    assert found
    return found[1]


def choose_password(client: Client, link: str, password: str = NEW) -> int:
    response = client.get(link)
    if response.status_code == 200:
        return 200
    return int(client.post(response.headers["Location"], {"password1": password, "password2": password}).status_code)


def test_reset_by_mail_works_once_and_ends_sessions(paula: User) -> None:
    other = Client()
    sign_in(other, "paula")
    client = ask_for_reset()
    text = next(one for one in read_mails() if one.startswith("Choose a new password"))
    assert choose_password(client, find_link(text)) == 302
    assert choose_password(Client(), find_link(text), "yet another password") == 200  # the link has ended
    assert other.get("/").status_code == 302
    sign_in(client, "paula", NEW)
    assert is_signed_in(client)
    assert "Your password was changed" in " ".join(read_mails())


def test_reset_does_not_reveal_who_has_an_account(paula: User) -> None:
    known, unknown = ask_for_reset(), ask_for_reset("unknown@studio.test")
    pages = [one.get("/password/forgotten/sent/").content.decode() for one in (known, unknown)]
    texts = [re.sub(r'"X-CSRFToken": "\w+"', "", page) for page in pages]
    assert texts[0] == texts[1]
    assert len(read_mails()) == 1


def test_deactivated_person_gets_no_link(paula: User) -> None:
    paula.is_active = False
    paula.save()
    ask_for_reset()
    assert read_mails() == []


def test_weak_passwords_are_refused_with_words(paula: User) -> None:
    client = ask_for_reset()
    form_url = client.get(find_link(read_mails()[0])).headers["Location"]
    for weak in ("elevenchars", "password1234"):
        page = client.post(form_url, {"password1": weak, "password2": weak})
        assert page.status_code == 200 and b"field-errors" in page.content
    long = "a word " * 18
    assert len(long) > 120 and client.post(form_url, {"password1": long, "password2": long}).status_code == 302


def test_sign_in_with_a_new_browser_is_mailed_once(paula: User) -> None:
    client = Client(REMOTE_ADDR="192.0.2.9")
    sign_in(client, "paula")
    (text,) = read_mails()
    assert text.startswith("Sign-in with a new browser") and "192.0.2.9" in text
    client.post("/sign-out/")
    sign_in(client, "paula")
    assert len(read_mails()) == 1
    sign_in(Client(), "paula")
    assert len(read_mails()) == 2


def test_mail_names_the_browser_and_never_repeats_what_it_sent(paula: User) -> None:
    agent = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0 - your account is locked, call +1 555 0100 or open evil.test"
    sign_in(Client(headers={"User-Agent": agent}), "paula")
    (text,) = read_mails()
    assert "Firefox on Linux" in text
    assert "evil.test" not in text


def test_changed_password_is_mailed(paula: User) -> None:
    client = Client()
    client.force_login(paula)
    client.post("/profile/password/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    (text,) = read_mails()
    assert text.startswith("Your password was changed")


def test_email_signs_in_too(paula: User) -> None:
    client = Client()
    sign_in(client, "paula@STUDIO.test")
    assert is_signed_in(client)
