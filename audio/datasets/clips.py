"""The WAV files that audio preparation reads and writes, with their recipes (the processing steps)."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from audio.findings.findings import make_finding
from audio.wav.convert import convert_to_temporary_wav, is_accepted_wav
from audio.wav.pcm import WavWriter
from audio.wav.recipe import Recipe, build_recipe
from audio.wav.riff import BYTES_PER_FRAME, FULL_SCALE, Float32, Int16, WavHeader, WavRefused, read_blocks, read_header

BLOCK_FRAMES = 1 << 15
HASH_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Clip:
    """A WAV that the strict reader accepts; each `open` returns a new file object.

    `sha256` is that of the original file. If the WAV was made from the original, `steps` are its processing steps.
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
        """Yield the samples from `start` to before `end` in blocks; WavRefused if the file has changed."""
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
        """Return the recipe (the processing steps) of a file that is made only from this clip."""
        return build_recipe(self.sha256, [*self.steps, *steps])


@dataclass(frozen=True, slots=True)
class WrittenClip:
    """A written WAV and its recipe."""

    path: Path
    header: WavHeader
    recipe: Recipe


def load_clip(path: Path) -> Clip:
    """Return the clip in a file; WavRefused if the strict reader does not accept it."""
    with path.open("rb") as file:
        header = read_header(file)
        file.seek(0)
        digest = hashlib.sha256()
        while block := file.read(HASH_BLOCK):
            digest.update(block)
    return Clip(path.stem, digest.hexdigest(), header.sample_rate, header.frames, lambda: path.open("rb"))


@contextmanager
def open_clip(path: Path) -> Iterator[Clip]:
    """Yield the clip in any sound file: from the file itself, or from a temporary WAV converted from it."""
    with path.open("rb") as file:
        is_accepted = is_accepted_wav(file)
    if is_accepted:
        yield load_clip(path)
        return
    with convert_to_temporary_wav(path) as converted:
        conversion_recipe = converted.recipe
        yield replace(
            load_clip(converted.path),
            name=path.stem,
            sha256=str(conversion_recipe["from_sha256"]),
            steps=tuple(conversion_recipe["steps"]),
        )


def write_wav(target: Path, rate: int, samples: Iterable[Int16], recipe: Recipe) -> WrittenClip:
    """Write a WAV to a file that must not exist yet; on failure it is deleted."""
    with target.open("xb") as file:
        try:
            writer = WavWriter(file, rate)
            for block in samples:
                writer.write(block)
            writer.close()
        except BaseException:
            target.unlink()
            raise
    with target.open("rb") as written:
        return WrittenClip(target, read_header(written), recipe)
