"""Parts of uploads: any split gives the same bytes, one of two at once counts, a broken connection loses nothing."""

import hashlib
import io
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from tests.support.task_runner import run_due_tasks
from tests.voices.rows import Studio
from tests.voices.uploads import read_stored
from voicehub.models import Task
from voicehub.refusals import ActionRefused
from voices.models import Import, ImportFile, ImportPart, ImportStatus
from voices.services.imports import uploads
from voices.services.imports.room import create_import
from voices.services.imports.rows import CHECK_TASK
from voices.services.imports.uploads import JOIN_TASK, OffsetConflict, append_part, create_upload, terminate_upload

one_database = pytest.mark.one_database


@pytest.fixture
def import_set(studio: Studio) -> Import:
    return create_import(studio.make_voice(talent=studio.make_talent()), studio.producer)


def load(file: ImportFile) -> ImportFile:
    """The row as another request sees it."""
    return ImportFile.objects.select_related("import_set").get(pk=file.pk)


def make_content(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)  # noqa: S311 - reproducible


def get_folder(import_set: Import) -> Path:
    storage = ImportPart._meta.get_field("content").storage
    assert isinstance(storage, FileSystemStorage)
    return Path(storage.location) / "imports" / str(import_set.pk)


def list_stored(import_set: Import) -> list[Path]:
    return [path for path in get_folder(import_set).rglob("*") if path.is_file()]


