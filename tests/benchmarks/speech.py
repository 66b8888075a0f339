"""Measures the cost of voice activity detection: `python -m tests.benchmarks.speech`. Compare only its ratios.

The clips are those in sample/, repeated until they last ten minutes. The ratios are nearly equal on all machines.
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
from tests.support.wav import SAMPLE_FOLDER

SECONDS = 600
CLIP_SECONDS = 8
ROUNDS = 3


def load_clips() -> list[Float32]:
    parts = [soundfile.read(path, dtype="float32")[0] for path in sorted(SAMPLE_FOLDER.glob("*-0?.flac"))]
    sound = np.resize(np.concatenate(parts), SECONDS * RATE).astype(np.float32)
    return np.split(sound, SECONDS // CLIP_SECONDS)


def detect_by_model(samples: Float32) -> float:
    return detect_speech(samples, RATE).seconds


def detect_by_level(samples: Float32) -> float:
    original_loader = silero.load_silero
    silero.load_silero = lambda: MissingModel("")  # type: ignore[assignment] # replaces the cached function
    try:
        return detect_speech(samples, RATE).seconds
    finally:
        silero.load_silero = original_loader


def compute_peak_power(samples: Float32) -> float:
    """Make one numpy pass over the samples, for comparison."""
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160)
    return float((frames * frames).mean(axis=1).max())


def make_voiceprint(samples: Float32) -> float:
    voiceprint = compute_voiceprint(samples, RATE)
    return voiceprint.voiced_seconds if voiceprint else 0.0


def measure_seconds(work: Callable[[], object]) -> float:
    """The shortest time of a few rounds, in seconds."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def main() -> None:
    sounds = load_clips()
    detectors = {
        "model": detect_by_model,
        "level": detect_by_level,
        "one numpy pass": compute_peak_power,
        "voice print": make_voiceprint,
    }
    times = {name: measure_seconds(partial(_run_all, detect, sounds)) for name, detect in detectors.items()}
    for name, seconds in times.items():
        ratio = seconds / times["level"]
        print(f"{name:16} {SECONDS / seconds:9,.0f} times real time, {ratio:8.2f} of detection by level")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        list(executor.map(detect_by_model, sounds[:4]))
        parallel_time = measure_seconds(partial(_run_in_parallel, executor, sounds))
    print(f"two processes by model take {parallel_time / times['model']:.2f} of the time of one (0.50 at best)")


def _run_all(detect: Callable[[Float32], float], sounds: list[Float32]) -> None:
    list(map(detect, sounds))


def _run_in_parallel(executor: ProcessPoolExecutor, sounds: list[Float32]) -> None:
    list(executor.map(detect_by_model, sounds, chunksize=5))


if __name__ == "__main__":
    main()
