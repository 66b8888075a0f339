"""Files of clips that no row names are deleted, and those of recordings never."""

from pathlib import Path
from typing import Any

import pytest

from audio.archives.read import stream_archive
from audio.findings.findings import make_finding
from audio.untrusted.runner import ChildFailed
from tests.support.task_runner import run_due_tasks
from tests.support.zips import ZipMember, build_zip
from tests.voices.import_rows import add, check, make_checked_import, make_import
from tests.voices.rows import Studio, make_clip
from voicehub.refusals import ActionRefused
from voicehub.storage import private
from voices.models import Import, ImportFileStatus, ImportStatus, Voice
from voices.services.imports import archives, choices, work
from voices.services.imports import check as check_service
from voices.services.imports import clips as clip_service
from voices.services.imports.add import start_adding
from voices.services.imports.clear import CLEAR_TASK, discard_import

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
PACKED = build_zip(
    *(ZipMember(f"{number}.wav".encode(), make_clip(number)) for number in range(3)),
    ZipMember(b"metadata.csv", b"0|Words.\n" + b"none|Some words that nothing has.\n" * 400),
)


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


@pytest.fixture
def import_set(studio: Studio, voice: Voice) -> Import:
    """The checked import of an archive."""
    return make_checked_import(voice, studio.producer, {"x.zip": PACKED})


def list_sounds(voice: Voice) -> list[str]:
    folder = Path(private().path(f"recordings/{voice.pk}"))
    return sorted(path.name for path in folder.glob("*"))


def list_texts(import_set: Import) -> list[str]:
    return [path.name for path in Path(private().path(f"imports/{import_set.pk}")).rglob("*.text")]


def make_partly_added(import_set: Import) -> None:
    """Its clips were added, then the task failed before its end."""
    start_adding(import_set, import_set.by)
    add(import_set)
    Import.objects.filter(pk=import_set.pk).update(status=ImportStatus.OPEN)


def test_archive_with_added_clips_is_not_read_in_another_code_page(voice: Voice, import_set: Import) -> None:
    make_partly_added(import_set)
    before = list_sounds(voice)
    file = import_set.files.get()
    with pytest.raises(ActionRefused, match="discard this import"):
        choices.choose_code_page(file, "cp866")
    check(import_set)
    assert list_sounds(voice) == before and len(before) == 3
    file.refresh_from_db()
    assert file.status == ImportFileStatus.CHECKED and import_set.clips.filter(status="added").count() == 3


def test_check_deletes_no_file_of_a_recording(voice: Voice, import_set: Import) -> None:
    """Not even if the rows of the clips say nothing of it."""
    make_partly_added(import_set)
    before = list_sounds(voice)
    import_set.clips.all().delete()
    import_set.files.update(status=ImportFileStatus.UPLOADED, chosen_code_page="cp866")
    check_service.check_import(str(import_set.pk), make_lease())
    assert import_set.clips.count() == 3 and list_sounds(voice) == before


def make_lease() -> Any:
    return type("Lease", (), {"extend": lambda self: None})()


def test_request_deletes_no_file_and_the_check_deletes_the_old_ones(
    voice: Voice, import_set: Import, django_capture_on_commit_callbacks: Any
) -> None:
    sounds, texts = list_sounds(voice), list_texts(import_set)
    assert len(sounds) == 3 and len(texts) == 1
    with django_capture_on_commit_callbacks(execute=True):
        choices.choose_code_page(import_set.files.get(), "cp866")
    assert list_sounds(voice) == sounds and list_texts(import_set) == texts
    # The earlier check stored this clip under another name.
    folder = Path(private().path(f"recordings/{voice.pk}"))
    (folder / sounds[0]).rename(folder / sounds[0].replace(".wav", ".bin"))
    check(import_set)
    assert list_sounds(voice) == sounds
    assert len(list_texts(import_set)) == 1 and list_texts(import_set) != texts


def test_repeated_check_that_is_killed_keeps_what_it_stored(
    voice: Voice, import_set: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "BATCH_SIZE", 2)
    sounds = list_sounds(voice)
    choices.choose_code_page(import_set.files.get(), "cp866")
    with monkeypatch.context() as patch:
        patch.setattr(archives, "mark_checked", kill)
        with pytest.raises(KeyboardInterrupt):
            check_service.check_import(str(import_set.pk), make_lease())
    check(import_set)
    assert import_set.clips.count() == 3 and list_sounds(voice) == sounds


def kill(*_arguments: Any, **_fields: Any) -> None:
    raise KeyboardInterrupt


def test_archive_that_is_refused_after_some_clips_leaves_none_of_their_files(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "BATCH_SIZE", 1)
    monkeypatch.setattr(work, "STEP_RESULTS", 1)
    stored: list[int] = []

    def break_at_end(*arguments: Any) -> Any:
        yield from stream_archive(*arguments)
        stored.append(len(list_sounds(voice)))
        raise ChildFailed(make_finding("archive_truncated"))

    monkeypatch.setattr(archives, "stream_archive", break_at_end)
    import_set = make_checked_import(voice, studio.producer, {"x.zip": PACKED})
    assert stored == [3] and not import_set.clips.exists() and list_sounds(voice) == []
    assert import_set.files.get().status == ImportFileStatus.CHECKED and list_texts(import_set) == []


@pytest.mark.parametrize("name", ["a.wav", "x.zip"])
def test_files_of_a_killed_worker_are_deleted_with_the_import(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    recordings = studio.make_recordings(voice, 2)
    other = make_checked_import(voice, studio.producer, {"other.wav": make_clip(50)})
    kept = list_sounds(voice)
    import_set = make_import(voice, studio.producer, {name: PACKED if name == "x.zip" else make_clip(9)})
    with monkeypatch.context() as patch:
        patch.setattr(clip_service, "lock_open", kill)
        patch.setattr(clip_service, "_delete_unstored", lambda _clips: None)
        with pytest.raises(KeyboardInterrupt):
            check_service.check_import(str(import_set.pk), make_lease())
    assert len(list_sounds(voice)) > len(kept) and not import_set.clips.exists()
    discard_import(import_set)
    run_due_tasks(CLEAR_TASK)
    assert list_sounds(voice) == kept and len(kept) == len(recordings) + other.clips.count()


def test_file_of_a_clip_that_became_a_duplicate_is_deleted_with_the_import(voice: Voice, import_set: Import) -> None:
    """A check that is repeated may find that the voice has the bytes by now: then its row names no file."""
    import_set.clips.update(file="", status="duplicate")
    discard_import(import_set)
    run_due_tasks(CLEAR_TASK)
    assert list_sounds(voice) == []
