"""A recording of any length as a clip that a background task reads."""

import contextlib
import io
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from audio.datasets.clips import Clip
from audio.wav.riff import read_header
from voicehub.outbox import Lease
from voicehub.storage import BLOCK
from voices.models import Recording

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Report = Callable[[float], None]


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


def _open_with_heartbeat(path: Path, lease: Lease, report: Report) -> BinaryIO:
    return io.BufferedReader(_HeartbeatFile(path, lease, report), BLOCK)


class _HeartbeatFile(io.FileIO):
    """A file that renews the lease and reports its position on each read."""

    def __init__(self, path: Path, lease: Lease, report: Report) -> None:
        super().__init__(path)
        self._lease, self._report, self._size = lease, report, path.stat().st_size

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        self._lease.extend()
        self._report(self.tell() / self._size)
        return super().readinto(buffer)
