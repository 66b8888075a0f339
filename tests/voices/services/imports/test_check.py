"""The check of the files of an import."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support.task_runner import run_due_tasks
from tests.support.wav import make_speech_like, make_wav_bytes
from tests.support.zips import ZipMember, build_zip
from tests.voices.import_rows import add_files, check, make_checked_import, make_import
from tests.voices.rows import Studio, make_clip
from voices.models import Import, ImportClipState, ImportFileKind, ImportFileStatus, Recording, Voice
from voices.services.imports import archives
from voices.services.imports import check as check_service
from voices.services.imports import clips as clip_service
from voices.services.imports.clear import discard_import
from voices.services.imports.rows import CHECK_TASK
from voices.services.recordings.store import delete_recording

pytestmark = pytest.mark.django_db


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


def make_flac() -> bytes:
    import io

    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, make_speech_like(3.0, 44100, 120.0), 44100, format="FLAC")
    return buffer.getvalue()


def list_states(import_set: Import) -> dict[str, str]:
    return dict(import_set.clips.values_list("name", "status"))


def list_codes(import_set: Import, name: str) -> list[str]:
    return [finding["code"] for finding in import_set.clips.get(name=name).findings]


def test_each_kind_of_file_is_told_by_name_and_content(studio: Studio, voice: Voice) -> None:
    files = {
        "a.wav": make_clip(1), "b.bin": make_clip(2), "clips.zip": build_zip(), "list.csv": b"a|Words.\n",
        "a.reapeaks": b"RPKN", "sub/.DS_Store": b"\0", "cover.jpg": b"\xff\xd8\xff", "old.7z": b"7z\xbc\xaf\x27\x1c",
    }  # fmt: skip
    import_set = make_checked_import(voice, studio.producer, files)
    assert dict(import_set.files.values_list("name", "kind")) == {
        "a.wav": ImportFileKind.AUDIO, "b.bin": ImportFileKind.AUDIO, "clips.zip": ImportFileKind.ARCHIVE,
        "list.csv": ImportFileKind.TEXT, "a.reapeaks": ImportFileKind.SIDE, "sub/.DS_Store": ImportFileKind.SIDE,
        "cover.jpg": ImportFileKind.OTHER, "old.7z": ImportFileKind.ARCHIVE,
    }  # fmt: skip
    assert set(import_set.files.values_list("status", flat=True)) == {ImportFileStatus.CHECKED}
    (finding,) = import_set.files.get(name="old.7z").findings
    assert finding["code"] == "archive_other_format" and "7z" in finding["text"]


def test_clip_is_stored_as_the_recording_will_be(studio: Studio, voice: Voice) -> None:
    clip = make_checked_import(voice, studio.producer, {"sub/a.wav": make_clip(1)}).clips.get()
    with clip.file.open("rb") as stored:
        assert stored.read() == make_clip(1)
    assert clip.file.name == f"recordings/{voice.pk}/{clip.pk}.wav"
    assert (clip.status, clip.seconds, clip.is_usable) == (ImportClipState.READY, 4.0, True)
    assert clip.fine_peaks and clip.peaks and clip.levels["peak_dbfs"] < 0
    assert Path(clip.file.path).stat().st_mode & 0o777 == 0o600


def test_other_format_is_converted_beside_its_original(studio: Studio, voice: Voice) -> None:
    data = make_flac()
    files = {
        "a.flac": data,
        "clips.zip": build_zip(ZipMember(b"c.flac", data)),
    }
    import_set = make_checked_import(voice, studio.producer, files)
    for name in ("a.flac", "c.flac"):
        clip = import_set.clips.get(name=name)
        assert clip.wav.name == f"recordings/{voice.pk}/{clip.pk}.made.wav"
        assert clip.file.name == f"recordings/{voice.pk}/{clip.pk}.bin"
        with clip.wav.open("rb") as made, clip.file.open("rb") as original:
            assert made.read(4) == b"RIFF" and original.read() == data
        assert clip.recipe["original"]["container"] == "FLAC" and "converted" in list_codes(import_set, name)


def test_odd_file_refuses_only_itself(studio: Studio, voice: Voice) -> None:
    files = {
        "a.wav": make_clip(1), "broken.wav": b"RIFF\x04\0\0\0WAVE", "text.wav": b"no sound", "empty.wav": b"",
        "short.wav": make_wav_bytes(make_speech_like(0.4, 16000, 100.0)), "z.wav": make_clip(2),
    }  # fmt: skip
    import_set = make_checked_import(voice, studio.producer, files)
    states = list_states(import_set)
    assert {name for name, state in states.items() if state == ImportClipState.READY} == {"a.wav", "z.wav"}
    refused = import_set.clips.filter(status=ImportClipState.REFUSED)
    assert len(refused) == 4 and all(clip.findings and not clip.file for clip in refused)
    assert list_codes(import_set, "short.wav")[0] == "too_short"


def test_file_that_breaks_the_child_is_refused_and_the_others_are_checked(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its header promises samples that its conversion cannot hold in memory."""
    from audio.ingest_batch import IngestedFile, _run_child
    from audio.untrusted.runner import ChildFailed

    def break_at(paths: Any, *arguments: Any) -> Any:
        for path, result in zip(paths, _run_child(paths, *arguments), strict=False):
            if path.stat().st_size == 99:
                from audio.findings.findings import make_finding

                raise ChildFailed(make_finding("needed_too_much_memory"))
            assert isinstance(result, IngestedFile)
            yield result

    monkeypatch.setattr("audio.ingest_batch._run_child", break_at)
    files = {"a.wav": make_clip(1), "b.wav": b"x" * 99, "c.wav": make_clip(2)}
    import_set = make_checked_import(voice, studio.producer, files)
    assert list_states(import_set) == {"a.wav": "ready", "b.wav": "refused", "c.wav": "ready"}
    assert list_codes(import_set, "b.wav") == ["needed_too_much_memory"]


