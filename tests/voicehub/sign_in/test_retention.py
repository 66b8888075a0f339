"""Old security events, addresses and ended sessions are deleted each day, in batches."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from tests.support.task_runner import run_due_tasks
from voicehub import outbox
from voicehub.models import BrowserSession, SecurityEvent, SecurityEventKind, SignInAttempts, Task, User
from voicehub.scheduler import RECURRING
from voicehub.sign_in import retention

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

DEFAULT_DAYS = 365


def make_event(days: float) -> SecurityEvent:
    at = timezone.now() - timedelta(days=days)
    return SecurityEvent.objects.create(
        kind=SecurityEventKind.SIGNED_IN, at=at, actor_name="Paula", address="192.0.2.1", browser="Test/1"
    )


def make_session(number: int, user: User | None, *, ends_in_days: float = 1, idle_minutes: float = 0) -> BrowserSession:
    now = timezone.now()
    return BrowserSession.objects.create(
        session_key=f"{number:040}",
        user=user,
        expire_date=now + timedelta(days=ends_in_days),
        seen_at=now - timedelta(minutes=idle_minutes),
    )


def run_task() -> None:
    outbox.enqueue_task(retention.TASK, "all")
    run_due_tasks(retention.TASK, rounds=2)


@pytest.mark.parametrize("days", [DEFAULT_DAYS, 40])
def test_events_are_deleted_after_the_days_of_the_setting(settings: Any, days: int) -> None:
    assert settings.VOICEHUB_SECURITY_EVENT_DAYS == DEFAULT_DAYS
    settings.VOICEHUB_SECURITY_EVENT_DAYS = days
    kept, _old = make_event(days - 0.1), make_event(days + 0.1)
    run_task()
    assert list(SecurityEvent.objects.all()) == [kept]


def test_addresses_go_earlier_than_what_happened() -> None:
    recent, older = make_event(retention.ADDRESS_DAYS - 0.1), make_event(retention.ADDRESS_DAYS + 0.1)
    run_task()
    recent.refresh_from_db()
    older.refresh_from_db()
    assert (recent.address, recent.browser) == ("192.0.2.1", "Test/1")
    assert (older.address, older.browser, older.actor_name) == (None, "", "Paula")


def test_only_sessions_that_open_nothing_anymore_are_deleted(producer: User) -> None:
    idle = django_settings.VOICEHUB_IDLE_MINUTES
    kept = {make_session(1, producer).pk, make_session(2, None, idle_minutes=idle + 1).pk}
    make_session(3, producer, idle_minutes=idle + 1)
    make_session(4, producer, ends_in_days=-0.1)
    make_session(5, None, ends_in_days=-0.1)
    run_task()
    assert set(BrowserSession.objects.values_list("pk", flat=True)) == kept


def test_counts_of_attempts_are_deleted_when_they_count_no_longer() -> None:
    SignInAttempts.objects.create(key="old", since=timezone.now() - timedelta(minutes=16))
    SignInAttempts.objects.create(key="new", since=timezone.now() - timedelta(minutes=14))
    run_task()
    assert SignInAttempts.objects.get().key == "new"


def test_rows_are_deleted_in_batches_and_the_lease_is_extended(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for _ in range(5):
        make_event(DEFAULT_DAYS + 1)
    extended: list[int] = []
    with caplog.at_level(logging.INFO, logger=retention.logger.name):
        retention.delete_old_access_data(lambda: extended.append(SecurityEvent.objects.count()))
    assert extended == [3, 1, 0]
    assert "Deleted 5 security events older than 365 days" in caplog.text


def test_sweeper_starts_the_task_and_it_runs_again_after_a_day() -> None:
    assert retention.TASK in RECURRING
    run_task()
    due_in = Task.objects.get(kind=retention.TASK).due_at - timezone.now()
    assert timedelta(hours=23) < due_in <= timedelta(days=1)
