"""What preparing costs: `python -m tests.benchmarks.prepare [MINUTES]` (60 minutes, unless told).

Converting against decoding alone (soundfile, same blocks), the child's start against that of Python with the same
libraries, and the largest resident memory of any process for a file of an hour. Cutting: lengths, and cuts in pauses.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from audio.datasets.clips import load_clip
from audio.datasets.segment import split_clip
from audio.wav.convert import convert_to_wav
from audio.wav.decode import BLOCK_FRAMES
from tests.support.sounds import voice
from tests.support.wav import noise

RATE = 48000
KINDS = {
    "FLAC, 24 bit, mono": ("FLAC", "PCM_24", 1),
    "FLAC, 24 bit, stereo": ("FLAC", "PCM_24", 2),
    "WAV, 24 bit, mono": ("WAV", "PCM_24", 1),
    "MP3, mono": ("MP3", "MPEG_LAYER_III", 1),
}
NAMES = [f"slt-0{number}" for number in range(1, 9)]


def write(path: Path, minutes: float, kind: str, subtype: str, channels: int) -> None:
    """Sample clips with pauses of 0.4 to 1.2 seconds between, over and over."""
    chance, left = np.random.default_rng(1), minutes * 60 * RATE
    with soundfile.SoundFile(path, "w", RATE, channels, subtype, format=kind) as file:
        while left > 0:
            gap = noise(chance.uniform(0.4, 1.2), -65.0)
            samples = np.repeat(np.concatenate([voice(NAMES[chance.integers(8)])[0], gap]), RATE // 16000)
            file.write(np.repeat(samples[:, None], channels, axis=1))
            left -= len(samples)


def decode(path: Path) -> None:
    with soundfile.SoundFile(path) as file:
        buffer = np.empty((BLOCK_FRAMES, file.channels), np.float32)
        while len(file.read(out=buffer)):
            pass


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def converting(folder: Path, minutes: float) -> None:
    print(f"Converting {minutes:g} minutes of {RATE} Hz, against decoding alone (seconds):")
    for name, (kind, subtype, channels) in KINDS.items():
        path = folder / "sound"
        write(path, minutes, kind, subtype, channels)
        plain = seconds(lambda path=path: decode(path))  # type: ignore[misc]  # mypy cannot tell a default's type
        for rate in (RATE, 44100):
            target = folder / "made.wav"
            took = seconds(lambda path=path, rate=rate: convert_to_wav(path, folder / "made.wav", rate))  # type: ignore[misc]
            print(f"  {name:22} to {rate:5}  {took:6.1f} / {plain:5.1f} = {took / plain:4.1f}")
            target.unlink()


def starting(folder: Path) -> None:
    path = folder / "short.flac"
    soundfile.write(path, voice()[0], 16000)
    alone = seconds(lambda: subprocess.run([sys.executable, "-I", "-c", "import numpy, soundfile, soxr"], check=True))
    took = seconds(lambda: convert_to_wav(path, folder / "short.wav"))
    print(f"\nA clip of 5 seconds: {took:.2f}, Python with the same libraries: {alone:.2f} = {took / alone:.1f}")


def cutting(folder: Path, minutes: float) -> None:
    path = folder / "long"
    write(path, minutes, "WAV", "PCM_16", 1)
    clip = load_clip(path)
    start = time.perf_counter()
    found = split_clip(clip)
    took = time.perf_counter() - start
    lengths = [(piece.end - piece.start) / clip.rate for piece in found.segments]
    least, median, most = np.percentile(lengths, (0, 50, 100))
    within = np.mean([1.5 <= one <= 20 for one in lengths])
    print(
        f"\nCutting {minutes:g} minutes, pauses found by {found.speech_levels.speech.method}: "
        f"{minutes * 60 / took:.0f} x real time"
    )
    print(
        f"  {len(lengths)} clips of {least:.1f} to {most:.1f} s, median {median:.1f}; {within:.1%} within 1.5 to 20 s"
    )
    print(f"  {np.mean([piece.is_in_pauses for piece in found.segments]):.1%} begin and end in pauses")
    print(f"  {found.excluded_seconds:.1f} s of speech left out")


def memory(who: int) -> float:
    used = resource.getrusage(who).ru_maxrss
    return used / (1 << 20) if sys.platform == "darwin" else used / (1 << 10)


def main() -> None:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        starting(folder)
        converting(folder, minutes)
        print(f"  largest memory of a child: {memory(resource.RUSAGE_CHILDREN):.0f} MB")
        cutting(folder, minutes)
        print(f"  largest memory of this process: {memory(resource.RUSAGE_SELF):.0f} MB")


if __name__ == "__main__":
    main()
