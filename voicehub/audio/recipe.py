"""How a file was made, written down so that it can be made again: by what, from which bytes, in which steps."""

from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import soundfile

Recipe = dict[str, Any]
Step = Mapping[str, Any]
PACKAGES = ("numpy", "soundfile", "soxr")


def recipe(from_sha256: str | Sequence[str], steps: Sequence[Step], *packages: str) -> Recipe:
    """What JSON takes: `made_by` (versions), `from_sha256` (one, or a list in order), `steps` with their parameters."""
    sources = from_sha256 if isinstance(from_sha256, str) else list(from_sha256)
    return {"made_by": made_by(*packages), "from_sha256": sources, "steps": [dict(step) for step in steps]}


def made_by(*packages: str) -> dict[str, str]:
    """The versions of what had a hand in it."""
    found = {"libsndfile": soundfile.__libsndfile_version__}
    for name in (*PACKAGES, *packages):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return dict(sorted(found.items()))
