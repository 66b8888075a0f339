"""The recipe of a file that was made from others: what a person needs to make the same bytes again."""

import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, BinaryIO

import soundfile

Recipe = dict[str, Any]
Step = Mapping[str, Any]
HASH_BLOCK_BYTES = 1 << 20
PACKAGES = ("numpy", "soundfile", "soxr")


def build_recipe(from_sha256: str | Sequence[str], steps: Sequence[Step], *packages: str) -> Recipe:
    """Return, ready for JSON: `made_by` (versions), `from_sha256` (one hash or a list), `steps` with parameters."""
    sources = from_sha256 if isinstance(from_sha256, str) else list(from_sha256)
    return {
        "made_by": list_package_versions(*packages),
        "from_sha256": sources,
        "steps": [dict(step) for step in steps],
    }


def list_package_versions(*packages: str) -> dict[str, str]:
    """Return the version, by name, of each installed package and of libsndfile."""
    versions = {"libsndfile": soundfile.__libsndfile_version__}
    for name in (*PACKAGES, *packages):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return dict(sorted(versions.items()))


def hash_source(source: Path | BinaryIO) -> str:
    with source.open("rb") if isinstance(source, Path) else contextlib.nullcontext(source) as file:
        file.seek(0)
        digest = hashlib.sha256()
        while block := file.read(HASH_BLOCK_BYTES):
            digest.update(block)
        return digest.hexdigest()
