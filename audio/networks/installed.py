"""Report which optional parts of the audio analysis are installed, and how to install the missing parts."""

from collections.abc import Callable
from importlib.util import find_spec

from audio.networks import estimates
from audio.networks.silero import load_silero
from audio.networks.speaker_encoder import load_encoder
from audio.networks.weights import MissingModel

RUN_HINT = "Run: make run"
EXTRAS_HINT = "Run: make extras"


def _check_weights(load: Callable[[], object]) -> tuple[str, ...]:
    model = load()
    return (f"{model.reason} {RUN_HINT}",) if isinstance(model, MissingModel) else ()


def _check_package(name: str, command: str) -> tuple[str, ...]:
    return () if find_spec(name) else (f"{name} is not installed. {command}",)


PART_CHECKS: dict[str, Callable[[], tuple[str, ...]]] = {
    "Voice activity": lambda: _check_weights(load_silero),
    "Speaker match": lambda: _check_weights(load_encoder),
    "Statement check": lambda: _check_package("pocketsphinx", RUN_HINT),
    "M4A and WebM": lambda: _check_package("av", EXTRAS_HINT),
    "Quality estimates": estimates.describe_missing_parts,
}
"""A check for each part, by the part's name. It tells people what is missing and what to do; () if the part is
complete. Some checks load weights."""
