"""How well voices are kept apart: `python -m tests.benchmarks.speaker`.

Every reader's voice, known from three clean clips, against single clips of all readers, clean and made worse. Readers
are synthetic: flite's and festival's where these are installed, else those in sample/. People vary more from clip to
clip than programs do.
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
from tests.support.wav import SAMPLE
from tests.support.worse import echoing, narrow, noisy, quieter

TEXTS = (
    "The ferry leaves at seven, and nobody waits for those who oversleep.",
    "Put the kettle on before you open the letter from the council.",
    "A narrow path climbs through the orchard to the old stone chapel.",
    "She counted eleven swans on the frozen lake behind the school.",
    "Most of the village had gathered to watch the bridge being lowered.",
    "Our neighbour grows tomatoes on the roof and gives half of them away.",
    "The clock in the hall strikes twice whenever a train goes by.",
)
KNOWN_FROM = 3
CONDITIONS: dict[str, Callable[[Float32], Float32]] = {
    "clean": lambda samples: samples,
    "20 dB quieter": lambda samples: quieter(samples, 20),
    "SNR 15 dB": lambda samples: noisy(samples, 15),
    "T60 0.3 s": lambda samples: echoing(samples, RATE, 0.3),
    "T60 0.7 s": lambda samples: echoing(samples, RATE, 0.7),
    "8 kHz band": lambda samples: narrow(samples, RATE, 3800),
    "noise, room, band": lambda samples: noisy(echoing(narrow(samples, RATE, 3800), RATE, 0.3), 15),
    "3 seconds": lambda samples: samples[: 3 * RATE],
    "2 seconds": lambda samples: samples[: 2 * RATE],
    "1.5 seconds": lambda samples: samples[: int(1.5 * RATE)],
}

Scores = NDArray[np.float64]


def synthetic() -> dict[str, list[Float32]]:
    """Clips by person: flite and festival have one in common."""
    clips: dict[str, list[Float32]] = defaultdict(list)
    for reader in list_readers((1.0,)):
        clips[_person(reader)] += [reader.read(text) for text in TEXTS]
    return clips


def _person(reader: Reader) -> str:
    return "slt" if "slt" in reader.voice else reader.voice


def sampled() -> dict[str, list[Float32]]:
    clips: dict[str, list[Float32]] = defaultdict(list)
    for path in sorted(SAMPLE.glob("*-0?.flac")):
        clips[path.stem[:3]].append(soundfile.read(path, dtype="float32")[0])
    clips["awb"] += [soundfile.read(SAMPLE / f"{name}.flac", dtype="float32")[0] for name in STRANGER]
    return clips


STRANGER = ("consent-awb", "rms-wrong-speaker")


def equal_error(same: Scores, other: Scores) -> tuple[float, float]:
    """The error rate where as many of the same are below the line as of the others are above it, and that line."""
    lines = np.unique(np.concatenate((same, other)))
    missed = np.array([np.mean(same < line) for line in lines])
    taken = np.array([np.mean(other >= line) for line in lines])
    best = int(np.argmin(np.abs(missed - taken)))
    return float((missed[best] + taken[best]) / 2), float(lines[best])


def compared(clips: dict[str, list[Float32]], worse: Callable[[Float32], Float32]) -> tuple[Scores, Scores]:
    """Likenesses of clips to the voice of their reader, and to those of all others."""
    known = {
        name: compute_centroid(compute_voiceprint(one, RATE) for one in each[:KNOWN_FROM])
        for name, each in clips.items()
    }
    tried = {name: [compute_voiceprint(worse(one), RATE) for one in each[KNOWN_FROM:]] for name, each in clips.items()}
    same: list[float] = []
    other: list[float] = []
    for name, voice in known.items():
        for reader, prints in tried.items():
            (same if reader == name else other).extend(_likenesses(voice, prints) if len(clips[name]) > 2 else [])
    return np.array(same), np.array(other)


def _likenesses(voice: Voiceprint | None, prints: list[Voiceprint | None]) -> list[float]:
    return [compute_similarity(voice, one) for one in prints if voice is not None and one is not None]


def main() -> None:
    if why := describe_missing_model():
        print(why)
        return
    clips = synthetic()
    print("flite and festival" if clips else "Neither flite nor festival is installed: the clips in sample/", end=": ")
    clips = clips or sampled()
    print(", ".join(f"{name} ({len(each)} clips)" for name, each in clips.items()))
    low, high = THRESHOLDS.speaker_different, THRESHOLDS.speaker_same
    heads = ("equal error", "at", "same: lowest", "others: highest", f"same < {low}", f"others >= {high}")
    print(f"{'':20}" + "".join(f"{head:>17}" for head in heads))
    for name, worse in CONDITIONS.items():
        same, other = compared(clips, worse)
        error, line = equal_error(same, other)
        row = (f"{error:.1%}", f"{line:.2f}", f"{same.min():.2f}", f"{other.max():.2f}")
        shares = (f"{np.mean(same < low):.1%}", f"{np.mean(other >= high):.1%}")
        print(f"{name:20}" + "".join(f"{cell:>17}" for cell in row + shares))


if __name__ == "__main__":
    main()
