"""Report which audio analysis parts are installed, and how to install the others. All of them are optional."""

from collections.abc import Callable
from importlib.util import find_spec

from audio.networks import estimates
from audio.networks.silero import silero
from audio.networks.speaker_encoder import encoder
from audio.networks.weights import Absent

RUN = "Run: make run"
EXTRAS = "Run: make extras"


def _weights(load: Callable[[], object]) -> tuple[str, ...]:
    model = load()
    return (f"{model.reason} {RUN}",) if isinstance(model, Absent) else ()


def _package(name: str, command: str) -> tuple[str, ...]:
    return () if find_spec(name) else (f"{name} is not installed. {command}",)


PARTS: dict[str, Callable[[], tuple[str, ...]]] = {
    "Voice activity": lambda: _weights(silero),
    "Speaker match": lambda: _weights(encoder),
    "Statement check": lambda: _package("pocketsphinx", RUN),
    "M4A and WebM": lambda: _package("av", EXTRAS),
    "Quality estimates": estimates.lacking,
}
"""Name of a part to a check: what is missing and what to do, for people; empty if complete. Checks load weights."""
