"""Compares an import of many clips with a script of a few lines: `python -m tests.benchmarks.imports [CLIPS]` (2000).

The script opens each file, hashes it, decodes its samples, takes their peak and power, and stores a copy, without a
database. The import checks each file in a limited child, stores its rows and waveforms, then adds the recordings: once
from single files, and once from a ZIP. It prints the seconds, their ratio, and the memory that the task needs at most.
"""

import hashlib
import io
import os
import resource
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soundfile

from tests.benchmarks.archive import measure_processor_seconds
from tests.support.session import build_environment
from tests.support.wav import make_speech_like, make_wav_bytes

if TYPE_CHECKING:
    from voicehub.models import User
    from voices.models import Import, Voice

CLIPS = 2000
VARIANTS = 20
CLIP_SECONDS = 4.0
RATE = 44100


@contextmanager
def run_studio(folder: Path) -> Iterator[None]:
    """Set up a migrated database in the folder. Tasks are run by this process, so no queue is needed."""
    os.environ |= build_environment(folder) | {"VOICEHUB_LOG_LEVEL": "CRITICAL"}
    if os.environ.get("VOICEHUB_TEST_DATABASE") == "postgres":
        from tests.support.postgres import run_postgres

        with run_postgres() as url:
            os.environ["DATABASE_URL"] = url
            _migrate()
            yield
        return
    _migrate()
    yield


def _migrate() -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from voicehub import outbox
    from voicehub.management.commands.worker import spare_collections

    outbox.notify_queue = lambda task_id: None
    call_command("migrate", verbosity=0)
    spare_collections()  # as each worker does


def make_clips(count: int) -> Iterator[bytes]:
    """Clips with different bytes: each has its number in its first samples."""
    voices = [make_speech_like(CLIP_SECONDS, RATE, 90.0 + 4 * step) for step in range(VARIANTS)]
    for number in range(count):
        samples = voices[number % VARIANTS].copy()
        samples[:20] = [(number >> bit & 1) / 100 for bit in range(20)]
        yield make_wav_bytes(samples, rate=RATE)


def run_script(sources: list[Path], target: Path) -> None:
    for source in sources:
        data = source.read_bytes()
        name = hashlib.sha256(data).hexdigest()
        samples, _ = soundfile.read(io.BytesIO(data), dtype="float32")
        assert float(np.abs(samples).max()) > 0
        assert float(samples @ samples) > 0
        (target / name).write_bytes(data)


def run_zip_script(source: Path, target: Path) -> None:
    with zipfile.ZipFile(source) as archive:
        for name in archive.namelist():
            data = archive.read(name)
            samples, _ = soundfile.read(io.BytesIO(data), dtype="float32")
            assert float(np.abs(samples).max()) > 0
            assert float(samples @ samples) > 0
            (target / hashlib.sha256(data).hexdigest()).write_bytes(data)


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds by the clock, and of the processor, with those of finished children."""

    clock: float
    processor: float

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.clock + other.clock, self.processor + other.processor)

    def __str__(self) -> str:
        return f"{self.clock:6.2f} s ({self.processor:5.2f} s of processor)"


def measure(work: Callable[[], object]) -> Cost:
    clock, processor = time.perf_counter(), measure_processor_seconds()
    work()
    return Cost(time.perf_counter() - clock, measure_processor_seconds() - processor)


def run_import(paths: Sequence[Path]) -> tuple[Cost, Cost]:
    """The cost of the check, and that of the adding."""
    from voicehub.models import User
    from voices.services.imports import add, check
    from voices.services.imports.room import create_import

    producer = User.objects.get(username="paula")
    import_set = create_import(make_voice(producer), producer)
    add_files(import_set, paths)
    lease: Any = type("Lease", (), {"extend": lambda self: None})()

    def run_check() -> None:
        while check.check_import(str(import_set.pk), lease) is not None:
            pass

    checked = measure(run_check)
    add.start_adding(import_set, import_set.by)
    return checked, measure(lambda: add.add_import(str(import_set.pk), lease))


def add_files(import_set: "Import", paths: Sequence[Path]) -> None:
    """Store the files as a finished upload does."""
    from django.core.files import File

    from voices.models import ImportFile, ImportFileStatus

    for path in paths:
        size = path.stat().st_size
        file = ImportFile(import_set=import_set, name=path.name, size=size, received=size)
        file.status = ImportFileStatus.UPLOADED
        with path.open("rb") as content:
            file.file.save("file", File(content), save=False)
        file.save(force_insert=True)


def make_voice(producer: "User") -> "Voice":
    from consent.models import Purpose
    from tests.consent.rows import ConsentFactory
    from voices.models import Voice
    from voices.services.recordings.store import create_voice

    talent = ConsentFactory(producer).make_talent(f"Talent {Voice.objects.count()}", "t@people.test")
    return create_voice(talent, "Voice", "en-US", Purpose.NARRATION, producer)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else CLIPS
    write = sys.stdout.write
    with tempfile.TemporaryDirectory(prefix="voicehub-imports-") as name:
        folder = Path(name)
        (folder / "data").mkdir()
        with run_studio(folder / "data"):
            from voicehub.models import User
            from voices.models import Recording

            User.objects.create_superuser("paula", "paula@studio.test", "password")
            sources = [folder / f"{number:05}.wav" for number in range(count)]
            for source, data in zip(sources, make_clips(count), strict=True):
                source.write_bytes(data)
            packed = folder / "clips.zip"
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
                for source in sources:
                    archive.write(source, source.name)
            (folder / "copies").mkdir()
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            write(f"{count:,} clips of {CLIP_SECONDS:g} s, {RATE:,} Hz\n")
            for label, script, uploads in (
                ("single files", lambda: run_script(sources, folder / "copies"), sources),
                ("one ZIP", lambda: run_zip_script(packed, folder / "copies"), [packed]),
            ):
                lowest = measure(script)
                checked, added = run_import(uploads)
                total = checked + added
                write(f"{label}: script {lowest}, check {checked}, add {added}\n")
                ratios = total.clock / lowest.clock, total.processor / lowest.processor
                write(f"  ratio {ratios[0]:.2f} by the clock, {ratios[1]:.2f} of processor\n")
            assert Recording.objects.count() == 2 * count
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
            write(f"the task's memory grew by at most {grown / 1024:.0f} MB\n")


if __name__ == "__main__":
    main()
