"""Whether one file has two speakers, for the vendors that require a single one. Without the model, no file has."""

from itertools import combinations
from pathlib import Path

from audio.findings.thresholds import THRESHOLDS
from audio.networks.speaker_match import compute_similarity, compute_voiceprint
from audio.wav.riff import load_samples, read_header

WINDOW_SECONDS = 5.0
"""The beginning, the middle and the end of a file are compared. In samples of two speakers, the similarity of two such
windows was at most 0.59, with one speaker at least 0.95."""


def has_two_speakers(wav: Path) -> bool:
    with wav.open("rb") as file:
        header = read_header(file)
        samples, rate = load_samples(file, header), header.sample_rate
    size = int(WINDOW_SECONDS * rate)
    starts = {0, max(0, (len(samples) - size) // 2), max(0, len(samples) - size)}
    found = (compute_voiceprint(samples[start : start + size], rate) for start in sorted(starts))
    prints = [one for one in found if one and one.voiced_seconds >= THRESHOLDS.speaker_short_seconds]
    return any(compute_similarity(one, other) < THRESHOLDS.speaker_outlier for one, other in combinations(prints, 2))
