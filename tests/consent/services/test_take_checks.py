"""What programs hear in a take: beside the evidence, in words, and never instead of a listener."""

from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from audio import statement
from consent.models import Capture, Consent, ConsentStatus, Pronunciation, Purpose, Take, TakeCheck, Talent
from consent.services.invitations import request_consent
from consent.services.take_checks import check_take, handle_check_failure
from consent.services.takes import submit_take
from tests.support.wav import sample_wav
from tests.support.work import do_tasks
from voicehub.models import Task, TaskStatus, ThresholdOverride, User
from voices.models import Recording, Voice
from voices.services.recordings.store import add_recording, create_voice, delete_recording, set_transcript

pytestmark = pytest.mark.django_db

PROVIDER = "resemble_v2"


@pytest.fixture
def consent(talent: Talent, producer: User) -> Consent:
    """A consent for the statement that the sample talents have read."""
    return request_consent(talent, PROVIDER, "en-US", Purpose.NARRATION, producer, company="Northlight Voices")


def submit(consent: Consent, name: str = "consent-slt") -> Take:
    file = SimpleUploadedFile("take.wav", sample_wav(name), content_type="audio/wav")
    return submit_take(consent, file, Capture.LINK)


def checked(take: Take) -> TakeCheck:
    do_tasks("check_take")
    return TakeCheck.objects.get(take=take)


def test_a_take_waits_for_its_check_and_gets_it(consent: Consent) -> None:
    take = submit(consent)
    assert TakeCheck.objects.get(take=take).checked_at is None
    check = checked(take)
    assert check.checked_at
    assert check.error == ""
    assert check.measures["speech_share"] > 0.3
    assert len(check.fine_peaks) > 2 * 400
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.SUBMITTED


def test_the_statement_is_heard_word_by_word(consent: Consent) -> None:
    found = checked(submit(consent)).statement
    assert found["verdict"] == "accept", found["why"]
    heard = [word for word in found["words"] if word["state"] == "heard"]
    assert len(heard) > 0.85 * len(found["words"])
    assert heard[0]["start"] < heard[-1]["end"]


def test_another_text_is_rejected_by_the_program_and_still_waits_for_the_listener(consent: Consent) -> None:
    check = checked(submit(consent, "slt-01"))
    assert check.statement["verdict"] == "reject"
    assert any(one["code"].startswith("statement_") for one in check.findings)
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.SUBMITTED


def test_another_company_is_noticed(talent: Talent, producer: User) -> None:
    other = request_consent(talent, PROVIDER, "en-US", Purpose.NARRATION, producer, company="Bluebird Media")
    assert checked(submit(other)).statement["verdict"] == "review"


def test_a_take_that_cannot_be_used_is_not_checked(consent: Consent) -> None:
    file = SimpleUploadedFile("take.wav", sample_wav("consent-slt")[:-100], content_type="audio/wav")
    take = submit_take(consent, file, Capture.LINK)
    assert not take.acceptable
    assert not TakeCheck.objects.exists()
    assert not Task.objects.filter(kind="check_take").exists()


def test_a_second_check_takes_the_place_of_the_first(consent: Consent) -> None:
    take = submit(consent)
    first = checked(take)
    ThresholdOverride.objects.create(
        provider=PROVIDER, name="too_quiet_dbfs", value=-1, reason="Nothing is loud enough."
    )
    check_take(str(take.pk))
    again = TakeCheck.objects.get(take=take)
    assert again.pk == first.pk
    assert "too_quiet" in {one["code"] for one in again.findings} - {one["code"] for one in first.findings}


def test_a_check_that_cannot_be_made_says_so(consent: Consent, monkeypatch: pytest.MonkeyPatch) -> None:
    take = submit(consent)

    def broken(*_: Any, **__: Any) -> None:
        raise OSError("The disk is gone.")

    monkeypatch.setattr("consent.services.take_checks.analyze_recording", broken)
    for _ in range(10):
        Task.objects.filter(status=TaskStatus.WAITING).update(due_at=take.created_at)
        do_tasks("check_take")
    check = TakeCheck.objects.get(take=take)
    assert "could not be checked automatically" in check.error
    assert check.checked_at
    handle_check_failure(str(uuid4()))


def test_a_check_that_was_given_up_can_be_made_after_all(consent: Consent) -> None:
    take = submit(consent)
    handle_check_failure(str(take.pk))
    assert TakeCheck.objects.get(take=take).error
    assert checked(take).error == ""


def test_a_second_check_that_fails_leaves_what_the_first_one_found(consent: Consent) -> None:
    take = submit(consent)
    before = checked(take)
    handle_check_failure(str(take.pk))
    after = TakeCheck.objects.get(take=take)
    assert (after.error, after.checked_at) == ("", before.checked_at)


