"""`manage.py create_admin` is the way in without the sample. It neither asks for a password nor logs the link."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.test import Client

from voicehub.models import BrowserSession, SecurityEvent, User
from voicehub.tokens import redact_links

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

PASSWORD = "three small boats at dawn"


def choose_password(output: str) -> None:
    (link,) = re.findall(r"http://\S+", output)
    browser = Client()
    page = browser.get(urlsplit(link).path, follow=True)
    browser.post(page.redirect_chain[-1][0], {"password1": PASSWORD, "password2": PASSWORD})


def test_new_admin_chooses_a_password_and_opens_the_administration(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_admin", "nora", "nora@studio.test")
    user = User.objects.get(username="nora")
    assert (user.is_superuser, user.is_staff, user.has_usable_password()) == (True, True, False)
    assert [group.name for group in user.groups.all()] == ["admin"]
    captured = capsys.readouterr()
    assert "http://" not in captured.err
    choose_password(captured.out)
    browser = Client()
    browser.post("/sign-in/", {"login": "nora", "password": PASSWORD})
    assert browser.get("/administration/").status_code == 200


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["root", "other@studio.test"], "root exists already"),
        (["ROOT", "other@studio.test"], "ROOT exists already"),
        (["nora", "Root@studio.test"], "Another user has the address"),
        (["no ra", "nora@studio.test"], "Enter a valid username"),
        (["nora", "nora"], "Enter a valid email"),
        (["nora"], "Give a username and an email address"),
        (["viewer", "--reset"], "viewer is not an admin"),
        (["unknown", "--reset"], "unknown is not an admin"),
        (["root", "other@studio.test", "--reset"], "root has the address root@studio.test"),
    ],
)
def test_refusals(make_person: Callable[..., User], arguments: list[str], words: str) -> None:
    make_person("root", is_superuser=True)
    make_person("viewer", "viewer")
    before = list(User.objects.values())
    with pytest.raises(CommandError, match=words):
        call_command("create_admin", *arguments)
    assert list(User.objects.values()) == before


def test_reset_removes_factors_password_and_sessions_and_is_recorded(
    make_person: Callable[..., User], capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_person("root", is_superuser=True, is_staff=True)
    for kind in (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES):
        Authenticator.objects.create(user=root, type=kind, data={})
    Client().force_login(root)
    call_command("create_admin", "root", "--reset")
    root.refresh_from_db()
    assert not root.check_password("secret")
    assert not Authenticator.objects.exists()
    assert not BrowserSession.objects.filter(user=root).exists()
    kinds = SecurityEvent.objects.filter(person=root, actor=None).values_list("kind", flat=True)
    assert set(kinds) == {"factor_removed", "reset_requested"}
    choose_password(capsys.readouterr().out)
    root.refresh_from_db()
    assert root.check_password(PASSWORD)


def test_hint_is_printed_only_while_there_is_no_admin(
    make_person: Callable[..., User], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOICEHUB_BASE_URL", "http://127.0.0.1:9000")
    monkeypatch.delenv("VOICEHUB_DATA_DIR")
    make_person("viewer", "viewer")
    call_command("create_admin", "--hint")
    hint = "VOICEHUB_BASE_URL=http://127.0.0.1:9000 .venv/bin/python manage.py create_admin NAME EMAIL"
    assert hint in capsys.readouterr().out
    make_person("root", is_superuser=True)
    call_command("create_admin", "--hint")
    assert capsys.readouterr().out == ""


def test_logs_do_not_contain_the_link(capsys: pytest.CaptureFixture[str], caplog: Any) -> None:
    call_command("create_admin", "nora", "nora@studio.test")
    (link,) = re.findall(r"http://\S+", capsys.readouterr().out)
    assert "password/new" not in caplog.text
    assert redact_links(f"GET {link}").endswith("/password/new/…/")
