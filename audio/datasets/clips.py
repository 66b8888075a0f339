"""What goes into preparing, and what comes out: WAV files with how they were made."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from audio.findings.findings import make_finding
from audio.wav.convert import Recipe, build_recipe, convert_to_temporary_wav, is_accepted_wav
from audio.wav.pcm import WavWriter
from audio.wav.riff import BYTES_PER_FRAME, FULL_SCALE, Float32, Int16, WavHeader, WavRefused, read_blocks, read_header

BLOCK_FRAMES = 1 << 15
HASH_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Clip:
    """A WAV that the strict reader takes; `open` gives a file of its own each time.

    `sha256` is that of the file that it came as. If that was another one, `steps` say how this was made of it.
    """

    name: str
    sha256: str
    rate: int
    frames: int
    open: Callable[[], BinaryIO]
    steps: tuple[Mapping[str, Any], ...] = ()

    @property
    def seconds(self) -> float:
        return self.frames / self.rate

    def read_samples(self, start: int = 0, end: int | None = None) -> Iterator[Int16]:
        """The samples from `start` to before `end`, in blocks; WavRefused if it is not any more what it was."""
        last = self.frames if end is None else end
        with self.open() as file:
            header = read_header(file)
            if (header.sample_rate, header.frames) != (self.rate, self.frames):
                raise WavRefused(make_finding("changed_while_read"))
            offset = header.data_offset + start * BYTES_PER_FRAME
            yield from read_blocks(file, replace(header, frames=last - start, data_offset=offset), BLOCK_FRAMES)

    def read_floats(self) -> Iterator[Float32]:
        return (block.astype(np.float32) / np.float32(FULL_SCALE) for block in self.read_samples())

    def make_recipe(self, *steps: Mapping[str, Any]) -> Recipe:
        """How something was made of this alone."""
        return build_recipe(self.sha256, [*self.steps, *steps])


@dataclass(frozen=True, slots=True)
class WrittenClip:
    """A WAV that was made, and how."""

    path: Path
    header: WavHeader
    recipe: Recipe


def load_clip(path: Path) -> Clip:
    """The clip in a file; WavRefused if the strict reader does not take it."""
    with path.open("rb") as file:
        header = read_header(file)
        file.seek(0)
        total = hashlib.sha256()
        while block := file.read(HASH_BLOCK):
            total.update(block)
    return Clip(path.stem, total.hexdigest(), header.sample_rate, header.frames, lambda: path.open("rb"))


@contextmanager
def open_clip(path: Path) -> Iterator[Clip]:
    """The clip in any sound file: in the file itself, or in a WAV that is made of it for as long as this lasts."""
    with path.open("rb") as file:
        ours = is_accepted_wav(file)
    if ours:
        yield load_clip(path)
        return
    with convert_to_temporary_wav(path) as derived:
        how = derived.recipe
        yield replace(
            load_clip(derived.path), name=path.stem, sha256=str(how["from_sha256"]), steps=tuple(how["steps"])
        )


def write_wav(target: Path, rate: int, samples: Iterable[Int16], recipe: Recipe) -> WrittenClip:
    """Write a WAV to a file that must not exist yet; if that fails there is none afterwards."""
    with target.open("xb") as file:
        try:
            writer = WavWriter(file, rate)
            for block in samples:
                writer.write(block)
            writer.close()
        except BaseException:
            target.unlink()
            raise
    with target.open("rb") as made:
        return WrittenClip(target, read_header(made), recipe)
