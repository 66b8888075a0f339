"""A voice is deleted a week after its consent or contract has ended by date, unless another covers it by then."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from consent.extension_points import list_deletions
from consent.models import Consent, ConsentStatus, Contract
from consent.services.expiry import expire_due_consents
from consent.services.legal_hold import release_hold, set_hold
from consent.services.review import suspend_consent
from tests.support.task_runner import run_due_tasks
from tests.voices.rows import Studio
from voicehub.models import Task, User
from voices.models import Build, BuildStatus, FileKind, RemoteFile, RemoteVoice
from voices.services import scheduled_deletion
from voices.services.deletion_lists import load_open_deletions
from voices.services.scheduled_deletion import schedule_deletions

pytestmark = pytest.mark.django_db

Push = Callable[[float], None]
LAST_DAY = date(2026, 11, 28)
NOON = datetime(2026, 11, 28, 12, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.fixture
def push(monkeypatch: pytest.MonkeyPatch) -> Push:
    """Set the clock to noon of the last day plus this number of days."""

    def set_clock(days: float) -> None:
        monkeypatch.setattr(timezone, "now", lambda: NOON + timedelta(days=days))

    set_clock(0)
    return set_clock


@pytest.fixture
def build(studio: Studio, push: Push) -> Build:
    """A finished build under a consent that ends today."""
    build = studio.make_build(studio.make_voice(), BuildStatus.READY)
    Consent.objects.update(valid_until=LAST_DAY)
    return build


def sweep() -> RemoteVoice:
    """Run the recurring tasks of this hour. Returns the only voice."""
    expire_due_consents()
    schedule_deletions()
    return RemoteVoice.objects.get()


def renew(build: Build, **fields: Any) -> Consent:
    """Put another consent for the same use in force."""
    consent: Consent = build.consent
    fields = {"valid_until": None, "status": ConsentStatus.APPROVED, "approved_at": timezone.now(), **fields}
    return Consent.objects.create(
        talent=consent.talent, provider=consent.provider, purpose=consent.purpose, statement=consent.statement,
        company="Northlight", language="en-US", text="I agree.", text_sha256="0" * 64, take=consent.take,
        approved_by=consent.approved_by, requested_by=consent.requested_by, **fields,
    )  # fmt: skip


def list_tasks(kind: str) -> list[str]:
    return list(Task.objects.filter(kind=kind, status="waiting").values_list("object_id", flat=True))


def test_voice_is_covered_on_last_day(build: Build) -> None:
    assert sweep().deletion_due_on is None


def test_deletion_is_planned_announced_and_requested_after_a_week(build: Build, push: Push) -> None:
    push(1)
    remote = sweep()
    assert (remote.coverage_ended_on, remote.deletion_due_on) == (LAST_DAY, LAST_DAY + timedelta(days=8))
    assert remote.deletion_requested_at is None
    run_due_tasks("send_deletion_notice")
    (message,) = mail.outbox
    assert message.subject == "Planned deletion of the voice Warm narrator"
    for part in (
        "Resemble AI will be deleted on December 6, 2026",
        "The consent ended on November 28, 2026.",
        "new consent",
    ):
        assert part in message.body
    push(7.99)
    assert sweep().deletion_requested_at is None
    push(8)
    remote = sweep()
    assert remote.deletion_reason == "The consent ended on November 28, 2026."
    assert remote.deletion_requested_at and remote.retired_at and remote.deletion_requested_by is None
    assert list_tasks("delete_remote_voice") == [str(remote.pk)]


def test_contract_with_delete_at_end_deletes_and_one_without_does_not(build: Build, push: Push) -> None:
    Consent.objects.update(valid_until=None)
    Contract.objects.update(ends_on=LAST_DAY, delete_at_end=False)
    push(30)
    assert sweep().coverage_ended_on is None
    Contract.objects.update(delete_at_end=True)
    assert sweep().coverage_end_reason == "The contract ended on November 28, 2026."
    push(37)
    assert sweep().deletion_requested_at is not None
    assert Consent.objects.get().status == ConsentStatus.APPROVED
    (row,) = list_deletions(Consent.objects.get())
    assert row.how == "VoiceHub repeats the deletion until the provider confirms it"


def test_contract_that_ended_last_decides(studio: Studio, build: Build, push: Push) -> None:
    Consent.objects.update(valid_until=None)
    Contract.objects.update(ends_on=LAST_DAY, delete_at_end=True)
    later = studio.make_contract(build.voice.talent, ends_on=LAST_DAY + timedelta(days=9), delete_at_end=False)
    push(10)
    assert sweep().coverage_ended_on is None
    later.delete_at_end = True
    later.save()
    assert sweep().coverage_ended_on == later.ends_on


def test_other_contract_in_force_covers_only_its_providers_and_purposes(
    studio: Studio, build: Build, push: Push
) -> None:
    Consent.objects.update(valid_until=None)
    Contract.objects.update(ends_on=LAST_DAY)
    other = studio.make_contract(build.voice.talent, providers=["speechgen"])
    push(1)
    assert sweep().deletion_due_on is not None
    other.providers, other.purposes = [studio.provider], ["advertising"]
    other.save()
    assert sweep().deletion_due_on is not None
    other.purposes = ["narration"]
    other.save()
    assert sweep().deletion_due_on is None


def test_replacing_contract_that_allows_less_ends_the_earlier_one(studio: Studio, build: Build, push: Push) -> None:
    Consent.objects.update(valid_until=None)
    day = LAST_DAY + timedelta(days=1)
    studio.make_contract(
        build.voice.talent, providers=["speechgen"], supersedes=Contract.objects.get(), starts_on=day, signed_on=day
    )
    assert sweep().coverage_ended_on is None
    push(1)
    assert sweep().coverage_ended_on == LAST_DAY


def test_plan_is_dropped_when_another_consent_covers_the_voice(build: Build, push: Push) -> None:
    push(1)
    sweep()
    push(6)
    renew(build)
    push(9)
    remote = sweep()
    assert (remote.deletion_due_on, remote.coverage_ended_on, remote.coverage_end_reason) == (None, None, "")
    assert remote.deletion_requested_at is None


def test_mail_is_not_sent_when_the_voice_is_covered_before(build: Build, push: Push) -> None:
    push(1)
    sweep()
    renew(build)
    run_due_tasks("send_deletion_notice")
    assert mail.outbox == []


@pytest.mark.parametrize(
    "fields",
    [
        {"status": ConsentStatus.REQUESTED, "approved_at": None},
        {"valid_until": LAST_DAY - timedelta(days=5)},
        {"status": ConsentStatus.WITHDRAWN},
    ],
)
def test_consent_that_is_not_in_force_does_not_stop_the_deletion(
    build: Build, push: Push, fields: dict[str, Any]
) -> None:
    push(1)
    sweep()
    renew(build, **fields)
    push(8)
    assert sweep().deletion_requested_at is not None


def test_suspended_consent_stops_the_deletion(build: Build, push: Push) -> None:
    push(1)
    sweep()
    suspend_consent(renew(build), build.started_by, "A dispute.")
    push(9)
    remote = sweep()
    assert remote.deletion_requested_at is None and remote.deletion_due_on is None


def test_week_counts_from_the_mail_when_the_sweep_was_down(build: Build, push: Push) -> None:
    push(40)
    assert sweep().deletion_due_on == LAST_DAY + timedelta(days=47)
    push(46.9)
    assert sweep().deletion_requested_at is None
    push(47)
    assert sweep().deletion_requested_at is not None


def test_week_starts_again_when_the_reason_changes(build: Build, push: Push) -> None:
    push(1)
    sweep()
    push(5)
    renew(build)
    Contract.objects.update(ends_on=LAST_DAY + timedelta(days=4))
    remote = sweep()
    assert remote.coverage_end_reason.startswith("The contract ended") and len(list_tasks("send_deletion_notice")) == 1
    push(8)
    assert sweep().deletion_requested_at is None
    push(12)
    assert sweep().deletion_requested_at is not None


@pytest.mark.parametrize(("zone", "is_ended"), [("UTC", False), ("Europe/Berlin", True), ("America/New_York", False)])
def test_day_is_the_day_of_the_studio(
    build: Build, monkeypatch: pytest.MonkeyPatch, settings: Any, zone: str, is_ended: bool
) -> None:
    settings.TIME_ZONE = zone
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 11, 28, 23, 30, tzinfo=ZoneInfo("UTC")))
    assert (sweep().coverage_ended_on is not None) == is_ended


def test_active_build_is_stopped_and_a_voice_in_doubt_is_looked_up(build: Build, push: Push) -> None:
    RemoteVoice.objects.update(remote_id="")
    Build.objects.update(status=BuildStatus.UNCONFIRMED, finished_at=None, pending_call="create")
    push(1)
    sweep()
    push(8)
    remote = sweep()
    build.refresh_from_db()
    assert (build.status, build.issue) == (
        BuildStatus.WITHDRAWN,
        "The consent ended on November 28, 2026. VoiceHub deletes the voice at the provider.",
    )
    assert list_tasks("delete_remote_voice") == [str(remote.pk)]


def test_voice_that_was_never_created_is_not_planned(build: Build, push: Push) -> None:
    RemoteVoice.objects.update(remote_id="")
    push(9)
    assert sweep().coverage_ended_on is None


def test_sweep_is_idempotent(build: Build, push: Push) -> None:
    push(1)
    first = sweep()
    push(3)
    again = sweep()
    assert again.deletion_planned_at == first.deletion_planned_at
    assert len(list_tasks("send_deletion_notice")) == 1
    push(8)
    requested = sweep().deletion_requested_at
    push(9)
    assert sweep().deletion_requested_at == requested
    assert len(list_tasks("delete_remote_voice")) == 1


@pytest.mark.parametrize(("day", "kind"), [(1, "send_deletion_notice"), (8, "delete_remote_voice")])
def test_two_workers_plan_and_request_once(
    build: Build, push: Push, monkeypatch: pytest.MonkeyPatch, day: int, kind: str
) -> None:
    """Another worker does the whole sweep between the first worker's read and its change."""
    lock_remote, moments = scheduled_deletion.lock_remote, []
    if day > 1:
        push(1)
        sweep()
    push(day)

    def let_other_worker_finish(remote: RemoteVoice) -> RemoteVoice | None:
        monkeypatch.setattr(scheduled_deletion, "lock_remote", lock_remote)
        schedule_deletions()
        push(day + 0.001)
        moments.append(RemoteVoice.objects.get())
        return lock_remote(remote)

    monkeypatch.setattr(scheduled_deletion, "lock_remote", let_other_worker_finish)
    remote = sweep()
    assert remote.deletion_planned_at == moments[0].deletion_planned_at
    assert remote.deletion_requested_at == moments[0].deletion_requested_at
    assert len(list_tasks(kind)) == 1


