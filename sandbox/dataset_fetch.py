"""Fetching a dataset from the address a customer gave, and reading it: with caps, no redirects, no proxies.

A dataset is a .zip, .tar.gz or .tar with WAVs and, as an option, a metadata.csv. Its layout is that of the page of
Resemble v1: lines `file|text`, the file without its `.wav`. Where in the archive they lie is unknown, so any folder
will do. Nothing is unpacked by its own path; all sizes are capped.
"""

import tarfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

import requests

from sandbox import vendor_defaults


class NotFetched(Exception):
    """The dataset could not be fetched, said in words."""


def fetch(address: str, target: Path) -> None:
    """Write what lies at `address` into the file `target`. Raises NotFetched."""
    try:
        with requests.Session() as session:
            session.trust_env = False
            with session.get(address, stream=True, timeout=10, allow_redirects=False) as answer:
                if answer.status_code != requests.codes.ok:
                    raise NotFetched(f"The dataset URL answered {answer.status_code}.")
                _write(answer, target)
    except requests.RequestException:
        raise NotFetched("The dataset URL could not be reached, or it broke off.") from None


def _write(answer: requests.Response, target: Path) -> None:
    deadline = time.monotonic() + vendor_defaults.DATASET_TIMEOUT
    size = 0
    with target.open("wb") as file:
        for block in answer.iter_content(1 << 20):
            size += len(block)
            if size > vendor_defaults.DATASET_BYTES:
                raise NotFetched("The dataset is too large.")
            if time.monotonic() > deadline:
                raise NotFetched("Fetching the dataset took too long.")
            file.write(block)


METADATA = "metadata.csv"
GZIP = b"\x1f\x8b"
UNREADABLE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError)
NEITHER = "The dataset is neither a readable .zip nor a readable .tar.gz file."


class BadArchive(Exception):
    """What is wrong with an archive, said in words."""


@dataclass(frozen=True, slots=True)
class DatasetClip:
    """One WAV of the archive; `text` is empty where no transcript came with it."""

    name: str
    text: str
    wav: bytes


def clips(path: Path) -> Iterator[DatasetClip]:
    """The WAVs of an archive with their transcripts, in the archive's order. Raises BadArchive."""
    try:
        said = texts(path)
        for name, file in _files(path):
            if name.lower().endswith(".wav"):
                stem = name[:-4]
                yield DatasetClip(stem, said.get(stem, ""), file.read())
    except UNREADABLE:
        raise BadArchive(NEITHER) from None


def texts(path: Path) -> dict[str, str]:
    """The transcripts by file name without `.wav`. Raises BadArchive."""
    try:
        return _texts(path)
    except UNREADABLE:
        raise BadArchive(NEITHER) from None


def _texts(path: Path) -> dict[str, str]:
    for name, file in _files(path):
        if name == METADATA:
            lines = file.read().decode("utf-8-sig", errors="replace").splitlines()
            pairs = (line.partition("|") for line in lines)
            return {key.strip().removesuffix(".wav"): text.strip() for key, bar, text in pairs if bar}
    return {}


def _files(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Plain files by their last name, within the caps on their number and size. Raises BadArchive."""
    opened = _zipped(path) if zipfile.is_zipfile(path) else _tarred(path)
    total = 0
    for count, (name, size, file) in enumerate(opened, 1):
        total += size
        if count > vendor_defaults.DATASET_CLIPS or total > vendor_defaults.DATASET_BYTES:
            raise BadArchive("The dataset holds too many files or unpacks to too many bytes.")
        base = PurePosixPath(name).name
        if not base.startswith("."):
            yield base, file


def _zipped(path: Path) -> Iterator[tuple[str, int, IO[bytes]]]:
    """Python's reader ends a member at the size that its entry declares, so those sizes can be trusted."""
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if not entry.is_dir():
                with archive.open(entry) as file:
                    yield entry.filename, entry.file_size, file


def _tarred(path: Path) -> Iterator[tuple[str, int, IO[bytes]]]:
    with tarfile.open(path, "r:gz" if _is_gzipped(path) else "r:") as archive:
        for entry in archive:
            if entry.isfile() and (file := archive.extractfile(entry)):
                yield entry.name, entry.size, file


def _is_gzipped(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(GZIP)) == GZIP
