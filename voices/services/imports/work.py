"""The progress of a task on an import, in its row, for the page."""

import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from django.utils import timezone

from voicehub.retry_policy import LEASE
from voices.models import Import, WorkKind
from voices.services.work_samples import record_work

T = TypeVar("T")
# Seconds between two writes: often enough for a page, and seldom enough not to slow the work down.
WRITE_INTERVAL = 0.5
# Seconds between two extensions of the lease while nothing else renews it.
EXTEND_SECONDS = LEASE.total_seconds() / 4
# Results that a thread fetches at once. Waking it takes as long as reading a result of the child.
STEP_RESULTS = 10


@dataclass(slots=True)
class ImportWork:
    """Counts files of an import as done, and renews the lease, at most every WRITE_INTERVAL.

    A run goes on counting where the one before stopped, until `end` is called. `wav_room` is how many bytes the WAVs
    may take that are still to be converted.
    """

    import_set: Import
    extend_lease: Callable[[], None]
    written: float = field(default_factory=time.monotonic)
    started: float = field(default_factory=time.monotonic)
    run_units: int = 0
    extended: float = field(default_factory=time.monotonic)
    wav_room: int = 0

    def begin(self, left: int) -> None:
        """`left` files are still to be worked on."""
        row = self.import_set
        if row.work_started_at is None:
            row.work_started_at, row.work_done = timezone.now(), 0
        row.work_total = row.work_done + left
        self._write()

    def add_total(self, units: int) -> None:
        self.import_set.work_total += units

    def add_done(self, units: int) -> None:
        self.run_units += units
        self.import_set.work_done += units
        if time.monotonic() - self.written >= WRITE_INTERVAL:
            self._write()

    def end(self, kind: WorkKind) -> None:
        """All files are worked on. Learn how long this run took."""
        if self.run_units:
            record_work(kind, "", time.monotonic() - self.started, self.run_units)
        clear_work(self.import_set)

    def keep_lease(self) -> None:
        """Extend the lease if the last time was EXTEND_SECONDS ago. Called after each step of long work."""
        if time.monotonic() - self.extended >= EXTEND_SECONDS:
            self._extend()

    def follow(self, results: Generator[T, None, None]) -> Generator[T, None, None]:
        """Yield the results, and extend the lease while some are awaited. A thread makes them, without database."""
        with ThreadPoolExecutor(1) as pool:
            while found := wait_for_step(pool.submit(list, islice(results, STEP_RESULTS)), self._extend):
                for one in found:
                    self.keep_lease()
                    yield one

    def wait_for(self, call: Callable[[], T]) -> T:
        """Call in a thread, without database, and extend the lease meanwhile."""
        with ThreadPoolExecutor(1) as pool:
            return wait_for_step(pool.submit(call), self._extend)

    def _extend(self) -> None:
        self.extend_lease()
        self.extended = time.monotonic()

    def _write(self) -> None:
        self._extend()
        self.written = time.monotonic()
        row = self.import_set
        Import.objects.filter(pk=row.pk).update(
            work_done=row.work_done, work_total=row.work_total, work_started_at=row.work_started_at
        )


def wait_for_step(step: Future[T], extend: Callable[[], object]) -> T:
    """The result of what a thread does. The lease is extended meanwhile."""
    while not wait([step], EXTEND_SECONDS).done:
        extend()
    return step.result()


def start_work(import_set: Import, total: int = 0) -> None:
    """Show the work on the page before a task begins it."""
    Import.objects.filter(pk=import_set.pk).update(work_done=0, work_total=total, work_started_at=timezone.now())


def clear_work(import_set: Import) -> None:
    import_set.work_started_at = None
    Import.objects.filter(pk=import_set.pk).update(work_started_at=None)
