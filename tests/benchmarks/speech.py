"""What finding speech costs: `python -m tests.benchmarks.speech`. Ratios only: they are the same on any machine.

The clips are those in sample/, put one after the other until they last ten minutes.
"""

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
import soundfile

from audio.networks import silero
from audio.networks.speaker_match import compute_voiceprint
from audio.networks.vad import RATE, detect_speech
from audio.networks.weights import MissingModel
from audio.wav.riff import Float32
from tests.support.wav import SAMPLE

SECONDS = 600
CLIP_SECONDS = 8
ROUNDS = 3


def clips() -> list[Float32]:
    parts = [soundfile.read(path, dtype="float32")[0] for path in sorted(SAMPLE.glob("*-0?.flac"))]
    sound = np.resize(np.concatenate(parts), SECONDS * RATE).astype(np.float32)
    return np.split(sound, SECONDS // CLIP_SECONDS)


def by_model(samples: Float32) -> float:
    return detect_speech(samples, RATE).seconds


def by_level(samples: Float32) -> float:
    kept = silero.load_silero
    silero.load_silero = lambda: MissingModel("")  # type: ignore[assignment] # stands for the cached function
    try:
        return detect_speech(samples, RATE).seconds
    finally:
        silero.load_silero = kept


def levels_only(samples: Float32) -> float:
    """One pass of numpy over the samples: what there is to compare with."""
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160)
    return float((frames * frames).mean(axis=1).max())


def print_of(samples: Float32) -> float:
    one = compute_voiceprint(samples, RATE)
    return one.voiced_seconds if one else 0.0


def taken(work: Callable[[], object]) -> float:
    """Seconds, the best of some rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def main() -> None:
    sounds = clips()
    ways = {"model": by_model, "level": by_level, "one numpy pass": levels_only, "voice print": print_of}
    times = {name: taken(lambda way=way: list(map(way, sounds))) for name, way in ways.items()}  # type: ignore[misc] # binds the loop's value
    for name, spent in times.items():
        print(f"{name:16} {SECONDS / spent:9,.0f} times real time, {spent / times['level']:8.2f} of finding by level")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        list(pool.map(by_model, sounds[:4]))
        both = taken(partial(_all, pool, sounds))
    print(f"two processes by model take {both / times['model']:.2f} of the time of one (0.50 at best)")


def _all(pool: ProcessPoolExecutor, sounds: list[Float32]) -> None:
    list(pool.map(by_model, sounds, chunksize=5))


if __name__ == "__main__":
    main()
