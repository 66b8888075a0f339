"""A cheap check of clips against its bare cost, and the deep look: `python -m tests.benchmarks.levels`.

The bare cost of a clip is reading its bytes, hashing them, and the numpy passes that its levels and outlines need,
over all samples at once, without a look at the header, without blocks, and without a word said about it.
"""

import hashlib
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from audio.analysis.analyze import analyze_recording
from audio.levels.inspection import DurationLimits, inspect_file
from audio.wav.riff import read_header
from tests.support.wav import pcm, speech_like, wav_bytes

CLIPS = 40
ROUNDS = 15
CLIP_SECONDS = 10.0
RATE = 44100
STEP = RATE // 50
HOUR = 3600
ANY_LENGTH = DurationLimits(0.0, 1e9)


def bare(path: Path, floats: np.ndarray[tuple[int], np.dtype[np.float32]]) -> None:
    data = path.read_bytes()
    hashlib.sha256(data).digest()
    samples = np.frombuffer(data, "<i2", offset=44)
    frames = len(samples) // STEP
    rows = floats[: frames * STEP].reshape(frames, STEP)
    np.copyto(rows, samples[: frames * STEP].reshape(frames, STEP))
    np.vecdot(rows, rows)
    rows @ np.ones(STEP, np.float32)
    for count in (frames, 400, 50 * round(CLIP_SECONDS)):
        edges = np.arange(count) * len(samples) // count
        np.minimum.reduceat(samples, edges)
        peak = np.maximum.reduceat(samples, edges).max()
    np.flatnonzero((samples >= peak * 0.999) | (samples <= -peak * 0.999))


def check(path: Path) -> None:
    with path.open("rb") as file:
        assert inspect_file(file, ANY_LENGTH).ok


def look_deep(path: Path) -> None:
    with path.open("rb") as file:
        analyze_recording(file, read_header(file))


def megabytes(work: Callable[[Path], None], path: Path) -> float:
    """The most memory that the process ever took, once this is done."""
    work(path)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def seconds(work: Callable[[Path], None], paths: list[Path]) -> float:
    start = time.process_time()
    for path in paths:
        work(path)
    return time.process_time() - start


def clips(folder: Path) -> list[Path]:
    paths = [folder / f"{number}.wav" for number in range(CLIPS)]
    for number, path in enumerate(paths):
        path.write_bytes(wav_bytes(speech_like(CLIP_SECONDS, RATE, pitch=90.0 + 4 * number), rate=RATE))
    return paths


def hour(path: Path) -> None:
    second = pcm(speech_like(1.0, 48000))
    size = len(second) * HOUR
    with path.open("wb") as out:
        out.write(wav_bytes(data=b"", rate=48000, data_size=size, riff_size=size + 36))
        for _ in range(HOUR):
            out.write(second)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        hour(folder / "hour.wav")
        first, cheap, deep = (megabytes(work, folder / "hour.wav") for work in (lambda path: None, check, look_deep))
        paths, floats = clips(folder), np.empty(round(CLIP_SECONDS * RATE), np.float32)
        pairs = [(seconds(check, paths), seconds(lambda path: bare(path, floats), paths)) for _ in range(ROUNDS)]
        best_deep = seconds(look_deep, paths) / CLIPS * 1e6
    best_check, best_bare = (min(times) / CLIPS * 1e6 for times in zip(*pairs, strict=True))
    ratio = float(np.median([one / other for one, other in pairs]))
    out = sys.stdout
    out.write(f"one clip of {CLIP_SECONDS:g} s: {best_check:.0f} µs, its bare cost {best_bare:.0f} µs\n")
    out.write(f"ratio {ratio:.2f} (median of {ROUNDS} rounds), {best_check / best_bare:.2f} (best of each)\n")
    out.write(f"the deep look takes {best_deep / 1e3:.0f} ms, {best_deep / best_check:.0f} times the cheap check\n")
    out.write(
        f"memory: {first:.0f} MB, {cheap:.0f} MB after a cheap check of an hour, {deep:.0f} MB after a deep look\n"
    )


if __name__ == "__main__":
    main()
