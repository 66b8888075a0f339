"""A check extends its lease at each step, also while it waits for one, and without it writes and deletes nothing."""

import sys
import threading
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.support.zips import ZipMember, build_zip
from tests.voices.import_rows import make_checked_import, make_import
from tests.voices.rows import Studio, make_clip
from tests.voices.services.imports.test_check import make_flac
from voicehub.outbox import LeaseLost
from voicehub.storage import private
from voices.models import Import, Voice
from voices.services.imports import check as check_service
from voices.services.imports import work as work_service
from voices.services.imports.work import ImportWork

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


class CountedLease:
    """Lets a step go on when it was extended that many times, and is lost then if it should be."""

    def __init__(self, needed: int, is_lost: bool = False) -> None:
        self.calls, self.needed, self.is_lost, self.go_on = 0, needed, is_lost, threading.Event()

    def extend(self) -> None:
        self.calls += 1
        if self.calls >= self.needed:
            self.go_on.set()
            if self.is_lost:
                raise LeaseLost("Another worker has it.")

    def wait(self) -> str:
        assert self.go_on.wait(30)
        return "done"

    def read(self) -> Generator[str, None, None]:
        yield "head"
        yield self.wait()


def test_lease_is_extended_while_a_result_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_service, "EXTEND_SECONDS", 0.001)
    lease, other = CountedLease(3), CountedLease(3)
    assert list(ImportWork(Import(), lease.extend).follow(lease.read())) == ["head", "done"]
    assert ImportWork(Import(), other.extend).wait_for(other.wait) == "done"
    assert lease.calls >= 3 and other.calls >= 3


def test_lost_lease_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_service, "EXTEND_SECONDS", 0.001)
    lease = CountedLease(2, is_lost=True)
    with pytest.raises(LeaseLost):
        list(ImportWork(Import(), lease.extend).follow(lease.read()))


def test_lease_is_extended_only_after_a_quarter_of_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    lease = CountedLease(99)
    work = ImportWork(Import(), lease.extend, extended=0.0)
    calls = []
    for now[0] in (1.0, work_service.EXTEND_SECONDS, work_service.EXTEND_SECONDS + 1, work_service.EXTEND_SECONDS * 2):
        work.keep_lease()
        calls.append(lease.calls)
    assert calls == [0, 1, 1, 2]


def test_each_step_of_a_check_keeps_the_lease(studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading a head, copying from the storage, a result, and storing a clip."""
    steps: Counter[str] = Counter()
    monkeypatch.setattr(ImportWork, "keep_lease", lambda _work: steps.update([sys._getframe(1).f_code.co_name]))
    members = [ZipMember(f"{number}.wav".encode(), make_clip(number)) for number in range(3)]
    archive = build_zip(*members, ZipMember(b"c.flac", make_flac()))
    files = {"a.wav": make_clip(8), "b.wav": make_clip(9), "x.zip": archive}
    assert make_checked_import(voice, studio.producer, files).clips.count() == 6
    # The results are those of 2 files, of the archive's head and 4 members, and of a conversion.
    assert steps == {"_read_kinds": 3, "_open_path": 2, "follow": 2 + 5 + 1, "store_clips": 6}


def test_worker_without_its_lease_stores_no_clip_and_leaves_the_files_to_the_next(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_set = make_import(voice, studio.producer, {"a.wav": make_clip(1), "b.wav": make_clip(2)})
    folder = Path(private().path(f"recordings/{voice.pk}"))

    def lose_lease(_work: Any) -> None:
        if list(folder.glob("*")):
            raise LeaseLost("Another worker has it.")

    monkeypatch.setattr(ImportWork, "keep_lease", lose_lease)
    lease: Any = CountedLease(99)
    with pytest.raises(LeaseLost):
        check_service.check_import(str(import_set.pk), lease)
    assert not import_set.clips.exists() and len(list(folder.glob("*"))) == 1
