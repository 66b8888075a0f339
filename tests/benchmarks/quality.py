"""How well the estimates of quality rank: `python -m tests.benchmarks.quality [CLIPS]`, 6 without a number.

Clips of the sample studio are made worse by degrees. Spearman's rank correlation of each estimate with the degree is
taken within a clip; told is the mean over the clips: -1.00 where every degree lowers the estimate, 0 where it hears
nothing of it. Then what the estimates cost, as ratios.
"""

import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import fields

import numpy as np
import soundfile

from audio.networks.estimates import NOTES, Estimates, estimate_quality, list_missing_parts
from tests.support.wav import SAMPLE
from tests.support.worse import Float32, clipped, echoing, narrow, noisy, quieter

CLIPS = 6
Worse = Callable[[Float32, int, float], Float32]
KINDS: dict[str, tuple[Worse, Sequence[float]]] = {
    "noise": (lambda sound, rate, snr: noisy(sound, snr), (50, 35, 25, 15, 5)),
    "clipping": (lambda sound, rate, share: clipped(sound, share), (0, 0.003, 0.01, 0.03, 0.1)),
    "reverb": (echoing, (0, 0.2, 0.4, 0.6, 0.9)),
    "low-pass": (narrow, (8000, 6000, 4000, 3000, 2000)),
    "level": (lambda sound, rate, decibels: quieter(sound, decibels), (0, 8, 16, 24, 32)),
}
"""Each from untouched to worst."""
NAMES = [one.name for one in fields(Estimates) if one.name in NOTES]


def clips(count: int) -> list[tuple[Float32, int]]:
    paths = sorted(SAMPLE.glob("rms-0[1-6].flac")) + sorted(SAMPLE.glob("slt-0[1-8].flac"))
    # Of both voices, however few they are.
    return [soundfile.read(path, dtype="float32") for path in paths[:: max(1, len(paths) // count)][:count]]


def spearman(values: Sequence[float]) -> float:
    """Of the values with their places; 0 where all are equal, as nothing is ranked then."""
    ranks = np.array([(np.less(values, one).sum() + np.less_equal(values, one).sum() - 1) / 2 for one in values])
    return float(np.corrcoef(ranks, np.arange(len(values)))[0, 1]) if np.ptp(ranks) else 0.0


def ranked(sound: Float32, rate: int, worse: Worse, degrees: Sequence[float]) -> dict[str, float]:
    """Spearman's correlation by estimate, over the degrees of one kind of damage."""
    judged = [estimate_quality(worse(sound, rate, degree), rate) for degree in degrees]
    return {name: spearman([round(getattr(one, name) or 0.0, 3) for one in judged]) for name in NAMES}


def table(sounds: list[tuple[Float32, int]]) -> None:
    print(f"Spearman's rank correlation with the damage, mean of {len(sounds)} clips\n")
    print(f"{'':21}" + "".join(f"{kind:>10}" for kind in KINDS))
    columns = [[ranked(*sound, *how) for sound in sounds] for how in KINDS.values()]
    for name in NAMES:
        means = [float(np.mean([one[name] for one in column])) for column in columns]
        print(f"{name:21}" + "".join(f"{mean:10.2f}" for mean in means))


def memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def cost(sound: Float32, rate: int, before: int) -> None:
    """Of a minute, the longest that is judged; `before` is the memory of the process without the models."""
    minute = np.resize(sound, 60 * rate)
    estimate_quality(sound, rate)
    loaded, start = memory(), time.perf_counter()
    estimate_quality(minute, rate)
    took = time.perf_counter() - start
    print(f"\ntime: {took / 60:.2f} of the length of a minute of sound")
    print(f"memory: {loaded / before:.1f} times the process without, once the models are loaded;")
    print(f"        {memory() / before:.1f} times at the most, in the minute")


def main() -> None:
    before, reasons = memory(), list_missing_parts()
    if reasons:
        sys.exit("\n".join(reasons))
    sounds = clips(int(sys.argv[1]) if len(sys.argv) > 1 else CLIPS)
    cost(*sounds[0], before)
    table(sounds)


if __name__ == "__main__":
    main()
