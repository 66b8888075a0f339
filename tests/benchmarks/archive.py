"""Compares the check of 1,000 clips in a stored ZIP with a plain loop over the same files:
`python -m tests.benchmarks.archive`.

The plain loop opens each extracted file with soundfile, reads its samples, and takes their peak and power, as a script
written in five minutes would. The check runs in a sandboxed child. It checks every byte of the archive, reads each file
with the strict reader and with libsndfile, hashes it, measures it, computes its peaks and reports the results.
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
from tests.support.wav import make_speech_like, make_wav_bytes

CLIPS = 1000
VARIANTS = 10
CLIP_SECONDS = 4.0
RATE = 44100
ROUNDS = 3


def run_plain_loop(paths: list[Path]) -> None:
    for path in paths:
        samples, _ = soundfile.read(path, dtype="float32")
        assert float(np.abs(samples).max()) > 0
        assert float(samples @ samples) > 0


def check_archive(path: Path) -> None:
    archive = read_archive(path)
    assert archive.ok
    assert all(member.ok for member in archive.members)


def check_two_archives_at_once(halves: list[Path]) -> None:
    """Check two archives at once in two children, each with half of the clips."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(check_archive, halves))


def measure_processor_seconds() -> float:
    """Processor seconds of this process and of its finished children."""
    processes = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, processes))


def measure_cost(work: Callable[[], None]) -> tuple[float, float]:
    """Return the lowest processor time and the lowest wall time of a few rounds, in seconds."""
    rounds = []
    for _ in range(ROUNDS):
        processor, clock = measure_processor_seconds(), time.perf_counter()
        work()
        rounds.append((measure_processor_seconds() - processor, time.perf_counter() - clock))
    processors, clocks = zip(*rounds, strict=True)
    return min(processors), min(clocks)


def pack_archive(path: Path, clips: list[Path]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for clip in clips:
            archive.write(clip, clip.name)
    return path


def main() -> None:
    with tempfile.TemporaryDirectory() as folder_name:
        folder = Path(folder_name)
        variants = [
            make_wav_bytes(make_speech_like(CLIP_SECONDS, RATE, 90.0 + 4 * step), rate=RATE) for step in range(VARIANTS)
        ]
        clips = [folder / f"{number:04}.wav" for number in range(CLIPS)]
        for number, clip in enumerate(clips):
            clip.write_bytes(variants[number % VARIANTS])
        whole = pack_archive(folder / "whole.zip", clips)
        halves = [pack_archive(folder / f"{half}.zip", clips[half::2]) for half in range(2)]
        loop = measure_cost(lambda: run_plain_loop(clips))
        one = measure_cost(lambda: check_archive(whole))
        two = measure_cost(lambda: check_two_archives_at_once(halves))
    write = sys.stdout.write
    write(f"{CLIPS:,} clips of {CLIP_SECONDS:g} s, {RATE:,} Hz, stored\n")
    write(f"plain loop    {loop[0]:6.2f} s of processor, {loop[1]:6.2f} s by the clock\n")
    write(f"one child     {one[0]:6.2f} s of processor, {one[1]:6.2f} s by the clock: ratio {one[0] / loop[0]:.2f}\n")
    write(f"two children  {two[0]:6.2f} s of processor, {two[1]:6.2f} s by the clock: {one[1] / two[1]:.2f} × one\n")


if __name__ == "__main__":
    main()
