"""Compares the level check of clips with its bare cost and with the full analysis: `python -m tests.benchmarks.levels`.

The bare cost of a clip is the time to read its bytes, to hash them, and for the numpy passes that its levels and peaks
need. These passes run over all samples at once. The bare cost includes no header, no blocks and no findings.
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
from tests.support.wav import encode_pcm, make_speech_like, make_wav_bytes

CLIPS = 40
ROUNDS = 15
CLIP_SECONDS = 10.0
RATE = 44100
STEP = RATE // 50
HOUR = 3600
ANY_LENGTH = DurationLimits(0.0, 1e9)


def run_baseline(path: Path, floats: np.ndarray[tuple[int], np.dtype[np.float32]]) -> None:
    data = path.read_bytes()
    hashlib.sha256(data).digest()
    samples = np.frombuffer(data, "<i2", offset=44)
    frames = len(samples) // STEP
    rows = floats[: frames * STEP].reshape(frames, STEP)
    np.copyto(rows, samples[: frames * STEP].reshape(frames, STEP))
    np.vecdot(rows, rows)
    rows @ np.ones(STEP, np.float32)
    for count in (frames, 400, 50 * round(CLIP_SECONDS)):
        starts = np.arange(count) * len(samples) // count
        np.minimum.reduceat(samples, starts)
        peak = np.maximum.reduceat(samples, starts).max()
    np.flatnonzero((samples >= peak * 0.999) | (samples <= -peak * 0.999))


def check_levels(path: Path) -> None:
    with path.open("rb") as file:
        assert inspect_file(file, ANY_LENGTH).ok


def run_full_analysis(path: Path) -> None:
    with path.open("rb") as file:
        analyze_recording(file, read_header(file))


def measure_peak_memory(work: Callable[[Path], None], path: Path) -> float:
    """Do the work, and return the peak memory of the process in megabytes."""
    work(path)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure_seconds(work: Callable[[Path], None], paths: list[Path]) -> float:
    start = time.process_time()
    for path in paths:
        work(path)
    return time.process_time() - start


def write_clips(folder: Path) -> list[Path]:
    paths = [folder / f"{number}.wav" for number in range(CLIPS)]
    for number, path in enumerate(paths):
        path.write_bytes(make_wav_bytes(make_speech_like(CLIP_SECONDS, RATE, pitch=90.0 + 4 * number), rate=RATE))
    return paths


def write_hour(path: Path) -> None:
    second = encode_pcm(make_speech_like(1.0, 48000))
    size = len(second) * HOUR
    with path.open("wb") as output:
        output.write(make_wav_bytes(data=b"", rate=48000, data_size=size, riff_size=size + 36))
        for _ in range(HOUR):
            output.write(second)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder_name:
        folder = Path(folder_name)
        hour = folder / "hour.wav"
        write_hour(hour)
        memory = [measure_peak_memory(work, hour) for work in (lambda path: None, check_levels, run_full_analysis)]
        paths, floats = write_clips(folder), np.empty(round(CLIP_SECONDS * RATE), np.float32)
        pairs = [
            (
                measure_seconds(check_levels, paths),
                measure_seconds(lambda path: run_baseline(path, floats), paths),
            )
            for _ in range(ROUNDS)
        ]
        analysis_time = measure_seconds(run_full_analysis, paths) / CLIPS * 1e6
    check_time, bare_time = (min(times) / CLIPS * 1e6 for times in zip(*pairs, strict=True))
    ratio = float(np.median([check / bare for check, bare in pairs]))
    write = sys.stdout.write
    write(f"one clip of {CLIP_SECONDS:g} s: {check_time:.0f} µs, its bare cost {bare_time:.0f} µs\n")
    write(f"ratio {ratio:.2f} (median of {ROUNDS} rounds), {check_time / bare_time:.2f} (best of each)\n")
    write(f"full analysis: {analysis_time / 1e3:.0f} ms, {analysis_time / check_time:.0f} times the level check\n")
    write(
        f"memory: {memory[0]:.0f} MB, {memory[1]:.0f} MB after a level check of an hour,"
        f" {memory[2]:.0f} MB after a full analysis\n"
    )


if __name__ == "__main__":
    main()
