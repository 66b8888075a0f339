"""1,000 clips out of a stored ZIP, through the limited child, against a plain loop over the same files: `python -m
tests.benchmarks.archive`.

The plain loop opens each extracted file with soundfile, reads its samples, and takes their peak and power: what a
script does that somebody writes in five minutes. The child checks every byte of the archive, reads each file strictly
and with a second reader, hashes it, measures it, draws its outlines and tells all that.
"""

import resource
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import soundfile

from audio.archives.read import read_archive
from tests.support.wav import speech_like, wav_bytes

CLIPS = 1000
VARIANTS = 10
CLIP_SECONDS = 4.0
RATE = 44100
ROUNDS = 3


def plain(paths: list[Path]) -> None:
    for path in paths:
        samples, _ = soundfile.read(path, dtype="float32")
        assert float(np.abs(samples).max()) > 0
        assert float(samples @ samples) > 0


def checked(path: Path) -> None:
    archive = read_archive(path)
    assert archive.ok
    assert all(member.ok for member in archive.members)


def both(halves: list[Path]) -> None:
    """Two children at once, each with half of the clips."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(checked, halves))


def used() -> float:
    """Processor seconds of this process and of the children that have ended."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(one.ru_utime + one.ru_stime for one in map(resource.getrusage, kinds))


def cost(work: Callable[[], None]) -> tuple[float, float]:
    """The least of a few rounds, in seconds: of the processors, and by the clock."""
    rounds = []
    for _ in range(ROUNDS):
        processor, clock = used(), time.perf_counter()
        work()
        rounds.append((used() - processor, time.perf_counter() - clock))
    processors, clocks = zip(*rounds, strict=True)
    return min(processors), min(clocks)


def pack(path: Path, clips: list[Path]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for clip in clips:
            archive.write(clip, clip.name)
    return path


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        variants = [wav_bytes(speech_like(CLIP_SECONDS, RATE, 90.0 + 4 * one), rate=RATE) for one in range(VARIANTS)]
        clips = [folder / f"{number:04}.wav" for number in range(CLIPS)]
        for number, clip in enumerate(clips):
            clip.write_bytes(variants[number % VARIANTS])
        whole = pack(folder / "whole.zip", clips)
        halves = [pack(folder / f"{half}.zip", clips[half::2]) for half in range(2)]
        loop, one, two = cost(lambda: plain(clips)), cost(lambda: checked(whole)), cost(lambda: both(halves))
    out = sys.stdout
    out.write(f"{CLIPS:,} clips of {CLIP_SECONDS:g} s, {RATE:,} Hz, stored\n")
    out.write(f"plain loop    {loop[0]:6.2f} s of processor, {loop[1]:6.2f} s by the clock\n")
    out.write(
        f"one child     {one[0]:6.2f} s of processor, {one[1]:6.2f} s by the clock: ratio {one[0] / loop[0]:.2f}\n"
    )
    out.write(
        f"two children  {two[0]:6.2f} s of processor, {two[1]:6.2f} s by the clock: {one[1] / two[1]:.2f} × one\n"
    )


if __name__ == "__main__":
    main()
