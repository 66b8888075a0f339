"""Files of other kinds, archives, and recordings that are too long: all of it ends as clips, and nothing is lost."""

import hashlib
import io
import zipfile
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
import soundfile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.fields.files import FieldFile
from django.test import Client
from django.urls import reverse

from audio.wav.riff import read_header
from providers.types import Handover
from tests.support.wav import sample_wav, wav_bytes
from tests.support.work import do_tasks, no_file
from tests.voices.rows import Studio, make_clip, make_upload
from voicehub import outbox
from voicehub.models import Task, TaskStatus, ThresholdOverride
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import MAX_ATTEMPTS
from voices.models import Recording, RecordingStatus, Voice
from voices.services.builds.spec import make_build_spec
from voices.services.builds.start import start_build
from voices.services.recordings import store
from voices.services.recordings.archive_upload import add_archive
from voices.services.recordings.segment import enqueue_split, handle_split_failure, split_recording
from voices.services.recordings.store import add_recording, delete_recording

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


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
    sent = as_flac(make_clip())
    recording, new = add_recording(voice, make_upload("line.flac", sent), studio.producer)
    assert (new, recording.status, recording.active) == (True, RecordingStatus.ACCEPTED, True)
    assert (stored(recording.file), recording.size) == (sent, len(sent))
    made = stored(recording.sound)
    header = read_header(io.BytesIO(made))
    assert (header.sample_rate, header.frames) == (recording.sample_rate, round(recording.seconds * header.sample_rate))
    assert recording.sound_sha256 != recording.sha256
    assert recording.recipe["from_sha256"] == recording.sha256
    assert recording.recipe["original"]["container"] == "FLAC"
    assert recording.findings[0]["severity"] == "put_right"


def test_the_wav_that_was_made_is_what_a_build_sends(studio: Studio, voice: Voice) -> None:
    recording, _new = add_recording(voice, make_upload("line.flac", as_flac(make_clip())), studio.producer)
    build = studio.make_build(voice)
    sent = make_build_spec(build, no_file).clips[0].audio
    with sent.open() as file:
        assert file.read() == stored(recording.wav)


def test_listening_adds_to_what_was_put_right_in_the_language_of_the_voice(studio: Studio, voice: Voice) -> None:
    """An abbreviation of English is a word of German."""
    Voice.objects.filter(pk=voice.pk).update(language="de-DE")
    sent = make_upload("line.flac", as_flac(make_clip()))
    recording, _new = add_recording(voice, sent, studio.producer, transcript="Am 3. est. mit Corp. und Mut.")
    do_tasks("examine_recordings")
    recording.refresh_from_db()
    assert {"converted", "transcript_digits"} <= set(codes(recording.findings))
    assert "transcript_abbreviation" not in codes(recording.findings)


def test_a_damaged_wav_is_never_put_right_in_silence(studio: Studio, voice: Voice) -> None:
    recording, _new = add_recording(voice, make_upload("cut.wav", make_clip()[:-1000]), studio.producer)
    assert recording.status == RecordingStatus.REFUSED
    assert codes(recording.findings) == ["truncated"]
    assert not recording.wav


def test_what_is_no_sound_is_kept_and_says_so(studio: Studio, voice: Voice) -> None:
    recording, _new = add_recording(voice, make_upload("notes.wav", b"no sound at all"), studio.producer)
    assert recording.status == RecordingStatus.REFUSED
    assert codes(recording.findings) == ["not_sound"]
    assert stored(recording.file) == b"no sound at all"


def test_the_same_bytes_are_kept_once(studio: Studio, voice: Voice) -> None:
    flac = as_flac(make_clip())
    first, _new = add_recording(voice, make_upload("a.flac", flac), studio.producer)
    again, new = add_recording(voice, make_upload("b.flac", flac), studio.producer)
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
        "one.wav": make_clip(1),
        "two.wav": make_clip(2),
        "three.flac": as_flac(make_clip(3)),
        "cut.wav": make_clip(4)[:-100],
        "notes.txt": b"Recorded on Tuesday.",
    }
    taken = add_archive(voice, archive(files), studio.producer)
    rows = {row.file_name: row for row in voice.recordings.all()}
    assert rows.keys() == {"one.wav", "two.wav", "three.flac"}
    assert (rows["one.wav"].transcript, rows["two.wav"].transcript) == ("The first line.", "The second line.")
    assert stored(rows["one.wav"].file) == make_clip(1)
    assert rows["three.flac"].is_usable
    assert {name: one["code"] for name, one in taken.refused} == {"cut.wav": "truncated", "notes.txt": "not_sound"}