@pytest.mark.django_db
@one_database
@pytest.mark.parametrize("seed", range(20))
def test_any_split_with_any_repeated_part_gives_the_same_bytes(import_set: Import, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - reproducible
    content = make_content(chance.choice([1, 2, 1000, 64 << 10, (64 << 10) + 1, 300_000]), seed)
    file = create_upload(import_set, "a.wav", len(content))
    offset = 0
    while offset < len(content):
        if chance.random() < 0.3:  # a client that has lost an answer
            with pytest.raises(OffsetConflict):
                append_part(
                    load(file), chance.choice([offset + 1, max(offset - 1, 0) if offset else 7]), io.BytesIO(b"x")
                )
        end = min(
            offset + chance.choice([1, 7, 4096, 65536, 200_000]) if len(content) > 1000 else offset + 300, len(content)
        )
        offset = append_part(load(file), offset, io.BytesIO(content[offset:end]))
        assert offset == load(file).received == end
    run_due_tasks(JOIN_TASK)
    assert read_stored(file) == content
    assert (load(file).status, load(file).sha256) == ("uploaded", hashlib.sha256(content).hexdigest())
    assert [path.read_bytes() for path in list_stored(import_set)] == [content], "the parts are deleted"
    assert not ImportPart.objects.exists() and Task.objects.filter(kind=CHECK_TASK).count() == 1


@pytest.mark.django_db
@one_database
@pytest.mark.parametrize("size", [95, 100])
def test_single_bytes_make_few_parts(import_set: Import, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(uploads, "IMPORT_PART_BYTES", 10)
    content = make_content(size)
    file = create_upload(import_set, "a.wav", size)
    for offset in range(size - 1):
        append_part(load(file), offset, io.BytesIO(content[offset : offset + 1]))
    stored = list_stored(import_set)
    assert len(stored) == ImportPart.objects.count() == 10
    assert sum(path.stat().st_size for path in stored) == load(file).received == size - 1
    append_part(load(file), size - 1, io.BytesIO(content[-1:]))
    run_due_tasks(JOIN_TASK)
    assert read_stored(file) == content and load(file).sha256 == hashlib.sha256(content).hexdigest()
    assert len(list_stored(import_set)) == 1


@pytest.mark.django_db
@one_database
def test_short_parts_of_a_small_file_need_no_join(import_set: Import) -> None:
    file = create_upload(import_set, "a.wav", 9)
    for offset in range(9):
        append_part(load(file), offset, io.BytesIO(b"123456789"[offset : offset + 1]))
    assert read_stored(file) == b"123456789" and len(list_stored(import_set)) == 1
    assert not ImportPart.objects.exists() and not Task.objects.filter(kind=JOIN_TASK).exists()


@pytest.mark.django_db
@one_database
@pytest.mark.parametrize("damage", ["missing", "shorter"])
def test_short_part_that_is_lost_is_not_joined_with_the_next_one(import_set: Import, damage: str) -> None:
    """The file is not completed with other bytes: it is uploaded once more."""
    file = create_upload(import_set, "a.wav", 9)
    append_part(load(file), 0, io.BytesIO(b"1234"))
    (path,) = list_stored(import_set)
    path.unlink() if damage == "missing" else path.write_bytes(b"123")
    append_part(load(file), 4, io.BytesIO(b"56789"))
    run_due_tasks(JOIN_TASK)
    assert (load(file).status, load(file).received) == ("uploading", 0)
    append_part(load(file), 0, io.BytesIO(b"123456789"))
    assert read_stored(file) == b"123456789"


class BrokenStream(io.BytesIO):
    """A request whose client is gone after its content."""

    def read(self, size: int | None = -1, /) -> bytes:
        if block := super().read(size):
            return block
        raise ConnectionResetError("the client is gone")


@pytest.mark.django_db
@one_database
@pytest.mark.parametrize("stream", [BrokenStream, io.BytesIO])
@pytest.mark.parametrize("arrived", [0, 1, 100_000])
def test_broken_request_keeps_what_has_arrived(
    import_set: Import, stream: Callable[[bytes], Any], arrived: int
) -> None:
    content = make_content(200_000)
    file = create_upload(import_set, "a.wav", len(content))
    assert append_part(load(file), 0, stream(content[:arrived])) == arrived
    assert load(file).received == arrived
    append_part(load(file), arrived, io.BytesIO(content[arrived:]))
    run_due_tasks(JOIN_TASK)
    assert read_stored(file) == content


class CountingStream:
    """Endless zeros. Notes the largest block that was asked for."""

    largest = 0

    def read(self, size: int, /) -> bytes:
        self.largest = max(self.largest, size)
        return bytes(size)


@pytest.mark.django_db
@one_database
def test_stream_is_read_in_blocks_and_no_further_than_the_file(import_set: Import) -> None:
    file, stream = create_upload(import_set, "a.wav", 1_000_000), CountingStream()
    assert append_part(load(file), 0, stream) == 1_000_000
    assert stream.largest == 64 << 10
    assert read_stored(file) == bytes(1_000_000)


class MeetingStream(io.BytesIO):
    """The content of one of two requests. It begins once both requests have looked at the offset."""

    def __init__(self, content: bytes, barrier: threading.Barrier) -> None:
        super().__init__(content)
        self._wait = iter([barrier.wait])

    def read(self, size: int | None = -1, /) -> bytes:
        for wait in self._wait:
            wait(30)
        return super().read(size)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("size", [9, 5])
def test_one_of_two_parts_at_the_same_offset_counts(import_set: Import, size: int) -> None:
    """Also if both complete the file, or if they have different lengths."""
    file, barrier, results = create_upload(import_set, "a.wav", 9), threading.Barrier(2), list[Any]()

    def append(content: bytes) -> None:
        try:
            results.append(append_part(load(file), 0, MeetingStream(content, barrier)))
        except OffsetConflict as conflict:
            results.append(conflict)
        finally:
            connection.close()

    contents = [b"a" * size, b"b" * 9]
    threads = [threading.Thread(target=append, args=[content]) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    (end,) = [result for result in results if isinstance(result, int)]
    assert len(results) == 2 and load(file).received == end
    stored = [path.read_bytes() for path in list_stored(import_set)]
    assert len(stored) == 1 and stored[0] in contents and len(stored[0]) == end


@pytest.mark.django_db
@one_database
def test_part_of_an_import_that_ends_meanwhile_does_not_count(import_set: Import) -> None:
    file = create_upload(import_set, "a.wav", 9)

    class Ending(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            Import.objects.update(status=ImportStatus.DISCARDED)
            return super().read(size)

    with pytest.raises(OffsetConflict):
        append_part(load(file), 0, Ending(b"123456789"))
    assert load(file).received == 0 and list_stored(import_set) == [] and not ImportPart.objects.exists()
    with pytest.raises(ActionRefused):
        append_part(load(file), 0, io.BytesIO(b"1"))


@pytest.mark.django_db(transaction=True)
def test_part_of_a_removed_file_does_not_count(import_set: Import) -> None:
    file = create_upload(import_set, "a.wav", 9)

    class Removing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            for row in ImportFile.objects.filter(pk=file.pk):
                terminate_upload(row)
            return super().read(size)

    with pytest.raises(OffsetConflict):
        append_part(load(file), 0, Removing(b"123456789"))
    assert list_stored(import_set) == []


@pytest.mark.django_db
@one_database
def test_full_disk_stores_no_part_and_loses_none(import_set: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    file = create_upload(import_set, "a.wav", 9)
    append_part(load(file), 0, io.BytesIO(b"123"))
    save = FileSystemStorage._save  # type: ignore[attr-defined]  # not in the stubs

    def fill(self: Any, name: str, content: Any) -> str:
        save(self, name, content)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space"):
        patched.setattr(FileSystemStorage, "_save", fill)
        append_part(load(file), 3, io.BytesIO(b"456"))
    assert load(file).received == 3 and len(list_stored(import_set)) == 1 and ImportPart.objects.count() == 1
    append_part(load(file), 3, io.BytesIO(b"456789"))
    run_due_tasks(JOIN_TASK)
    assert read_stored(file) == b"123456789"


@given(st.text(max_size=60))
def test_any_name_becomes_a_path_without_steps_up(name: str) -> None:
    path = uploads.clean_path(name)
    assert path and path.isprintable() and len(path) <= 1000
    assert not set(path.split("/")) & {"", ".", ".."}
    assert uploads.clean_path(path) == path
