"""Checks leave unusable recordings out of builds. The choice of a person stands, whatever a later check finds."""

from typing import Any

import numpy as np
import pytest

from audio.findings.catalog import CODES, EXCLUSION_LABELS
from audio.findings.findings import make_finding
from tests.support.wav import make_wav_bytes
from tests.voices.rows import Studio, make_clip, make_upload
from voices.models import InclusionSource, Recording, Voice
from voices.services.recordings.figures import update_figures
from voices.services.recordings.inclusion import leave_out, update_inclusion
from voices.services.recordings.store import add_recording, set_active

pytestmark = pytest.mark.django_db

OTHER_SPEAKER = make_finding("other_speaker", score=0.1, limit=0.4).as_dict()
SAME_SOUND = make_finding("same_sound", others="line-001.wav").as_dict()
OTHER_WORDS = make_finding("same_sound_other_words", others="line-001.wav").as_dict()
NOISY = make_finding("noisy", snr=9.0).as_dict()


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


def judge(voice: Voice, findings: dict[Recording, dict[str, Any]]) -> dict[str, tuple[bool, str, str]]:
    """Store one comparison finding for each of these recordings, and judge the voice. Its decisions by file name."""
    for row, finding in findings.items():
        Recording.objects.filter(pk=row.pk).update(set_findings=[finding])
        update_figures(Recording.objects.filter(pk=row.pk))
    update_inclusion(voice.recordings.all())
    return list_decisions(voice)


def list_decisions(voice: Voice) -> dict[str, tuple[bool, str, str]]:
    return {row.file_name: (row.active, row.active_by, row.exclusion_code) for row in voice.recordings.all()}


def test_every_code_that_leaves_out_has_a_reason() -> None:
    assert {code for code, template in CODES.items() if template.exclusion} == set(EXCLUSION_LABELS)


def test_silent_upload_is_left_out_at_once(studio: Studio, voice: Voice) -> None:
    row, _new = add_recording(voice, make_upload("silent.wav", make_wav_bytes(np.zeros(48000))), studio.producer)
    row.refresh_from_db()
    assert (row.status, row.active, row.active_by, row.exclusion_code) == ("accepted", False, "check", "silent")


def test_other_speaker_is_left_out_and_returns_when_the_finding_is_gone(studio: Studio, voice: Voice) -> None:
    first, second = studio.make_recordings(voice, 2)
    assert judge(voice, {second: OTHER_SPEAKER}) == {
        first.file_name: (True, "", ""),
        second.file_name: (False, "check", "other_speaker"),
    }
    assert judge(voice, {second: NOISY})[second.file_name] == (True, "", "")


def test_choice_of_a_person_stands_against_every_check(studio: Studio, voice: Voice) -> None:
    bad, good = studio.make_recordings(voice, 2)
    judge(voice, {bad: OTHER_SPEAKER})
    bad.refresh_from_db()
    set_active(bad, True)
    set_active(good, False)
    assert judge(voice, {bad: OTHER_SPEAKER}) == {
        bad.file_name: (True, "person", ""),
        good.file_name: (False, "person", ""),
    }


def test_leaving_out_many_is_the_choice_of_a_person(studio: Studio, voice: Voice) -> None:
    first, second, third = studio.make_recordings(voice, 3)
    assert leave_out(voice.recordings.exclude(pk=third.pk)) == 2
    update_inclusion(voice.recordings.all())
    assert {row.file_name for row in voice.recordings.filter(active=False, active_by=InclusionSource.PERSON)} == {
        first.file_name,
        second.file_name,
    }


def make_copies(studio: Studio, voice: Voice, *transcripts: str) -> list[Recording]:
    """Recordings with the same samples in different files."""
    data = make_clip(7)
    uploads = [
        make_upload(f"copy-{n}.wav", data + b"LIST" + bytes([2 + 2 * n, 0, 0, 0]) + bytes(2 + 2 * n))
        for n in range(len(transcripts))
    ]
    return [
        add_recording(voice, upload, studio.producer, transcript=text)[0]
        for upload, text in zip(uploads, transcripts, strict=True)
    ]


def test_of_copies_the_one_with_a_transcript_stays(studio: Studio, voice: Voice) -> None:
    rows = make_copies(studio, voice, "", "The north wind.", "The north wind.")
    decisions = judge(voice, dict.fromkeys(rows, SAME_SOUND))
    assert [decisions[row.file_name] for row in rows] == [
        (False, "check", "same_sound"),
        (True, "", ""),
        (False, "check", "same_sound"),
    ]


def test_copy_that_a_person_chose_stays_alone(studio: Studio, voice: Voice) -> None:
    first, second = make_copies(studio, voice, "", "The north wind.")
    set_active(first, True)
    decisions = judge(voice, dict.fromkeys([first, second], SAME_SOUND))
    assert [decisions[row.file_name][0] for row in (first, second)] == [True, False]


def test_copies_with_different_transcripts_wait_for_a_person(studio: Studio, voice: Voice) -> None:
    rows = make_copies(studio, voice, "The north wind.", "The sun.", "")
    decisions = judge(voice, {rows[0]: OTHER_WORDS, rows[1]: OTHER_WORDS, rows[2]: SAME_SOUND})
    assert [decisions[row.file_name][0] for row in rows] == [True, True, False]


def test_copy_judged_alone_stays_out(studio: Studio, voice: Voice) -> None:
    first, second = make_copies(studio, voice, "The north wind.", "")
    judge(voice, dict.fromkeys([first, second], SAME_SOUND))
    update_inclusion(Recording.objects.filter(pk=second.pk))
    update_inclusion(Recording.objects.filter(pk=first.pk))
    assert [row.active for row in voice.recordings.order_by("file_name")] == [True, False]
