"""Files of other kinds, archives, and recordings that are too long: all of it ends as clips, and nothing is lost."""

import io
import zipfile
from typing import Any

import numpy as np
import pytest
import soundfile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.fields.files import FieldFile

from consent.services import NotPossible
from tests.support.wav import sample_wav, wav_bytes
from tests.support.work import do_tasks
from tests.voices.rows import Studio, clip, upload
from voicehub import outbox
from voicehub.audio.riff import read_header
from voices import services
from voices.models import Recording, RecordingStatus, Voice
from voices.services.spec import spec_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.voice()


def as_flac(data: bytes) -> bytes:
    samples, rate = soundfile.read(io.BytesIO(data))
    out = io.BytesIO()
    soundfile.write(out, samples, rate, format="FLAC", subtype="PCM_24")
    return out.getvalue()


def stored(field: FieldFile) -> bytes:
    with field.open("rb") as file:
        return bytes(file.read())


def codes(findings: list[dict[str, Any]]) -> list[str]:
    return [one["code"] for one in findings]


def test_a_flac_is_kept_as_it_came_with_a_wav_beside_it(studio: Studio, voice: Voice) -> None:
    sent = as_flac(clip())
    recording, new = services.add_recording(voice, upload("line.flac", sent), studio.producer)
    assert (new, recording.status, recording.active) == (True, RecordingStatus.ACCEPTED, True)
    assert stored(recording.file) == sent
    made = stored(recording.sound)
    header = read_header(io.BytesIO(made))
    assert (header.sample_rate, header.frames) == (recording.sample_rate, round(recording.seconds * header.sample_rate))
    assert recording.sound_sha256 != recording.sha256
    assert recording.recipe["from_sha256"] == recording.sha256
    assert recording.recipe["original"]["container"] == "FLAC"
    assert recording.findings[0]["severity"] == "put_right"


def test_the_wav_that_was_made_is_what_a_build_sends(studio: Studio, voice: Voice) -> None:
    recording, _new = services.add_recording(voice, upload("line.flac", as_flac(clip())), studio.producer)
    build = studio.build(voice)
    sent = spec_of(build).clips[0].audio
    with sent.open() as file:
        assert file.read() == stored(recording.wav)


def test_a_damaged_wav_is_never_put_right_in_silence(studio: Studio, voice: Voice) -> None:
    recording, _new = services.add_recording(voice, upload("cut.wav", clip()[:-1000]), studio.producer)
    assert recording.status == RecordingStatus.REFUSED
    assert codes(recording.findings) == ["truncated"]
    assert not recording.wav


def test_what_is_no_sound_is_kept_and_says_so(studio: Studio, voice: Voice) -> None:
    recording, _new = services.add_recording(voice, upload("notes.wav", b"no sound at all"), studio.producer)
    assert recording.status == RecordingStatus.REFUSED
    assert codes(recording.findings) == ["not_sound"]
    assert stored(recording.file) == b"no sound at all"


def test_the_same_bytes_are_kept_once(studio: Studio, voice: Voice) -> None:
    flac = as_flac(clip())
    first, _new = services.add_recording(voice, upload("a.flac", flac), studio.producer)
    again, new = services.add_recording(voice, upload("b.flac", flac), studio.producer)
    assert (again.pk, new) == (first.pk, False)


# --- archives ---------------------------------------------------------------------------------------------------


def archive(files: dict[str, bytes]) -> SimpleUploadedFile:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        for name, data in files.items():
            zipped.writestr(name, data)
    return SimpleUploadedFile("session.zip", out.getvalue(), content_type="application/zip")


def test_an_archive_brings_its_recordings_and_their_transcripts(studio: Studio, voice: Voice) -> None:
    files = {
        "metadata.csv": b"one|The first line.\ntwo|The second line.\n",
        "one.wav": clip(1),
        "two.wav": clip(2),
        "three.flac": as_flac(clip(3)),
        "cut.wav": clip(4)[:-100],
        "notes.txt": b"Recorded on Tuesday.",
    }
    taken = services.add_archive(voice, archive(files), studio.producer)
    rows = {row.file_name: row for row in voice.recordings.all()}
    assert rows.keys() == {"one.wav", "two.wav", "three.flac"}
    assert (rows["one.wav"].transcript, rows["two.wav"].transcript) == ("The first line.", "The second line.")
    assert stored(rows["one.wav"].file) == clip(1)
    assert rows["three.flac"].usable
    assert {name: one["code"] for name, one in taken.refused} == {"cut.wav": "truncated", "notes.txt": "not_sound"}


