"""The scores of single recordings: those of the provider, and VoiceHub's estimates of the same recordings."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, TextField
from django.db.models.functions import Cast

from voicehub.json_fields import is_number
from voices.models import Build


@dataclass(frozen=True, slots=True)
class RecordingScore:
    """A score of the provider, and the estimate of VoiceHub that comes closest to it."""

    key: str
    label: str
    axis: str
    estimate_key: str
    estimate_label: str
    estimate_axis: str


QUALITY = ("quality", "Speech quality", "Quality, 1 to 5, higher is better")
DNSMOS = ("dnsmos_overall", "DNSMOS", "DNSMOS, 1 to 5, higher is better")
STOI = ("stoi", "STOI", "STOI, 0 to 1, higher is better")
SI_SDR = ("si_sdr", "SI-SDR", "SI-SDR in dB, higher is better")
SIGNAL_TO_NOISE = ("Signal to noise", "Signal to noise in dB, higher is better")
RECORDING_SCORES = (
    RecordingScore("sample_score", "Sample score", "Sample score, higher is better", *QUALITY),
    RecordingScore(*STOI, *STOI),
    RecordingScore("pesq", "PESQ", "PESQ, −0.5 to 4.5, higher is better", *DNSMOS),
    RecordingScore(*SI_SDR, *SI_SDR),
    RecordingScore("signal_to_noise_ratio", *SIGNAL_TO_NOISE, "snr_db", *SIGNAL_TO_NOISE),
)
SCORE_KEYS = tuple(score.key for score in RECORDING_SCORES)
ESTIMATE_KEYS = tuple(dict.fromkeys(score.estimate_key for score in RECORDING_SCORES))


@dataclass(frozen=True, slots=True)
class RecordingValues:
    """The known values of a build's recordings, by the key of the score and of the estimate."""

    scores: Mapping[str, Sequence[float]] = field(default_factory=dict)
    estimates: Mapping[str, Sequence[float]] = field(default_factory=dict)


def load_values(build: Build, step: int = 1) -> RecordingValues:
    """One query. Of each `step` recordings, one is read.

    The measures are read as text: their whole shape is not checked, and a damaged row has none.
    """
    measures = Cast("recording__measures", TextField())
    chosen = build.recordings.order_by()
    if step > 1:
        # The ids of the rows of one build follow each other.
        chosen = chosen.annotate(place=F("pk") % step).filter(place=0)
    rows = list(chosen.values_list(*SCORE_KEYS, "recording__quality", measures))
    estimates = [read_estimates(row[-2], _read_json(row[-1])) for row in rows]
    return RecordingValues(
        {key: [row[place] for row in rows if is_number(row[place])] for place, key in enumerate(SCORE_KEYS)},
        {key: [one[key] for one in estimates if key in one] for key in ESTIMATE_KEYS},
    )


def read_estimates(quality: float | None, measures: Mapping[str, Any]) -> dict[str, float]:
    """VoiceHub's known estimates of a recording, by key."""
    estimates = measures.get("estimates")
    found = {"quality": quality, "snr_db": measures.get("snr_db"), **(estimates if isinstance(estimates, dict) else {})}
    return {key: float(found[key]) for key in ESTIMATE_KEYS if is_number(found.get(key))}


def _read_json(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
