"""Measures how well the quality estimates rank damage: `python -m tests.benchmarks.quality [CLIPS]` (6 by default).

Clips of the sample studio are degraded in steps. For each clip, Spearman's rank correlation of each estimate with the
step is computed. The benchmark prints its mean over the clips: -1.00 if every step lowers the estimate, 0 if the damage
has no effect on it. Then it prints the cost of the estimates, as ratios.
"""

import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import fields

import numpy as np
import soundfile

from audio.networks.estimates import NOTES, Estimates, describe_missing_parts, estimate_quality
from tests.support.degradations import (
    Float32,
    add_reverberation,
    add_white_noise,
    clip_peaks,
    limit_bandwidth,
    lower_level,
)
from tests.support.wav import SAMPLE_FOLDER

CLIPS = 6
Degrade = Callable[[Float32, int, float], Float32]
KINDS: dict[str, tuple[Degrade, Sequence[float]]] = {
    "noise": (lambda sound, rate, snr: add_white_noise(sound, snr), (50, 35, 25, 15, 5)),
    "clipping": (lambda sound, rate, share: clip_peaks(sound, share), (0, 0.003, 0.01, 0.03, 0.1)),
    "reverb": (add_reverberation, (0, 0.2, 0.4, 0.6, 0.9)),
    "low-pass": (limit_bandwidth, (8000, 6000, 4000, 3000, 2000)),
    "level": (lambda sound, rate, decibels: lower_level(sound, decibels), (0, 8, 16, 24, 32)),
}
"""Kind of damage: (the function that adds it, its degrees from none to worst)."""
NAMES = [field.name for field in fields(Estimates) if field.name in NOTES]


def load_clips(count: int) -> list[tuple[Float32, int]]:
    paths = sorted(SAMPLE_FOLDER.glob("rms-0[1-6].flac")) + sorted(SAMPLE_FOLDER.glob("slt-0[1-8].flac"))
    # The clips are taken at equal distances, so that both voices are among them.
    return [soundfile.read(path, dtype="float32") for path in paths[:: max(1, len(paths) // count)][:count]]


def compute_rank_correlation(values: Sequence[float]) -> float:
    """Compute Spearman's correlation of the values with their positions. 0 if all values are equal, without ranks."""
    ranks = np.array([(np.less(values, value).sum() + np.less_equal(values, value).sum() - 1) / 2 for value in values])
    return float(np.corrcoef(ranks, np.arange(len(values)))[0, 1]) if np.ptp(ranks) else 0.0


def compute_correlations(sound: Float32, rate: int, degrade: Degrade, degrees: Sequence[float]) -> dict[str, float]:
    """Compute Spearman's correlation of each estimate with the degrees of one kind of damage."""
    estimates = [estimate_quality(degrade(sound, rate, degree), rate) for degree in degrees]
    return {
        name: compute_rank_correlation([round(getattr(estimate, name) or 0.0, 3) for estimate in estimates])
        for name in NAMES
    }


def print_table(sounds: list[tuple[Float32, int]]) -> None:
    print(f"Spearman's rank correlation with the damage, mean of {len(sounds)} clips\n")
    print(f"{'':21}" + "".join(f"{kind:>10}" for kind in KINDS))
    columns = [[compute_correlations(*sound, *kind) for sound in sounds] for kind in KINDS.values()]
    for name in NAMES:
        means = [float(np.mean([correlations[name] for correlations in column])) for column in columns]
        print(f"{name:21}" + "".join(f"{mean:10.2f}" for mean in means))


def measure_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def print_cost(sound: Float32, rate: int, initial_memory: int) -> None:
    """Print the cost of a minute, the longest sound that is rated. `initial_memory` is that without the models."""
    minute = np.resize(sound, 60 * rate)
    estimate_quality(sound, rate)
    loaded_memory, start = measure_memory(), time.perf_counter()
    estimate_quality(minute, rate)
    seconds = time.perf_counter() - start
    print(f"\ntime: {seconds / 60:.2f} of the length of a minute of sound")
    print(f"memory: {loaded_memory / initial_memory:.1f} times that without models, once they are loaded;")
    print(f"        {measure_memory() / initial_memory:.1f} times at most, during the minute")


def main() -> None:
    initial_memory, reasons = measure_memory(), describe_missing_parts()
    if reasons:
        sys.exit("\n".join(reasons))
    sounds = load_clips(int(sys.argv[1]) if len(sys.argv) > 1 else CLIPS)
    print_cost(*sounds[0], initial_memory)
    print_table(sounds)


if __name__ == "__main__":
    main()
