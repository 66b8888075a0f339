"""Measures how well voices are distinguished: `python -m tests.benchmarks.speaker`.

It compares each reader's voice, computed from three clean clips, with single clips of all readers, clean and degraded.
The readers are synthetic: flite and festival if they are installed, else the readers of the clips in sample/. Real
people vary more from clip to clip than programs do.
"""

from collections import defaultdict
from collections.abc import Callable

import numpy as np
import soundfile
from numpy.typing import NDArray

from audio.findings.thresholds import THRESHOLDS
from audio.networks.speaker_match import (
    Voiceprint,
    compute_centroid,
    compute_similarity,
    compute_voiceprint,
    describe_missing_model,
)
from audio.wav.riff import Float32
from tests.benchmarks.readers import RATE, Reader, list_readers
from tests.support.degradations import add_reverberation, add_white_noise, limit_bandwidth, lower_level
from tests.support.wav import SAMPLE_FOLDER

TEXTS = (
    "The ferry leaves at seven, and nobody waits for those who oversleep.",
    "Put the kettle on before you open the letter from the council.",
    "A narrow path climbs through the orchard to the old stone chapel.",
    "She counted eleven swans on the frozen lake behind the school.",
    "Most of the village had gathered to watch the bridge being lowered.",
    "Our neighbour grows tomatoes on the roof and gives half of them away.",
    "The clock in the hall strikes twice whenever a train goes by.",
)
CLIPS_PER_CENTROID = 3
CONDITIONS: dict[str, Callable[[Float32], Float32]] = {
    "clean": lambda samples: samples,
    "20 dB quieter": lambda samples: lower_level(samples, 20),
    "SNR 15 dB": lambda samples: add_white_noise(samples, 15),
    "T60 0.3 s": lambda samples: add_reverberation(samples, RATE, 0.3),
    "T60 0.7 s": lambda samples: add_reverberation(samples, RATE, 0.7),
    "8 kHz band": lambda samples: limit_bandwidth(samples, RATE, 3800),
    "noise, room, band": lambda samples: add_white_noise(
        add_reverberation(limit_bandwidth(samples, RATE, 3800), RATE, 0.3), 15
    ),
    "3 seconds": lambda samples: samples[: 3 * RATE],
    "2 seconds": lambda samples: samples[: 2 * RATE],
    "1.5 seconds": lambda samples: samples[: int(1.5 * RATE)],
}

Scores = NDArray[np.float64]


def synthesize_clips() -> dict[str, list[Float32]]:
    """Synthesize clips by person. One person has a voice in flite and in festival."""
    clips: dict[str, list[Float32]] = defaultdict(list)
    for reader in list_readers((1.0,)):
        clips[_get_person(reader)] += [reader.read(text) for text in TEXTS]
    return clips


def _get_person(reader: Reader) -> str:
    return "slt" if "slt" in reader.voice else reader.voice


def load_sample_clips() -> dict[str, list[Float32]]:
    clips: dict[str, list[Float32]] = defaultdict(list)
    for path in sorted(SAMPLE_FOLDER.glob("*-0?.flac")):
        clips[path.stem[:3]].append(soundfile.read(path, dtype="float32")[0])
    clips["awb"] += [soundfile.read(SAMPLE_FOLDER / f"{name}.flac", dtype="float32")[0] for name in AWB_SAMPLES]
    return clips


AWB_SAMPLES = ("consent-awb", "rms-wrong-speaker")


def compute_equal_error(same: Scores, other: Scores) -> tuple[float, float]:
    """Return the equal error rate and its threshold: the share of misses below it is that of false matches above."""
    thresholds = np.unique(np.concatenate((same, other)))
    miss_rates = np.array([np.mean(same < threshold) for threshold in thresholds])
    false_rates = np.array([np.mean(other >= threshold) for threshold in thresholds])
    best = int(np.argmin(np.abs(miss_rates - false_rates)))
    return float((miss_rates[best] + false_rates[best]) / 2), float(thresholds[best])


def compare_clips(clips: dict[str, list[Float32]], change: Callable[[Float32], Float32]) -> tuple[Scores, Scores]:
    """Compute the similarities of clips to the voice of their own reader, and to the voices of all other readers."""
    centroids = {
        name: compute_centroid(compute_voiceprint(clip, RATE) for clip in samples[:CLIPS_PER_CENTROID])
        for name, samples in clips.items()
    }
    voiceprints = {
        name: [compute_voiceprint(change(clip), RATE) for clip in samples[CLIPS_PER_CENTROID:]]
        for name, samples in clips.items()
    }
    same: list[float] = []
    other: list[float] = []
    for name, voice in centroids.items():
        for reader, reader_prints in voiceprints.items():
            similarities = _compute_similarities(voice, reader_prints) if len(clips[name]) > 2 else []
            (same if reader == name else other).extend(similarities)
    return np.array(same), np.array(other)


def _compute_similarities(voice: Voiceprint | None, voiceprints: list[Voiceprint | None]) -> list[float]:
    return [compute_similarity(voice, other) for other in voiceprints if voice is not None and other is not None]


def main() -> None:
    if problem := describe_missing_model():
        print(problem)
        return
    clips = synthesize_clips()
    print("flite and festival" if clips else "Neither flite nor festival is installed: the clips in sample/", end=": ")
    clips = clips or load_sample_clips()
    print(", ".join(f"{name} ({len(samples)} clips)" for name, samples in clips.items()))
    low, high = THRESHOLDS.speaker_different, THRESHOLDS.speaker_same
    headings = ("equal error", "at threshold", "same: lowest", "others: highest", f"same < {low}", f"others >= {high}")
    print(f"{'':20}" + "".join(f"{heading:>17}" for heading in headings))
    for name, change in CONDITIONS.items():
        same, other = compare_clips(clips, change)
        error, threshold = compute_equal_error(same, other)
        row = (f"{error:.1%}", f"{threshold:.2f}", f"{same.min():.2f}", f"{other.max():.2f}")
        shares = (f"{np.mean(same < low):.1%}", f"{np.mean(other >= high):.1%}")
        print(f"{name:20}" + "".join(f"{cell:>17}" for cell in row + shares))


if __name__ == "__main__":
    main()
