"""Configuration of the browser recorder: the limits and thresholds that the server uses to check a take."""

from collections.abc import Mapping
from typing import Any

from audio.levels import clipping, measure
from audio.wav.riff import ALLOWED_RATES
from consent.models import Consent
from consent.services.takes import TAKE_LIMITS
from voicehub.threshold_overrides import load_take_thresholds

THRESHOLD_NAMES = (
    "silent_peak_dbfs",
    "silent_rms_dbfs",
    "silent_speech_seconds",
    "too_quiet_dbfs",
    "too_loud_dbfs",
    "clipping_share",
    "clipping_slight_share",
    "noisy_db",
    "edge_silence_seconds",
    "pause_seconds",
)

# Constants of audio/levels. The browser must measure in the same way as the server.
MEASURING_CONSTANTS = {
    "floor_db": measure.FLOOR_DB,
    "digital_silence_db": measure.DIGITAL_SILENCE_DB,
    "frames_per_second": measure.FRAMES_PER_SECOND,
    "quietest_parts": measure.QUIETEST_PARTS,
    "speech_over_noise_db": measure.SPEECH_OVER_NOISE_DB,
    "speech_under_loudest_db": measure.SPEECH_UNDER_LOUDEST_DB,
    "speech_least_db": measure.MIN_SPEECH_DB,
    "pause_seconds": measure.PAUSE_SECONDS,
    "clipping_min_peak": clipping.MIN_FLAT_PEAK,
    "clipping_near_peak": clipping.FLAT_PEAK_SHARE,
    "clipping_min_run": clipping.MIN_FLAT_RUN,
}


def build_recorder_config(consent: Consent) -> dict[str, Any]:
    """JSON for static/js/recorder: levels in dB, times in seconds, rates in Hz. Includes the studio's overrides."""
    values = load_take_thresholds(consent.provider)
    return {
        "allowedRates": ALLOWED_RATES,
        "limits": {"minSeconds": TAKE_LIMITS.min_seconds, "maxSeconds": TAKE_LIMITS.max_seconds},
        "thresholds": _rename_keys({name: getattr(values, name) for name in THRESHOLD_NAMES}),
        "measuring": _rename_keys(MEASURING_CONSTANTS),
    }


def _rename_keys(values: Mapping[str, float]) -> dict[str, float]:
    """Convert keys to JavaScript style: `too_quiet_dbfs` becomes `tooQuietDbfs`."""
    return {_to_camel_case(name): value for name, value in values.items()}


def _to_camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