def test_recording_of_ten_minutes_is_ready_and_can_be_split_later(studio: Studio, voice: Voice) -> None:
    long = make_wav_bytes(make_speech_like(75.0, 8000, 100.0), rate=8000)
    clip = make_checked_import(voice, studio.producer, {"session.wav": long}).clips.get()
    assert (clip.status, clip.is_long, clip.is_usable) == (ImportClipState.READY, True, True)


def test_same_bytes_as_a_recording_of_the_voice_are_a_duplicate_without_files(studio: Studio, voice: Voice) -> None:
    (recording,) = studio.make_recordings(voice, 1)
    with recording.file.open("rb") as stored:
        clip = make_checked_import(voice, studio.producer, {"again.wav": stored.read()}).clips.get()
    assert (clip.status, clip.recording, bool(clip.file)) == (ImportClipState.DUPLICATE, recording, False)


def test_of_equal_files_the_one_with_a_transcript_stays(studio: Studio, voice: Voice) -> None:
    files = {"bad-duplicate.wav": make_clip(1), "line-06.wav": make_clip(1), "metadata.csv": b"line-06|The words.\n"}
    import_set = make_checked_import(voice, studio.producer, files)
    assert list_states(import_set) == {"bad-duplicate.wav": "duplicate", "line-06.wav": "ready"}
    assert import_set.clips.get(name="bad-duplicate.wav").twin == import_set.clips.get(name="line-06.wav")


def test_twin_that_comes_later_with_a_transcript_takes_the_place(studio: Studio, voice: Voice) -> None:
    import_set = make_checked_import(voice, studio.producer, {"a.wav": make_clip(1), "b.wav": make_clip(1)})
    assert list_states(import_set) == {"a.wav": "ready", "b.wav": "duplicate"}
    add_files(import_set, {"b.txt": b"The words."})
    check(import_set)
    assert list_states(import_set) == {"a.wav": "duplicate", "b.wav": "ready"}


def kill_second_batch(monkeypatch: pytest.MonkeyPatch, module: ModuleType, import_set: Import) -> list[int]:
    """Kill the check when `module` stores its second batch. Returns a list that gets the size of each batch."""
    stored: list[int] = []

    def store(*arguments: Any) -> int:
        if len(stored) == 1:
            stored.append(0)
            raise KeyboardInterrupt
        stored.append(len(arguments[1]))
        return clip_service.store_clips(*arguments)

    monkeypatch.setattr(module, "store_clips", store)
    lease: Any = type("Lease", (), {"extend": lambda self: None})()
    with pytest.raises(KeyboardInterrupt):
        check_service.check_import(str(import_set.pk), lease)
    return stored


