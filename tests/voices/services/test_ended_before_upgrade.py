"""The migration marks each voice whose consent or contract had ended, and no other. Then nothing is planned for it."""

from datetime import date, timedelta
from typing import Any, cast

import pytest
from django.apps import apps
from django.db.migrations import RunPython
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from consent.models import Consent, ConsentStatus, Contract
from consent.services.review import withdraw_consent
from tests.voices.rows import Studio
from voices.models import Build, BuildStatus, FileKind, RemoteFile, RemoteVoice
from voices.services.deletion_lists import load_open_deletions
from voices.services.scheduled_deletion import confirm_deletion, schedule_deletions

pytestmark = pytest.mark.django_db

NAME = "scheduled_deletions"
ENDED = date(2026, 1, 31)
TODAY = timezone.localdate()
NOT_MARKED = (False, None, "")


@pytest.fixture
def build(studio: Studio) -> Build:
    return studio.make_build(studio.make_voice(), BuildStatus.READY)


def mark() -> tuple[bool, date | None, str]:
    """Run the migration's function and a sweep, which must plan nothing for a marked voice."""
    (migration,) = [
        migration for (_app, name), migration in MigrationLoader(None).disk_migrations.items() if name.endswith(NAME)
    ]
    (operation,) = [operation for operation in migration.operations if isinstance(operation, RunPython)]
    operation.code(cast(Any, apps), cast(Any, None))
    remote = RemoteVoice.objects.get()
    if remote.deletion_needs_confirmation:
        schedule_deletions()
        remote.refresh_from_db()
        assert remote.deletion_due_on is None and remote.deletion_requested_at is None
    return remote.deletion_needs_confirmation, remote.coverage_ended_on, remote.coverage_end_reason


@pytest.mark.parametrize(
    ("consent", "contract", "expected"),
    [
        ({}, {}, NOT_MARKED),
        ({"status": ConsentStatus.EXPIRED, "valid_until": ENDED}, {}, (True, ENDED, "The consent ended.")),
        ({"valid_until": ENDED}, {}, (True, ENDED, "The consent ended.")),
        ({"valid_until": TODAY}, {}, NOT_MARKED),
        ({"status": ConsentStatus.DECLINED}, {}, (True, TODAY, "The talent declined.")),
        ({"status": ConsentStatus.SUSPENDED}, {"ends_on": ENDED}, NOT_MARKED),
        ({}, {"ends_on": ENDED}, (True, ENDED, "The contract ended.")),
        ({}, {"ends_on": ENDED, "delete_at_end": False}, NOT_MARKED),
        ({}, {"ends_on": TODAY}, NOT_MARKED),
        ({}, {"ends_on": ENDED, "providers": ["speechgen"]}, NOT_MARKED),
        ({"status": ConsentStatus.REQUESTED}, {}, NOT_MARKED),
    ],
)
def test_voice_is_marked_if_its_consent_or_contract_had_ended(
    build: Build, consent: dict[str, Any], contract: dict[str, Any], expected: tuple[bool, date | None, str]
) -> None:
    Consent.objects.update(**consent)
    Contract.objects.update(**contract)
    assert mark() == expected


def test_withdrawal_gives_its_day(build: Build) -> None:
    RemoteVoice.objects.update(deleted_at=timezone.now())  # the version before did not delete the voice
    withdraw_consent(build.consent, build.started_by, "The talent said so.")
    RemoteVoice.objects.update(deleted_at=None)
    assert mark() == (True, TODAY, "The consent was withdrawn.")


def test_another_consent_covers_the_voice(studio: Studio, build: Build) -> None:
    Consent.objects.update(status=ConsentStatus.WITHDRAWN)
    studio.make_consent(build.voice.talent)
    assert mark() == NOT_MARKED


def test_another_contract_covers_the_voice(studio: Studio, build: Build) -> None:
    Contract.objects.update(ends_on=ENDED)
    studio.make_contract(build.voice.talent)
    assert mark() == NOT_MARKED


@pytest.mark.parametrize(
    "fields", [{"deleted_at": timezone.now()}, {"deletion_requested_at": timezone.now()}, {"remote_id": ""}]
)
def test_voice_that_is_deleted_or_never_existed_is_not_marked(build: Build, fields: dict[str, Any]) -> None:
    Consent.objects.update(status=ConsentStatus.WITHDRAWN)
    RemoteVoice.objects.update(**fields)
    assert mark() == NOT_MARKED


def test_voice_that_is_being_created_is_marked(build: Build) -> None:
    Consent.objects.update(status=ConsentStatus.EXPIRED, valid_until=ENDED)
    RemoteVoice.objects.update(remote_id="")
    Build.objects.update(status=BuildStatus.UNCONFIRMED, pending_call="create", finished_at=None)
    assert mark() == (True, ENDED, "The consent ended.")


def test_covered_voice_ends_by_date_after_the_upgrade(build: Build) -> None:
    assert mark() == NOT_MARKED
    Consent.objects.update(valid_until=TODAY - timedelta(days=1))
    schedule_deletions()
    assert RemoteVoice.objects.get().deletion_due_on is not None


@pytest.mark.parametrize("fields", [{"deleted_at": timezone.now()}, {"remote_id": ""}])
def test_files_of_a_deleted_or_never_created_voice_are_decided(build: Build, fields: dict[str, Any]) -> None:
    Consent.objects.update(status=ConsentStatus.WITHDRAWN)
    RemoteVoice.objects.update(**fields)
    remote = RemoteVoice.objects.get()
    file = RemoteFile.objects.create(
        account=remote.account, remote_voice=remote, kind=FileKind.CONSENT, remote_id="f1", announced_at=timezone.now()
    )
    assert mark()[0]
    assert load_open_deletions().to_decide == [remote]
    confirm_deletion(remote, build.started_by, "The consent was withdrawn.")
    file.refresh_from_db()
    remote.refresh_from_db()
    assert file.deletion_requested_at and remote.deletion_requested_at is None
    deletions = load_open_deletions()
    assert (deletions.to_decide, deletions.files) == ([], [remote])
