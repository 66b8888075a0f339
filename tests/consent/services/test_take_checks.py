"""A take is checked automatically. The result is stored beside the take and never replaces review by staff."""

from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from audio import statement
from consent.models import Capture, Consent, ConsentStatus, Pronunciation, Purpose, Take, TakeCheck, Talent
from consent.services.invitations import request_consent
from consent.services.take_checks import check_take, handle_check_failure
from consent.services.takes import submit_take
from tests.consent.rows import ConsentFactory, allow_comparison
from tests.support.task_runner import run_due_tasks
from tests.support.wav import load_sample_wav
from voicehub.models import Task, TaskStatus, ThresholdOverride, User
from voices.models import Recording, Voice
from voices.services.recordings.store import add_recording, create_voice, delete_recording, set_transcript

pytestmark = [pytest.mark.django_db, pytest.mark.one_database, pytest.mark.usefixtures("once_per_sound")]

PROVIDER = "resemble_v2"


@pytest.fixture
def consent(talent: Talent, producer: User) -> Consent:
    """A consent for the statement that the sample recordings contain."""
    ConsentFactory(producer).make_contract(talent)
    return request_consent(talent, PROVIDER, "en-US", Purpose.NARRATION, producer, company="Northlight Voices")


def submit_sample(consent: Consent, name: str = "consent-slt") -> Take:
    file = SimpleUploadedFile("take.wav", load_sample_wav(name), content_type="audio/wav")
    return submit_take(consent, file, Capture.LINK)


def run_check(take: Take) -> TakeCheck:
    run_due_tasks("check_take")
    return TakeCheck.objects.get(take=take)


def list_codes(findings: list[dict[str, Any]]) -> set[str]:
    return {finding["code"] for finding in findings}


def test_submitted_take_is_checked_by_a_task(consent: Consent) -> None:
    take = submit_sample(consent)
    assert TakeCheck.objects.get(take=take).checked_at is None
    check = run_check(take)
    assert check.checked_at
    assert check.error == ""
    assert check.measures["speech_share"] > 0.3
    assert len(check.fine_peaks) > 2 * 400
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.SUBMITTED


def test_statement_check_recognizes_each_word(consent: Consent) -> None:
    result = run_check(submit_sample(consent)).statement
    assert result["verdict"] == "accept", result["why"]
    recognized_words = [word for word in result["words"] if word["state"] == "heard"]
    assert len(recognized_words) > 0.85 * len(result["words"])
    assert recognized_words[0]["start"] < recognized_words[-1]["end"]


def test_take_with_other_text_gets_reject_verdict_but_awaits_review(consent: Consent) -> None:
    check = run_check(submit_sample(consent, "slt-01"))
    assert check.statement["verdict"] == "reject"
    assert any(finding["code"].startswith("statement_") for finding in check.findings)
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.SUBMITTED


def test_take_that_names_another_company_gets_review_verdict(talent: Talent, producer: User) -> None:
    ConsentFactory(producer).make_contract(talent)
    consent = request_consent(talent, PROVIDER, "en-US", Purpose.NARRATION, producer, company="Bluebird Media")
    assert run_check(submit_sample(consent)).statement["verdict"] == "review"


def test_unacceptable_take_is_not_checked(consent: Consent) -> None:
    file = SimpleUploadedFile("take.wav", load_sample_wav("consent-slt")[:-100], content_type="audio/wav")
    take = submit_take(consent, file, Capture.LINK)
    assert not take.acceptable
    assert not TakeCheck.objects.exists()
    assert not Task.objects.filter(kind="check_take").exists()


def test_second_check_replaces_the_first(consent: Consent) -> None:
    take = submit_sample(consent)
    first_check = run_check(take)
    ThresholdOverride.objects.create(
        provider=PROVIDER, name="too_quiet_dbfs", value=-1, reason="Nothing is loud enough."
    )
    check_take(str(take.pk))
    second_check = TakeCheck.objects.get(take=take)
    assert second_check.pk == first_check.pk
    assert "too_quiet" in list_codes(second_check.findings) - list_codes(first_check.findings)


def test_failed_check_stores_its_error(consent: Consent, monkeypatch: pytest.MonkeyPatch) -> None:
    take = submit_sample(consent)

    def raise_error(*_: Any, **__: Any) -> None:
        raise OSError("The disk is missing.")

    monkeypatch.setattr("consent.services.take_checks.analyze_recording", raise_error)
    for _ in range(10):
        Task.objects.filter(status=TaskStatus.WAITING).update(due_at=take.created_at)
        run_due_tasks("check_take")
    check = TakeCheck.objects.get(take=take)
    assert "could not be checked automatically" in check.error
    assert check.checked_at
    handle_check_failure(str(uuid4()))


def test_failed_check_can_be_repeated(consent: Consent) -> None:
    take = submit_sample(consent)
    handle_check_failure(str(take.pk))
    assert TakeCheck.objects.get(take=take).error
    assert run_check(take).error == ""


def test_failed_second_check_keeps_results_of_the_first(consent: Consent) -> None:
    take = submit_sample(consent)
    check_before = run_check(take)
    handle_check_failure(str(take.pk))
    check_after = TakeCheck.objects.get(take=take)
    assert (check_after.error, check_after.checked_at) == ("", check_before.checked_at)