def test_killed_check_loses_and_repeats_nothing(studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_service, "BATCH_SIZE", 2)
    import_set = make_import(voice, studio.producer, {f"{n}.wav": make_clip(n) for n in range(5)})
    stored = kill_second_batch(monkeypatch, check_service, import_set)
    assert import_set.clips.count() == 2
    check(import_set)
    assert stored == [2, 0, 2, 1]
    assert sorted(list_states(import_set)) == [f"{n}.wav" for n in range(5)]


def test_killed_archive_check_goes_on_with_the_members_that_are_not_stored(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "BATCH_SIZE", 2)
    members = [ZipMember(f"{n}.wav".encode(), make_clip(n)) for n in range(5)]
    import_set = make_import(voice, studio.producer, {"clips.zip": build_zip(*members)})
    stored = kill_second_batch(monkeypatch, archives, import_set)
    check(import_set)
    assert stored == [2, 0, 0, 2, 1]
    assert list_states(import_set) == {f"{n}.wav": "ready" for n in range(5)}
    assert all(clip.file.storage.exists(str(clip.file.name)) for clip in import_set.clips.all())


def test_second_worker_that_comes_too_late_deletes_no_stored_file(studio: Studio, voice: Voice) -> None:
    import_set = make_checked_import(voice, studio.producer, {"a.wav": make_clip(1)})
    clip = import_set.clips.get()
    file = import_set.files.get()
    sound = clip_service.CheckedSound(
        file, 0, file.name, True, True, {"sha256": clip.sha256, "size": clip.size, "seconds": 4.0}, Path(file.file.path)
    )
    from django.db import IntegrityError, transaction

    with pytest.raises(IntegrityError), transaction.atomic():
        clip_service.store_clips(import_set, [sound])
    assert clip.file.storage.exists(str(clip.file.name))


def test_import_discarded_during_the_check_leaves_no_file(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_set = make_import(voice, studio.producer, {"a.wav": make_clip(1)})

    def discard_first(*arguments: Any) -> int:
        discard_import(Import.objects.get(pk=import_set.pk))
        return clip_service.store_clips(*arguments)

    monkeypatch.setattr(check_service, "store_clips", discard_first)
    run_due_tasks(CHECK_TASK)
    assert not import_set.clips.exists()
    folder = Path(Recording(voice=voice).file.storage.path(f"recordings/{voice.pk}"))
    assert not list(folder.glob("*"))


def test_file_that_is_lost_from_the_storage_is_named(studio: Studio, voice: Voice) -> None:
    import_set = make_import(voice, studio.producer, {"a.wav": make_clip(1), "b.wav": make_clip(2)})
    lost = import_set.files.get(name="a.wav")
    lost.file.storage.delete(str(lost.file.name))
    check(import_set)
    lost.refresh_from_db()
    assert [finding["code"] for finding in lost.findings] == ["file_lost"]
    assert list_states(import_set) == {"b.wav": "ready"}


def test_progress_counts_each_file_once_and_ends(studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    from voices.services.imports import work

    monkeypatch.setattr(work, "WRITE_INTERVAL", 0.0)
    seen: list[tuple[int, int]] = []
    write = work.ImportWork._write

    def note(self: work.ImportWork) -> None:
        write(self)
        row = Import.objects.get(pk=self.import_set.pk)
        seen.append((row.work_done, row.work_total))

    monkeypatch.setattr(work.ImportWork, "_write", note)
    members = [ZipMember(f"{n}.wav".encode(), make_clip(n)) for n in range(3)]
    files = {"clips.zip": build_zip(*members), "a.wav": make_clip(9), "t.csv": b"a|Words.\n"}
    import_set = make_checked_import(voice, studio.producer, files)
    assert seen[0] == (0, 3) and seen[-1] == (6, 6)
    assert [done for done, _total in seen] == sorted(done for done, _total in seen)
    assert import_set.work_started_at is None


def test_duplicate_of_a_recording_that_is_deleted_meanwhile_is_not_added_without_a_file(
    studio: Studio, voice: Voice
) -> None:
    (recording,) = studio.make_recordings(voice, 1)
    with recording.file.open("rb") as stored:
        import_set = make_checked_import(voice, studio.producer, {"again.wav": stored.read()})
    delete_recording(recording)
    add_files(import_set, {"other.wav": make_clip(30)})
    check(import_set)
    assert list_states(import_set) == {"again.wav": "duplicate", "other.wav": "ready"}
