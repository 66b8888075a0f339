"""Measures the cost of preparing recordings: `python -m tests.benchmarks.prepare [MINUTES]` (60 by default).

It compares conversion with decoding alone (soundfile, same blocks), and the start of the child with the start of a
Python process with the same libraries. It prints the peak resident memory of each process for an hour of sound, the
lengths of the segments of a split recording, and the share of segments that begin and end in pauses.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import soundfile

from audio.datasets.clips import load_clip
from audio.datasets.segment import split_clip
from audio.wav.convert import convert_to_wav
from audio.wav.decode import BLOCK_FRAMES
from tests.support.sounds import load_sample_voice
from tests.support.wav import make_white_noise

RATE = 48000
KINDS = {
    "FLAC, 24 bit, mono": ("FLAC", "PCM_24", 1),
    "FLAC, 24 bit, stereo": ("FLAC", "PCM_24", 2),
    "WAV, 24 bit, mono": ("WAV", "PCM_24", 1),
    "MP3, mono": ("MP3", "MPEG_LAYER_III", 1),
}
NAMES = [f"slt-0{number}" for number in range(1, 9)]


def write_recording(path: Path, minutes: float, kind: str, subtype: str, channels: int) -> None:
    """Repeat the sample clips, with pauses of 0.4 to 1.2 seconds between them."""
    generator, remaining = np.random.default_rng(1), minutes * 60 * RATE
    with soundfile.SoundFile(path, "w", RATE, channels, subtype, format=kind) as file:
        while remaining > 0:
            gap = make_white_noise(generator.uniform(0.4, 1.2), -65.0)
            samples = np.repeat(
                np.concatenate([load_sample_voice(NAMES[generator.integers(8)])[0], gap]), RATE // 16000
            )
            file.write(np.repeat(samples[:, None], channels, axis=1))
            remaining -= len(samples)


def decode_file(path: Path) -> None:
    with soundfile.SoundFile(path) as file:
        buffer = np.empty((BLOCK_FRAMES, file.channels), np.float32)
        while len(file.read(out=buffer)):
            pass


def measure_seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure_conversion(folder: Path, minutes: float) -> None:
    print(f"Converting {minutes:g} minutes of {RATE} Hz, against decoding alone (seconds):")
    for name, (kind, subtype, channels) in KINDS.items():
        path = folder / "sound"
        write_recording(path, minutes, kind, subtype, channels)
        baseline = measure_seconds(partial(decode_file, path))
        for rate in (RATE, 44100):
            target = folder / "made.wav"
            seconds = measure_seconds(partial(convert_to_wav, path, target, rate))
            print(f"  {name:22} to {rate:5}  {seconds:6.1f} / {baseline:5.1f} = {seconds / baseline:4.1f}")
            target.unlink()


def measure_start_time(folder: Path) -> None:
    path = folder / "short.flac"
    soundfile.write(path, load_sample_voice()[0], 16000)
    command = [sys.executable, "-I", "-c", "import numpy, soundfile, soxr"]
    baseline = measure_seconds(lambda: subprocess.run(command, check=True))
    seconds = measure_seconds(lambda: convert_to_wav(path, folder / "short.wav"))
    ratio = seconds / baseline
    print(f"\nA clip of 5 seconds: {seconds:.2f}, Python with the same libraries: {baseline:.2f} = {ratio:.1f}")


def measure_splitting(folder: Path, minutes: float) -> None:
    path = folder / "long"
    write_recording(path, minutes, "WAV", "PCM_16", 1)
    clip = load_clip(path)
    start = time.perf_counter()
    split = split_clip(clip)
    seconds = time.perf_counter() - start
    lengths = [(segment.end - segment.start) / clip.rate for segment in split.segments]
    shortest, median, longest = np.percentile(lengths, (0, 50, 100))
    share_within = np.mean([1.5 <= one <= 20 for one in lengths])
    print(
        f"\nSplitting {minutes:g} minutes, pauses found by {split.speech_levels.speech.method}: "
        f"{minutes * 60 / seconds:.0f} x real time"
    )
    print(
        f"  {len(lengths)} segments of {shortest:.1f} to {longest:.1f} s, median {median:.1f};"
        f" {share_within:.1%} within 1.5 to 20 s"
    )
    print(f"  {np.mean([segment.is_in_pauses for segment in split.segments]):.1%} begin and end in pauses")
    print(f"  {split.excluded_seconds:.1f} s of speech excluded")


def measure_memory_mb(processes: int) -> float:
    usage = resource.getrusage(processes).ru_maxrss
    return usage / (1 << 20) if sys.platform == "darwin" else usage / (1 << 10)


def main() -> None:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measure_start_time(folder)
        measure_conversion(folder, minutes)
        print(f"  peak memory of a child: {measure_memory_mb(resource.RUSAGE_CHILDREN):.0f} MB")
        measure_splitting(folder, minutes)
        print(f"  peak memory of this process: {measure_memory_mb(resource.RUSAGE_SELF):.0f} MB")


if __name__ == "__main__":
    main()