def test_check_does_not_change_evidence(consent: Consent) -> None:
    """A check changes neither the take nor the audit log."""
    take = submit_sample(consent)
    events = list(consent.events.values())
    values_before = Take.objects.values().get(pk=take.pk)
    run_check(take)
    assert Take.objects.values().get(pk=take.pk) == values_before
    assert list(consent.events.values()) == events


def test_check_uses_stored_pronunciations_of_names_in_statement(
    consent: Consent, monkeypatch: pytest.MonkeyPatch
) -> None:
    Pronunciation.objects.create(name="Northlight", sounds_like="north light")
    Pronunciation.objects.create(name="Zyntrex", sounds_like="zin trecks")
    pronunciations: list[dict[str, str]] = []
    check_statement = statement.check_statement

    def record_pronunciations(*args: Any, **kwargs: Any) -> Any:
        pronunciations.append(kwargs["sounds_like"])
        return check_statement(*args, **kwargs)

    monkeypatch.setattr(statement, "check_statement", record_pronunciations)
    run_check(submit_sample(consent))
    assert pronunciations == [{"Northlight": "north light"}]


# --- speaker comparison with the recordings ---------------------------------------------------------------------


@pytest.fixture
def voice(talent: Talent, producer: User) -> Voice:
    voice = create_voice(talent, "Warm", "en-US", Purpose.NARRATION, producer)
    for number in range(1, 5):
        name = f"slt-0{number}.wav"
        file = SimpleUploadedFile(name, load_sample_wav(name.removesuffix(".wav")), content_type="audio/wav")
        add_recording(voice, file, producer)
    allow_comparison(talent)
    return voice


def compare_recordings(voice: Voice) -> None:
    """Analyze the recordings and compare them at once, although the comparison is not due yet."""
    Task.objects.filter(kind="compare_recordings").update(due_at=voice.created_at)
    run_due_tasks("examine_recordings", "compare_recordings")
    Task.objects.filter(kind="compare_recordings").update(due_at=voice.created_at)
    run_due_tasks("compare_recordings")


@pytest.mark.parametrize(("sample", "verdict"), [("consent-slt", "same"), ("consent-rms", "unsure")])
def test_take_is_compared_with_recordings(consent: Consent, voice: Voice, sample: str, verdict: str) -> None:
    take = submit_sample(consent, sample)
    assert run_check(take).speaker == {}
    compare_recordings(voice)
    speaker = TakeCheck.objects.get(take=take).speaker
    assert speaker["verdict"] == verdict
    assert speaker["compared_with"] == 4
    assert 0 < speaker["threshold"] < 1
    assert speaker["error_rate"] < 0.1
    assert "vector" not in str(speaker)


def test_new_take_is_compared_with_existing_recordings(consent: Consent, voice: Voice) -> None:
    compare_recordings(voice)
    assert not Task.objects.filter(kind="compare_recordings", status=TaskStatus.WAITING).exists()
    take = submit_sample(consent)
    check_take(str(take.pk))
    run_due_tasks("match_takes")
    assert TakeCheck.objects.get(take=take).speaker["verdict"] == "same"
    assert not Task.objects.filter(kind="compare_recordings", status=TaskStatus.WAITING).exists()


def test_speaker_waits_if_too_few_recordings_exist(consent: Consent, voice: Voice) -> None:
    for recording in voice.recordings.all()[1:]:
        delete_recording(recording)
    take = submit_sample(consent)
    run_check(take)
    compare_recordings(voice)
    assert TakeCheck.objects.get(take=take).speaker["verdict"] == "waiting"


def test_every_recording_is_analyzed_and_another_speaker_detected(voice: Voice, producer: User) -> None:
    file = SimpleUploadedFile("guest.wav", load_sample_wav("rms-01"), content_type="audio/wav")
    outlier, _new = add_recording(voice, file, producer, transcript="Dr. Smith said 50 % of it.")
    compare_recordings(voice)
    recordings = Recording.objects.filter(voice=voice)
    assert all(recording.analyzed_at and recording.measures["speech_share"] > 0.3 for recording in recordings)
    assert all("dnsmos_overall" in recording.measures["estimates"] for recording in recordings)
    outliers = [recording for recording in recordings if "other_speaker" in list_codes(recording.set_findings)]
    assert outliers == [outlier]
    outlier.refresh_from_db()
    assert any(finding["code"].startswith("transcript_") for finding in outlier.findings)
    voice.refresh_from_db()
    assert voice.comparison["recordings"] == 5
    assert voice.comparison["text"].startswith("1 of 5")


def test_changed_transcript_is_checked_at_once(voice: Voice) -> None:
    compare_recordings(voice)
    recording = voice.recordings.first()
    assert recording
    analyzed_at, rate = recording.analyzed_at, recording.measures["words_per_minute"]
    set_transcript(recording, "It costs 5 % more.")
    recording.refresh_from_db()
    assert recording.analyzed_at == analyzed_at and recording.measures["words_per_minute"] != rate
    assert any(finding["code"].startswith("transcript_") for finding in recording.findings)
    set_transcript(recording, "It costs five percent more.")
    recording.refresh_from_db()
    assert not any(finding["code"].startswith("transcript_") for finding in recording.findings)