def test_the_evidence_stays_as_it_came(consent: Consent) -> None:
    """No check touches the take, the consent or its history."""
    take = submit(consent)
    events = list(consent.events.values())
    before = Take.objects.values().get(pk=take.pk)
    checked(take)
    assert Take.objects.values().get(pk=take.pk) == before
    assert list(consent.events.values()) == events


def test_a_told_pronunciation_is_used(consent: Consent, monkeypatch: pytest.MonkeyPatch) -> None:
    Pronunciation.objects.create(name="Northlight", sounds_like="north light")
    Pronunciation.objects.create(name="Zyntrex", sounds_like="zin trecks")
    given: list[dict[str, str]] = []
    judge = statement.check_statement

    def watched(*args: Any, **more: Any) -> Any:
        given.append(more["sounds_like"])
        return judge(*args, **more)

    monkeypatch.setattr(statement, "check_statement", watched)
    checked(submit(consent))
    assert given == [{"Northlight": "north light"}]


# --- the voice of the take and the voice of the recordings ------------------------------------------------------


@pytest.fixture
def voice(talent: Talent, producer: User) -> Voice:
    made = create_voice(talent, "Warm", "en-US", Purpose.NARRATION, producer)
    for number in range(1, 5):
        name = f"slt-0{number}.wav"
        file = SimpleUploadedFile(name, sample_wav(name.removesuffix(".wav")), content_type="audio/wav")
        add_recording(made, file, producer)
    return made


def compare(voice: Voice) -> None:
    Task.objects.filter(kind="compare_recordings").update(due_at=voice.created_at)
    do_tasks("examine_recordings", "compare_recordings")
    Task.objects.filter(kind="compare_recordings").update(due_at=voice.created_at)
    do_tasks("compare_recordings")


@pytest.mark.parametrize(("who", "verdict"), [("consent-slt", "same"), ("consent-rms", "unsure")])
def test_the_take_is_compared_with_the_recordings(consent: Consent, voice: Voice, who: str, verdict: str) -> None:
    take = submit(consent, who)
    assert checked(take).speaker == {}
    compare(voice)
    told = TakeCheck.objects.get(take=take).speaker
    assert told["verdict"] == verdict
    assert told["compared_with"] == 4
    assert 0 < told["threshold"] < 1
    assert told["error_rate"] < 0.1
    assert "vector" not in str(told)


def test_a_new_take_is_compared_with_recordings_that_were_there_before(consent: Consent, voice: Voice) -> None:
    compare(voice)
    assert not Task.objects.filter(kind="compare_recordings", status=TaskStatus.WAITING).exists()
    check_take(str(submit(consent).pk))
    (task,) = Task.objects.filter(kind="compare_recordings", status=TaskStatus.WAITING)
    assert task.object_id == str(voice.pk)


def test_with_too_few_recordings_nothing_is_said(consent: Consent, voice: Voice) -> None:
    for row in voice.recordings.all()[1:]:
        delete_recording(row)
    take = submit(consent)
    checked(take)
    compare(voice)
    assert TakeCheck.objects.get(take=take).speaker["verdict"] == "unchecked"


def test_every_recording_is_examined_and_the_stranger_found(voice: Voice, producer: User) -> None:
    file = SimpleUploadedFile("guest.wav", sample_wav("rms-01"), content_type="audio/wav")
    guest, _new = add_recording(voice, file, producer, transcript="Dr. Smith said 50 % of it.")
    compare(voice)
    rows = Recording.objects.filter(voice=voice)
    assert all(row.analyzed_at and row.measures["speech_share"] > 0.3 for row in rows)
    assert all("dnsmos_overall" in row.measures["estimates"] for row in rows)
    strangers = [row for row in rows if "other_speaker" in {one["code"] for one in row.set_findings}]
    assert strangers == [guest]
    guest.refresh_from_db()
    assert any(one["code"].startswith("transcript_") for one in guest.findings)
    voice.refresh_from_db()
    assert voice.comparison["recordings"] == 5
    assert voice.comparison["text"].startswith("1 of 5")


def test_a_new_transcript_is_looked_at_anew(voice: Voice) -> None:
    compare(voice)
    row = voice.recordings.first()
    assert row
    set_transcript(row, "It costs 5 % more.")
    assert row.analyzed_at is None
    do_tasks("examine_recordings")
    row.refresh_from_db()
    assert row.analyzed_at
    assert any(one["code"].startswith("transcript_") for one in row.findings)
    set_transcript(row, "It costs five percent more.")
    do_tasks("examine_recordings")
    row.refresh_from_db()
    assert not any(one["code"].startswith("transcript_") for one in row.findings)
