"""Which parts of listening are installed, and what to do about those that are not. Each is missed, none is needed."""

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
"""By its name for people, what a part lacks and what to do, in words; nothing where it is whole. Weights are loaded."""
