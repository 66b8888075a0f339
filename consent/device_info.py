"""What the recorder in the browser reported about the microphone of a take, and the sentences that say it."""

import json
from typing import Any

from consent.models import Take

# The microphone settings from the browser that are stored. Device identifiers are dropped for privacy.
DEVICE_KEYS = (
    "label", "sampleRate", "channelCount", "echoCancellation", "noiseSuppression", "autoGainControl", "contextRate",
    "lostSeconds", "gapSeconds", "isInterrupted",
)  # fmt: skip
# Zero means that the browser does not know them.
POSITIVE_DEVICE_KEYS = {"sampleRate", "channelCount", "contextRate"}
PROCESSING_LABELS = {
    "echoCancellation": "echo cancellation",
    "noiseSuppression": "noise suppression",
    "autoGainControl": "automatic gain control",
}
# What the recorder measured: seconds by which its clock ran ahead of the samples, and of zeros within the sound.
LOSS_KEYS = ("lostSeconds", "gapSeconds")
INTERRUPTED = "The page closed during the recording; the talent sent what the browser had kept."


def parse_device_info(text: str) -> dict[str, Any]:
    """The known values of this JSON; nothing of a text that is no JSON object."""
    try:
        device = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return _filter_device_info(device) if isinstance(device, dict) else {}


def _filter_device_info(device: dict[str, Any]) -> dict[str, Any]:
    """Keep only known keys, with short printable values that every database accepts."""
    values = {key: value for key in DEVICE_KEYS if (value := _clean_device_value(device.get(key))) is not None}
    return {key: value for key, value in values.items() if value or key not in POSITIVE_DEVICE_KEYS}


def _clean_device_value(value: Any) -> str | float | None:
    if isinstance(value, str):
        return "".join(letter for letter in value if letter.isprintable())[:120]
    # Real rates and counts are smaller; the comparison also rejects NaN and infinity.
    return value if isinstance(value, int | float) and abs(value) < 1e9 else None


def _read_processing(take: Take) -> dict[str, bool]:
    """The kinds of processing that the browser reported, and whether each was on.

    A setting is on, off, or a text that says which kind is on. Some browsers report only one of the three.
    """
    return {
        name: bool(take.device[key])
        for key, name in PROCESSING_LABELS.items()
        if isinstance(take.device.get(key), bool | str)
    }


def describe_applied_processing(take: Take) -> str:
    """The audio processing that was on; empty if none was, or the browser reported nothing."""
    active = [name for name, is_on in _read_processing(take).items() if is_on]
    return f"The browser applied {' and '.join(active)}, which changes the voice." if active else ""


def describe_absent_processing(take: Take) -> str:
    """That no processing was on, and what the browser did not report; empty if some was on, or it reported nothing."""
    reported = _read_processing(take)
    if any(reported.values()):
        return ""
    unknown = [name for name in PROCESSING_LABELS.values() if name not in reported]
    if reported and unknown:
        return f"The browser applied no {' or '.join(reported)}. It did not report {' or '.join(unknown)}."
    return "The browser applied no audio processing." if reported else ""


def describe_losses(take: Take) -> str:
    """How much of the sound the recorder missed, and whether it ended early; empty if it reported neither."""
    losses = (take.device.get(key) for key in LOSS_KEYS)
    seconds = sum(loss for loss in losses if isinstance(loss, int | float) and loss > 0)
    sentences = [
        f"The recorder reported that about {seconds:.1f} s of the sound are missing." if seconds >= 0.05 else "",
        INTERRUPTED if take.device.get("isInterrupted") is True else "",
    ]
    return " ".join(filter(None, sentences))
