"""A recording of any length as a clip that a background task reads."""

import contextlib
import io
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from audio.datasets.clips import Clip
from audio.wav.riff import read_header
from voicehub.outbox import Lease
from voicehub.storage import BLOCK, open_local_path
from voices.models import Recording

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Report = Callable[[float], None]
# A voice has many short recordings, whose analysis reads each twice.
RENEWAL_SECONDS = 1.0


def ignore_share(_share: float) -> None:
    """A `Report` for work whose progress no page shows."""


@contextlib.contextmanager
def open_whole_clip(recording: Recording, lease: Lease, report: Report = ignore_share) -> Iterator[tuple[Clip, Path]]:
    """Yield the clip, and a temporary folder for what is made of it. `report` gets the share of the file that is read.

    Each read renews the lease: analyzing three hours of audio takes about a minute.
    """
    with tempfile.TemporaryDirectory(prefix="voicehub-cut-") as folder:
        path = Path(folder) / "whole.wav"
        with recording.sound.open("rb") as stored, path.open("wb") as copy:
            shutil.copyfileobj(stored, copy)
        with path.open("rb") as file:
            header = read_header(file)
        yield (
            Clip(
                recording.title,
                recording.sha256,
                header.sample_rate,
                header.frames,
                partial(_open_with_heartbeat, path, lease, report),
                tuple(recording.recipe.get("steps", ())),
            ),
            Path(folder),
        )


@contextlib.contextmanager
def open_sound(recording: Recording, lease: Lease) -> Iterator[BinaryIO]:
    """The WAV of a recording. It is read from a file on this machine, however long it is, and reads renew the lease.

    What the storage raises is raised here, and never while the file is read.
    """
    with (
        tempfile.TemporaryDirectory(prefix="voicehub-sound-") as folder,
        open_local_path(recording.sound, Path(folder)) as path,
        _open_with_heartbeat(path, lease, ignore_share, RENEWAL_SECONDS) as file,
    ):
        yield file


def _open_with_heartbeat(path: Path, lease: Lease, report: Report, pause: float = 0.0) -> BinaryIO:
    return io.BufferedReader(_HeartbeatFile(path, lease, report, pause), BLOCK)


class _HeartbeatFile(io.FileIO):
    """A file that reports its position on each read, and renews the lease, after a pause of so many seconds."""

    def __init__(self, path: Path, lease: Lease, report: Report, pause: float) -> None:
        super().__init__(path)
        self._pause = pause
        self._lease, self._report, self._size = lease, report, path.stat().st_size
        self._renewed_at = time.monotonic()

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        if time.monotonic() - self._renewed_at >= self._pause:
            self._lease.extend()
            self._renewed_at = time.monotonic()
        self._report(self.tell() / self._size)
        return super().readinto(buffer)
