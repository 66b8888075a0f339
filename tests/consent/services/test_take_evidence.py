"""The files of takes are checked like those of contracts: the original, and the WAV that was made of it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from consent.models import Consent, Take, TakeCheck
from consent.services.evidence_checks import (
    TAKE_CHANGED,
    check_all_evidence,
    check_evidence_for_build,
    check_take_files,
)
from consent.services.gate import BuildPurpose, check_permission
from tests.consent.rows import PROVIDER, ConsentFactory, get_url, read_page
from tests.support.approval import approve_after_listening
from tests.support.html import read_html
from tests.support.wav import encode_speech
from voicehub.retry_policy import EVIDENCE_CHECK_RETRY
from voicehub.storage import StorageUnavailable

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def take(factory: ConsentFactory) -> Take:
    """The approved take of a consent that may be used; a WAV was made of it."""
    consent = factory.make_consent()
    factory.make_contract(consent.talent)
    take = factory.make_take(consent, encode_speech("FLAC", "PCM_16"))
    approve_after_listening(consent, take, factory.producer)
    assert take.wav
    return take


def get_subject(consent: Consent) -> BuildPurpose:
    return BuildPurpose(consent.talent, PROVIDER, consent.purpose, "", ())


def list_reasons(take: Take) -> tuple[str, ...]:
    return check_permission(get_subject(take.consent)).reasons


PROBLEMS = {"file": "Original: The file is missing.", "wav": "WAV made of it: The file is missing."}


@pytest.mark.parametrize("name", PROBLEMS)
def test_damaged_file_of_a_take_closes_the_gate_until_it_is_restored(
    take: Take, producer_client: Client, name: str
) -> None:
    path, problem = Path(getattr(take, name).path), PROBLEMS[name]
    content = path.read_bytes()
    path.unlink()
    assert list_reasons(take) == (), "the gate reads only the last stored result"
    assert check_take_files(take) == problem
    (reason,) = list_reasons(take)
    assert reason.startswith(f"The recording of this consent is missing or was changed. {problem} Ask an admin")
    page = read_page(producer_client, take.consent.get_absolute_url())
    assert "The recording is missing or was changed." in page and problem in page
    path.write_bytes(content[:-1] + b"x")
    page = read_html(producer_client.post(get_url("history_check", take.consent), follow=True))
    assert TAKE_CHANGED in page and list_reasons(take) != ()
    path.write_bytes(content)
    page = read_html(producer_client.post(get_url("history_check", take.consent), follow=True))
    assert "The audit log and the recording are intact." in page and list_reasons(take) == ()


@pytest.mark.parametrize("name", PROBLEMS)
def test_check_before_a_build_finds_a_damaged_take(take: Take, name: str) -> None:
    Path(getattr(take, name).path).unlink()
    check_evidence_for_build(get_subject(take.consent))
    assert len(list_reasons(take)) == 1


@pytest.mark.parametrize("name", PROBLEMS)
def test_nightly_check_finds_a_damaged_take_and_today_and_doctor_name_it(
    take: Take, producer_client: Client, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    path = Path(getattr(take, name).path)
    check_all_evidence(lambda: None)
    assert TakeCheck.objects.get().file_checked_at
    path.write_bytes(path.read_bytes()[:-2])
    TakeCheck.objects.update(file_checked_at=timezone.now() - timedelta(days=3))
    check_all_evidence(lambda: None)
    assert TAKE_CHANGED in TakeCheck.objects.get().file_problem
    page = read_page(producer_client, "/")
    assert "Recording damaged" in page and TAKE_CHANGED in page
    with pytest.raises(SystemExit):
        call_command("doctor", no_color=True)
    assert f"FAILED   Evidence files: {take}: " in capsys.readouterr().out


def test_storage_that_does_not_respond_changes_no_result(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail_to_open(*_arguments: Any) -> None:
        raise TimeoutError("The server does not respond.")

    TakeCheck.objects.update(file_problem=TAKE_CHANGED, file_checked_at=None)
    monkeypatch.setattr(type(take.file.storage), "_open", fail_to_open)
    with pytest.raises(StorageUnavailable):
        check_take_files(take)
    assert check_all_evidence(lambda: None) == EVIDENCE_CHECK_RETRY
    assert TakeCheck.objects.get().file_problem == TAKE_CHANGED


def test_take_without_a_check_of_its_sound_gets_a_row_for_the_result(take: Take) -> None:
    """Early versions stored none. The page must not wait for that check."""
    TakeCheck.objects.all().delete()
    Path(take.wav.path).unlink()
    check_evidence_for_build(get_subject(take.consent))
    check = TakeCheck.objects.get()
    assert check.file_problem == PROBLEMS["wav"] and check.checked_at and check.error
    assert len(list_reasons(take)) == 1