def test_an_archive_that_was_sent_before_adds_nothing(studio: Studio, voice: Voice) -> None:
    services.add_archive(voice, archive({"one.wav": clip(1)}), studio.producer)
    again = services.add_archive(voice, archive({"one.wav": clip(1), "two.wav": clip(2)}), studio.producer)
    assert (len(again.recordings), again.known, voice.recordings.count()) == (1, 1, 2)


def test_a_hostile_archive_adds_nothing_and_says_why(studio: Studio, voice: Voice) -> None:
    taken = services.add_archive(voice, archive({"one.wav": clip(1), "../../two.wav": clip(2)}), studio.producer)
    assert not voice.recordings.exists()
    assert [one["severity"] for one in taken.findings] == ["refused"]


# --- cutting ----------------------------------------------------------------------------------------------------


def long_wav() -> bytes:
    """Over a minute of real speech with pauses."""
    parts = []
    for _ in range(4):
        for name in ("slt-01", "slt-02", "slt-03", "slt-04", "slt-05"):
            samples, _rate = soundfile.read(io.BytesIO(sample_wav(name)), dtype="int16")
            parts += [samples, np.zeros(8000, np.int16)]
    out = io.BytesIO()
    soundfile.write(out, np.concatenate(parts), 16000, format="WAV", subtype="PCM_16")
    return out.getvalue()


@pytest.fixture
def whole(studio: Studio, voice: Voice) -> Recording:
    recording, _new = services.add_recording(voice, upload("interview.wav", long_wav()), studio.producer)
    return recording


def test_a_recording_that_is_too_long_is_cut_in_its_pauses(studio: Studio, voice: Voice, whole: Recording) -> None:
    assert (whole.status, whole.too_long) == (RecordingStatus.REFUSED, True)
    services.cut_recording_later(whole, studio.producer)
    assert whole.status == RecordingStatus.CUTTING
    do_tasks("cut_recording")
    whole.refresh_from_db()
    assert whole.status == RecordingStatus.CUT
    pieces = list(whole.pieces.order_by("file_name"))
    assert len(pieces) > 5
    assert all(piece.usable and 1.5 <= piece.seconds <= 20 for piece in pieces)
    assert pieces[0].file_name == "interview-001.wav"
    assert {piece.recipe["from_sha256"] for piece in pieces} == {whole.sha256}
    ends = [piece.recipe["steps"][-1] for piece in pieces]
    assert all(a["end_frame"] <= b["start_frame"] for a, b in zip(ends, ends[1:], strict=False))
    first = ends[0]
    data = stored(whole.file)
    samples = data[read_header(io.BytesIO(data)).data_offset :]
    assert stored(pieces[0].file)[44:] == samples[2 * first["start_frame"] : 2 * first["end_frame"]]


def test_a_cut_that_is_done_twice_makes_no_clip_twice(studio: Studio, whole: Recording) -> None:
    services.cut_recording_later(whole, studio.producer)
    do_tasks("cut_recording")
    count = whole.pieces.count()
    Recording.objects.filter(pk=whole.pk).update(status=RecordingStatus.CUTTING)
    outbox.add("cut_recording", whole.pk)
    do_tasks("cut_recording")
    whole.refresh_from_db()
    assert (whole.status, whole.pieces.count()) == (RecordingStatus.CUT, count)


def test_nothing_else_can_be_cut(studio: Studio, voice: Voice, whole: Recording) -> None:
    good, _new = services.add_recording(voice, upload("good.wav"), studio.producer)
    broken, _new = services.add_recording(voice, upload("broken.wav", clip(5)[:-10]), studio.producer)
    for one in (good, broken):
        with pytest.raises(NotPossible):
            services.cut_recording_later(one, studio.producer)
    services.cut_recording_later(whole, studio.producer)
    with pytest.raises(NotPossible):
        services.cut_recording_later(whole, studio.producer)


def test_a_long_silence_stays_as_it_is_with_the_reason(studio: Studio, voice: Voice) -> None:
    data = wav_bytes(np.zeros(61 * 16000, np.float32))
    recording, _new = services.add_recording(voice, upload("silence.wav", data), studio.producer)
    services.cut_recording_later(recording, studio.producer)
    do_tasks("cut_recording")
    recording.refresh_from_db()
    assert recording.status == RecordingStatus.REFUSED
    assert "nothing_to_cut" in codes(recording.findings)
    assert not recording.pieces.exists()


def test_what_clips_were_cut_from_is_not_deleted(studio: Studio, whole: Recording) -> None:
    services.cut_recording_later(whole, studio.producer)
    do_tasks("cut_recording")
    with pytest.raises(NotPossible):
        services.delete_recording(whole)
