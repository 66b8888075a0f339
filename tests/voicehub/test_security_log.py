"""The security log: who changed which role, key or setting, from which value to which, and who was denied."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import LanguageRelease, Pronunciation
from voicehub.models import SecurityEvent, SecurityEventKind, ThresholdOverride, User
from voices.models import Account, LimitOverride
from voices.services.accounts import add_account

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

Kind = SecurityEventKind


@pytest.fixture
def root(make_person: Callable[..., User]) -> User:
    return make_person("root", is_superuser=True, is_staff=True)


@pytest.fixture
def root_client(client: Client, root: User) -> Client:
    client.force_login(root)
    return client


def list_events(kind: SecurityEventKind) -> list[tuple[str, str, str]]:
    """Who, what, and which change, the oldest first."""
    events = SecurityEvent.objects.filter(kind=kind).order_by("pk")
    return [(event.actor_name, event.subject, event.detail) for event in events]


def make_account() -> Account:
    account = add_account("Main", "resemble_v2", "sandbox", "old-key-of-the-studio")
    SecurityEvent.objects.all().delete()
    return account


def test_change_of_a_user_names_each_value_before_and_after(root_client: Client, viewer: User) -> None:
    roles = [Group.objects.get(name=name).pk for name in ("engineer", "viewer")]
    fields = {
        "username": "verena",
        "first_name": "Vera",
        "email": viewer.email,
        "groups": roles,
        "is_active": "on",
        "is_staff": "on",
    }
    root_client.post(reverse("admin:voicehub_user_change", args=[viewer.pk]), fields, headers={"User-Agent": "Test/1"})
    (event,) = SecurityEvent.objects.filter(kind=Kind.USER_CHANGED)
    assert (event.subject, event.person, event.address, event.browser) == ("verena", viewer, "127.0.0.1", "Test/1")
    assert event.detail.split("; ") == [
        "Username: vera → verena",
        "Roles: viewer → engineer, viewer",
        "May open the administration: no → yes",
    ]


def test_saving_without_a_change_records_nothing(root_client: Client, viewer: User) -> None:
    groups = [group.pk for group in viewer.groups.all()]
    fields = {"username": viewer.username, "first_name": viewer.first_name, "email": viewer.email, "groups": groups}
    root_client.post(reverse("admin:voicehub_user_change", args=[viewer.pk]), fields | {"is_active": "on"})
    assert list_events(Kind.USER_CHANGED) == []


def test_new_and_deleted_users_are_recorded(root_client: Client) -> None:
    root_client.post(reverse("admin:voicehub_user_add"), {"email": "nora@studio.test", "first_name": "Nora"})
    user = User.objects.get(username="nora")
    root_client.post(reverse("admin:voicehub_user_delete", args=[user.pk]), {"post": "yes"})
    added, deleted = list_events(Kind.USER_CHANGED)
    assert added[:2] == ("Root", "nora")
    assert added[2].startswith("Added. First name (optional): Nora; Email: nora@studio.test")
    assert deleted == ("Root", "nora", "Deleted.")


def test_admin_change_of_an_email_is_mailed_to_the_earlier_address(
    root_client: Client, viewer: User, mailoutbox: list[Any]
) -> None:
    from tests.support.task_runner import run_due_tasks

    before = viewer.email
    groups = [group.pk for group in viewer.groups.all()]
    fields = {"username": viewer.username, "first_name": "Vera", "email": "new@studio.test", "groups": groups}
    root_client.post(reverse("admin:voicehub_user_change", args=[viewer.pk]), fields | {"is_active": "on"})
    assert list_events(Kind.EMAIL_CHANGED) == [("Root", before, f"{before} → new@studio.test")]
    run_due_tasks()
    (message,) = mailoutbox
    assert message.to == [before]


def test_keys_are_recorded_without_their_value(root_client: Client) -> None:
    form = {"name": "Second", "provider": "resemble_v2", "mode": "sandbox", "key": "canary-key-7391"}
    root_client.post(reverse("voices:account_add"), form)
    account = Account.objects.get()
    root_client.post(reverse("voices:account_key", args=[account.pk]), {"key": "canary-key-8462"})
    root_client.post(reverse("voices:account_pause", args=[account.pk]), {"reason": "The invoice is disputed."})
    root_client.post(reverse("voices:account_resume", args=[account.pk]))
    assert list_events(Kind.KEY_CHANGED) == [
        ("Root", "Account: Second", "Account added with a key."),
        ("Root", "Account: Second", "Key replaced."),
        ("Root", "Account: Second", "Paused: The invoice is disputed."),
        ("Root", "Account: Second", "Resumed."),
    ]
    assert "canary" not in str(list(SecurityEvent.objects.values()))


def test_keys_that_are_changed_in_the_admin_are_recorded(root_client: Client) -> None:
    account = make_account()
    change = reverse("admin:voices_account_change", args=[account.pk])
    root_client.post(change, {"name": "Renamed", "key": "canary-key-8462"})
    selection = {"_selected_action": [str(account.pk)]}
    root_client.post(reverse("admin:voices_account_changelist"), selection | {"action": "pause"})
    root_client.post(reverse("admin:voices_account_changelist"), selection | {"action": "resume"})
    details = [detail for _actor, _subject, detail in list_events(Kind.KEY_CHANGED)]
    assert details == ["Key replaced.", "Name: Main → Renamed", "Paused.", "Resumed."]
    assert {actor for actor, _subject, _detail in list_events(Kind.KEY_CHANGED)} == {"Root"}


def test_settings_in_the_admin_are_recorded(root_client: Client) -> None:
    threshold = {"name": "silent_peak_dbfs", "value": "-50", "reason": "Our booth.", "provider": "", "tier": ""}
    limit = {"provider": "speechgen", "tier": "rapid", "limit": "advised_seconds", "value": "2", "source": "Support"}
    for model, fields in (("voicehub_thresholdoverride", threshold), ("voices_limitoverride", limit)):
        root_client.post(reverse(f"admin:{model}_add"), fields)
    row = ThresholdOverride.objects.get()
    url = reverse("admin:voicehub_thresholdoverride_change", args=[row.pk])
    root_client.post(url, threshold | {"value": "-45"})
    selection = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    root_client.post(reverse("admin:voicehub_thresholdoverride_changelist"), selection)
    root_client.post(reverse("admin:consent_pronunciation_add"), {"name": "Nguyen", "sounds_like": "win"})
    assert LimitOverride.objects.exists() and Pronunciation.objects.exists()
    details = [detail for _actor, _subject, detail in list_events(Kind.SETTING_CHANGED)]
    assert [detail.partition(".")[0] for detail in details[:2]] == ["Added", "Added"]
    assert details[2:4] == ["Value: -50.0 → -45.0", "Deleted."]
    assert details[4].startswith("Added. Name: Nguyen")


def test_languages_and_statements_are_recorded(root_client: Client) -> None:
    root_client.post(reverse("admin:consent_languagerelease_add"), {"language": "de"})
    release = LanguageRelease.objects.get()
    selection = {"action": "end", "_selected_action": [release.pk]}
    root_client.post(reverse("admin:consent_languagerelease_changelist"), selection)
    root_client.post(reverse("admin:consent_statement_import"), {"translations": "1"})
    released, ended, statements = list_events(Kind.SETTING_CHANGED)
    assert released == ("Root", "Language for talents: German", "Released.")
    assert ended[2] == "No longer offered."
    assert statements[1].startswith("Statements: ")


def test_denied_request_is_recorded_once_for_each_path_and_minute(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    path = reverse("voices:account_list")
    for _ in range(3):
        assert client.get(path).status_code == 403
    client.get(reverse("voices:account_add"))
    denied = [("Vera", path, "GET"), ("Vera", reverse("voices:account_add"), "GET")]
    assert list_events(Kind.DENIED) == denied
    SecurityEvent.objects.update(at=timezone.now() - timedelta(seconds=61))
    client.post(path)
    assert list_events(Kind.DENIED) == [*denied, ("Vera", path, "POST")]


def test_no_denied_request_is_recorded_without_a_person(client: Client) -> None:
    assert client.get(reverse("voices:account_list")).status_code == 302
    assert list_events(Kind.DENIED) == []


def test_change_that_fails_leaves_no_row(root_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    account = make_account()

    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("voices.services.accounts._resume_waiting_work", fail)
    with pytest.raises(RuntimeError):
        root_client.post(reverse("voices:account_key", args=[account.pk]), {"key": "another-key"})
    assert list_events(Kind.KEY_CHANGED) == []
    account.refresh_from_db()
    assert account.decrypt_key() == "old-key-of-the-studio"