def test_an_archive_that_was_sent_before_adds_nothing(studio: Studio, voice: Voice) -> None:
    add_archive(voice, archive({"one.wav": make_clip(1)}), studio.producer)
    again = add_archive(voice, archive({"one.wav": make_clip(1), "two.wav": make_clip(2)}), studio.producer)
    assert (len(again.recordings), len(again.duplicates), voice.recordings.count()) == (1, 1, 2)


def test_what_is_there_already_is_not_converted_again(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So an archive whose answer was lost goes on where it ended."""
    files = {"one.flac": as_flac(make_clip(1)), "metadata.csv": b"one|The first line.\n"}
    add_archive(voice, archive(files), studio.producer)
    monkeypatch.setattr(
        "voices.services.recordings.archive_upload.ingest_audio", lambda *_: pytest.fail("it was looked at again")
    )
    assert len(add_archive(voice, archive(files), studio.producer).duplicates) == 1


def test_a_small_archive_does_not_fill_the_disk(studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sent again, it goes on with what is not there yet."""
    monkeypatch.setattr("voices.services.recordings.archive_upload.ARCHIVE_WAV_BYTES", len(make_clip(1)) + 1)
    files = {f"{number}.flac": as_flac(make_clip(number)) for number in (1, 2, 3)}
    taken = add_archive(voice, archive(files), studio.producer)
    assert [row.file_name for row in taken.recordings] == ["1.flac", "2.flac"]
    assert [(name, one["code"]) for name, one in taken.refused] == [("3.flac", "archive_too_big")]
    again = add_archive(voice, archive(files), studio.producer)
    assert (len(again.duplicates), [row.file_name for row in again.recordings]) == (2, ["3.flac"])


def test_a_hostile_archive_adds_nothing_and_says_why(studio: Studio, voice: Voice) -> None:
    taken = add_archive(voice, archive({"one.wav": make_clip(1), "../../two.wav": make_clip(2)}), studio.producer)
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
    recording, _new = add_recording(voice, make_upload("interview.wav", long_wav()), studio.producer)
    return recording


def test_a_recording_that_is_too_long_is_cut_in_its_pauses(studio: Studio, voice: Voice, whole: Recording) -> None:
    assert (whole.status, whole.is_too_long) == (RecordingStatus.REFUSED, True)
    enqueue_split(whole, studio.producer)
    assert whole.status == RecordingStatus.SPLITTING
    do_tasks("cut_recording")
    whole.refresh_from_db()
    assert whole.status == RecordingStatus.SPLIT
    pieces = list(whole.pieces.order_by("file_name"))
    assert len(pieces) > 5
    assert all(piece.is_usable and 1.5 <= piece.seconds <= 20 for piece in pieces)
    assert pieces[0].file_name == "interview-001.wav"
    assert {piece.recipe["from_sha256"] for piece in pieces} == {whole.sha256}
    ends = [piece.recipe["steps"][-1] for piece in pieces]
    assert all(a["end_frame"] <= b["start_frame"] for a, b in zip(ends, ends[1:], strict=False))
    first = ends[0]
    data = stored(whole.file)
    samples = data[read_header(io.BytesIO(data)).data_offset :]
    assert stored(pieces[0].file)[44:] == samples[2 * first["start_frame"] : 2 * first["end_frame"]]


def test_a_cut_that_is_done_twice_makes_no_clip_twice(studio: Studio, whole: Recording) -> None:
    enqueue_split(whole, studio.producer)
    do_tasks("cut_recording")
    count = whole.pieces.count()
    Recording.objects.filter(pk=whole.pk).update(status=RecordingStatus.SPLITTING)
    outbox.enqueue_task("cut_recording", whole.pk)
    do_tasks("cut_recording")
    whole.refresh_from_db()
    assert (whole.status, whole.pieces.count()) == (RecordingStatus.SPLIT, count)


def test_nothing_else_can_be_cut(studio: Studio, voice: Voice, whole: Recording) -> None:
    good, _new = add_recording(voice, make_upload("good.wav"), studio.producer)
    broken, _new = add_recording(voice, make_upload("broken.wav", make_clip(5)[:-10]), studio.producer)
    for one in (good, broken):
        with pytest.raises(ActionRefused):
            enqueue_split(one, studio.producer)
    enqueue_split(whole, studio.producer)
    with pytest.raises(ActionRefused):
        enqueue_split(whole, studio.producer)


def test_a_long_silence_stays_as_it_is_with_the_reason(studio: Studio, voice: Voice) -> None:
    data = wav_bytes(np.zeros(61 * 16000, np.float32))
    recording, _new = add_recording(voice, make_upload("silence.wav", data), studio.producer)
    enqueue_split(recording, studio.producer)
    do_tasks("cut_recording")
    recording.refresh_from_db()
    assert recording.status == RecordingStatus.REFUSED
    assert "nothing_to_cut" in codes(recording.findings)
    assert not recording.pieces.exists()


def test_what_clips_were_cut_from_is_not_deleted(studio: Studio, whole: Recording) -> None:
    enqueue_split(whole, studio.producer)
    do_tasks("cut_recording")
    with pytest.raises(ActionRefused):
        delete_recording(whole)


def test_what_is_being_cut_is_not_deleted(studio: Studio, whole: Recording) -> None:
    enqueue_split(whole, studio.producer)
    with pytest.raises(ActionRefused, match="being split"):
        delete_recording(Recording.objects.get(pk=whole.pk))
    do_tasks("cut_recording")
    assert whole.pieces.exists()


def test_cutting_that_is_given_up_can_be_asked_for_again(
    studio: Studio, whole: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueue_split(whole, studio.producer)

    def broken(*_: Any) -> None:
        raise OSError("The disk is gone.")

    with monkeypatch.context() as gone:
        gone.setattr("voices.services.recordings.segment.split_clip", broken)
        for _ in range(MAX_ATTEMPTS):
            Task.objects.filter(kind="cut_recording").update(due_at=whole.created_at)
            do_tasks("cut_recording")
    whole.refresh_from_db()
    assert (whole.status, whole.is_too_long) == (RecordingStatus.REFUSED, True)
    enqueue_split(whole, studio.producer)
    do_tasks("cut_recording")
    whole.refresh_from_db()
    assert whole.status == RecordingStatus.SPLIT


def test_cutting_what_is_gone_ends(whole: Recording) -> None:
    """However it went: a task must not go round for ever."""
    outbox.enqueue_task("cut_recording", whole.pk)
    Recording.objects.filter(pk=whole.pk).delete()
    do_tasks("cut_recording")
    assert Task.objects.get(kind="cut_recording").status == TaskStatus.DONE
    handle_split_failure(str(whole.pk))


def test_a_worker_that_was_killed_while_cutting_leaves_no_clip_out(
    studio: Studio, whole: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one goes on: every clip once, of those already there none again."""
    enqueue_split(whole, studio.producer)
    kept: list[Recording] = []

    def dies(*sent: Any) -> Any:
        if len(kept) == 3:
            raise SystemExit
        found = store.store_recording(*sent)
        kept.append(found[0])
        return found

    (task,) = Task.objects.filter(kind="cut_recording")
    with monkeypatch.context() as killed, pytest.raises(SystemExit):
        killed.setattr("voices.services.recordings.segment.store_recording", dies)
        outbox.run_task(str(task.pk))
    Task.objects.filter(pk=task.pk).update(lease=None, lease_until=None)
    assert whole.pieces.count() == 3
    do_tasks("cut_recording")
    whole.refresh_from_db()
    names = sorted(whole.pieces.values_list("file_name", flat=True))
    assert whole.status == RecordingStatus.SPLIT
    assert names == [f"interview-{number:03}.wav" for number in range(1, len(names) + 1)]
    assert {row.pk for row in kept} <= {row.pk for row in whole.pieces.all()}


def test_a_worker_whose_lease_is_over_cuts_no_further(studio: Studio, whole: Recording) -> None:
    enqueue_split(whole, studio.producer)
    (task,) = Task.objects.filter(kind="cut_recording")
    lease = outbox.claim_task(str(task.pk))
    assert lease
    Task.objects.filter(pk=task.pk).update(lease=uuid4())
    with pytest.raises(outbox.LeaseLost):
        split_recording(str(whole.pk), lease)
    whole.refresh_from_db()
    assert (whole.status, whole.pieces.exists()) == (RecordingStatus.SPLITTING, False)


def test_the_lease_is_kept_while_a_long_recording_is_heard(
    studio: Studio, whole: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By each megabyte: hours are heard before there is a first clip."""
    enqueue_split(whole, studio.producer)
    extended: list[int] = []
    counts: list[int] = []

    def keep(*sent: Any) -> None:
        counts.append(len(extended))
        store.store_recording(*sent)

    monkeypatch.setattr(outbox.Lease, "extend", lambda _: extended.append(1))
    monkeypatch.setattr("voices.services.recordings.segment.store_recording", keep)
    do_tasks("cut_recording")
    assert counts[0] > whole.size >> 20
    assert counts == sorted(set(counts)), "and by each clip"


def test_a_worker_that_loses_its_lease_halfway_keeps_no_further_clip(
    studio: Studio, whole: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueue_split(whole, studio.producer)
    (task,) = Task.objects.filter(kind="cut_recording")
    kept: list[Recording] = []

    def slow(*sent: Any) -> None:
        kept.append(store.store_recording(*sent)[0])
        Task.objects.filter(pk=task.pk).update(lease=uuid4())

    monkeypatch.setattr("voices.services.recordings.segment.store_recording", slow)
    outbox.run_task(str(task.pk))
    assert [row.pk for row in whole.pieces.all()] == [row.pk for row in kept] and len(kept) == 1


def test_a_flac_that_is_too_long_is_cut_out_of_its_wav(studio: Studio, voice: Voice) -> None:
    sent = as_flac(long_wav())
    recording, _new = add_recording(voice, make_upload("interview.flac", sent), studio.producer)
    assert recording.is_too_long
    enqueue_split(recording, studio.producer)
    do_tasks("cut_recording")
    piece = recording.pieces.order_by("file_name").first()
    assert piece and piece.recipe["from_sha256"] == hashlib.sha256(sent).hexdigest()
    assert [step["step"] for step in piece.recipe["steps"]] == ["decode", "round", "cut"]


def test_a_recording_goes_with_all_its_files(
    studio: Studio, voice: Voice, django_capture_on_commit_callbacks: Any
) -> None:
    recording, _new = add_recording(voice, make_upload("line.flac", as_flac(make_clip())), studio.producer)
    names = [str(recording.file.name), str(recording.wav.name)]
    assert all(map(recording.file.storage.exists, names))
    with django_capture_on_commit_callbacks(execute=True):
        delete_recording(recording)
    assert not any(map(recording.file.storage.exists, names))


def test_what_is_frozen_for_a_build_is_what_is_sent(studio: Studio, voice: Voice) -> None:
    studio.make_recordings(voice, 20)
    add_recording(voice, make_upload("line.flac", as_flac(make_clip(77))), studio.producer, "So many words.")
    build = start_build(voice, studio.account, "rapid", Handover.RECORDINGS, studio.producer)
    frozen = {str(row.recording_id): row.sha256 for row in build.recordings.all()}
    for sent in make_build_spec(build, no_file).clips:
        with sent.audio.open() as file:
            assert hashlib.sha256(file.read()).hexdigest() == frozen.pop(sent.key)
    assert not frozen


def test_how_channels_are_judged_is_set_in_the_admin(studio: Studio, voice: Voice) -> None:
    """One side 40 dB below the other is an open input, unless the studio says otherwise."""
    samples, rate = soundfile.read(io.BytesIO(make_clip()))
    out = io.BytesIO()
    soundfile.write(out, np.stack((samples, samples / 100), axis=1), rate, format="FLAC", subtype="PCM_24")
    first, _new = add_recording(voice, make_upload("a.flac", out.getvalue()), studio.producer)
    assert "channel_silent" in codes(first.findings)
    delete_recording(first)
    ThresholdOverride.objects.create(name="channel_silent_db", value=-60, reason="Our second microphone is far away.")
    again, _new = add_recording(voice, make_upload("a.flac", out.getvalue()), studio.producer)
    assert "channel_silent" not in codes(again.findings)


def test_lines_name_recordings_of_any_kind(studio: Studio, voice: Voice) -> None:
    files = {
        "metadata.csv": b"one|The first.\nTWO|The second.\n",
        "one.flac": as_flac(make_clip(1)),
        "TWO.WAV": make_clip(2),
    }
    taken = add_archive(voice, archive(files), studio.producer)
    assert not taken.findings
    assert set(voice.recordings.values_list("transcript", flat=True)) == {"The first.", "The second."}


def test_admin_sees_a_recording_with_a_wav_of_its_own(as_admin: Client, studio: Studio, voice: Voice) -> None:
    """But no address of the file, which on S3 would open it to whoever has it."""
    recording, _new = add_recording(voice, make_upload("line.flac", as_flac(make_clip())), studio.producer)
    page = as_admin.get(reverse("admin:voices_recording_change", args=[recording.pk]))
    assert recording.wav_sha256 in page.content.decode()
    assert str(recording.wav.name) not in page.content.decode()
