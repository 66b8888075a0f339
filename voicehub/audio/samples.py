"""Samples out of a WAV file, in blocks, so that a long file never lies in memory as a whole."""

from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from voicehub.audio.findings import finding
from voicehub.audio.riff import BYTES_PER_FRAME, WavHeader, WavRefused

Int16 = NDArray[np.int16]
Float32 = NDArray[np.float32]

FULL_SCALE = 32768
LOADED_SECONDS = 30.0
"""A voice is known after half a minute; more would only cost memory."""


class Nameless:
    """A file without its name, for soundfile, which would believe the ending .raw and ask for a rate."""

    def __init__(self, file: BinaryIO) -> None:
        self.seek, self.read, self.tell = file.seek, file.read, file.tell


def ignore(_data: bytes) -> None:
    """For callers that want no look at the bytes."""


def blocks(file: BinaryIO, header: WavHeader, frames: int, seen: Callable[[bytes], object] = ignore) -> Iterator[Int16]:
    """All samples, `frames` at a time; `seen` gets their bytes. WavRefused if the file shrinks meanwhile."""
    file.seek(header.data_offset)
    left = header.frames * BYTES_PER_FRAME
    while left:
        data = file.read(min(left, frames * BYTES_PER_FRAME))
        if not data or len(data) % BYTES_PER_FRAME:
            raise WavRefused(finding("changed_while_read"))
        seen(data)
        left -= len(data)
        yield np.frombuffer(data, dtype="<i2")


def load(file: BinaryIO, header: WavHeader, max_seconds: float = LOADED_SECONDS) -> Float32:
    """The first `max_seconds` as float32 in -1..1, for `voiceprint`."""
    frames = min(header.frames, int(max_seconds * header.sample_rate))
    head = WavHeader(header.sample_rate, header.channels, header.bits, frames, header.data_offset)
    parts = [block.astype(np.float32) / FULL_SCALE for block in blocks(file, head, frames)]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)