def test_queries_do_not_grow_with_covered_voices(studio: Studio, push: Push) -> None:
    def count_queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            schedule_deletions()
        return len(queries)

    studio.make_build(studio.make_voice(), BuildStatus.READY)
    before = count_queries()
    for number in range(8):
        talent = studio.make_talent(f"Talent {number}")
        studio.make_contract(talent)
        studio.make_consent(talent)
        studio.make_build(studio.make_voice(f"Voice {number}", talent), BuildStatus.READY)
    assert count_queries() == before


def test_hold_keeps_a_due_voice_until_it_is_released(build: Build, push: Push, producer: User) -> None:
    talent = build.voice.talent
    push(1)
    sweep()
    set_hold(talent, producer, "A court order.")
    push(20)
    assert sweep().deletion_requested_at is None
    assert [row.how for row in list_deletions(Consent.objects.get())] == ["Kept because of a legal hold"]
    release_hold(talent, producer, "The case is closed.")
    assert list_tasks("schedule_deletions") == ["all"]
    assert sweep().deletion_requested_at is not None


@pytest.mark.parametrize("change", [{"email": ""}, {"email": "paula@studio.test", "is_active": False}])
def test_producer_without_email_or_who_left_is_replaced_by_the_studio(
    build: Build, push: Push, settings: Any, change: dict[str, Any]
) -> None:
    User.objects.update(**change)
    push(1)
    sweep()
    run_due_tasks("send_deletion_notice")
    assert mail.outbox[0].to == [settings.DEFAULT_FROM_EMAIL]


def test_files_of_a_deleted_voice_end_with_the_consent(build: Build, push: Push) -> None:
    """The version before deleted voices and left their files."""
    RemoteVoice.objects.update(deleted_at=timezone.now(), deletion_requested_at=timezone.now())
    remote = RemoteVoice.objects.get()
    RemoteFile.objects.create(
        account=remote.account, remote_voice=remote, kind=FileKind.CONSENT, remote_id="f1", announced_at=timezone.now()
    )
    push(1)
    assert sweep().deletion_due_on == date(2026, 12, 6)
    assert load_open_deletions().planned == [remote]
    run_due_tasks("send_deletion_notice")
    assert mail.outbox[-1].body.startswith("The files that were sent to")
    push(8)
    sweep()
    assert RemoteFile.objects.get().deletion_requested_at == timezone.now()
    assert list_tasks("delete_remote_files") == [str(remote.pk)] and list_tasks("delete_remote_voice") == []
