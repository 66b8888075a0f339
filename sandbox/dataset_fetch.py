"""Fetching a dataset from a customer's URL and reading it, with limits on its size, without redirects and proxies.

A dataset is a .zip, .tar.gz or .tar with WAVs and an optional metadata.csv. Its layout is that of the page of
Resemble v1: each line is `file|text`, with the name of the file without `.wav`. The page does not say in which folder
of the archive the files are, so any folder is accepted. No file is written to the path that the archive gives it.
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


class DatasetFetchError(Exception):
    """The dataset could not be fetched; the message says why."""


def fetch_dataset(address: str, target: Path) -> None:
    """Download `address` into the file `target`. Raises DatasetFetchError."""
    try:
        with requests.Session() as session:
            session.trust_env = False
            with session.get(address, stream=True, timeout=10, allow_redirects=False) as response:
                if response.status_code != requests.codes.ok:
                    raise DatasetFetchError(f"The dataset URL answered {response.status_code}.")
                _write_capped(response, target)
    except requests.RequestException:
        raise DatasetFetchError("The dataset URL could not be reached, or the download was interrupted.") from None


def _write_capped(response: requests.Response, target: Path) -> None:
    deadline = time.monotonic() + vendor_defaults.DATASET_TIMEOUT_SECONDS
    size = 0
    with target.open("wb") as file:
        for block in response.iter_content(1 << 20):
            size += len(block)
            if size > vendor_defaults.MAX_DATASET_BYTES:
                raise DatasetFetchError("The dataset is too large.")
            if time.monotonic() > deadline:
                raise DatasetFetchError("Fetching the dataset took too long.")
            file.write(block)


METADATA_FILE = "metadata.csv"
GZIP_MAGIC = b"\x1f\x8b"
ARCHIVE_ERRORS = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    OSError,
    EOFError,
    RuntimeError,
    NotImplementedError,
)
UNREADABLE_ARCHIVE = "The dataset is neither a readable .zip nor a readable .tar.gz file."


class InvalidArchive(Exception):
    """The archive cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class DatasetClip:
    """One WAV of the archive; `text` is empty if there is no transcript."""

    name: str
    text: str
    wav: bytes


def read_clips(path: Path) -> Iterator[DatasetClip]:
    """Yield the WAVs of an archive with their transcripts, in the archive's order. Raises InvalidArchive."""
    try:
        transcripts = read_transcripts(path)
        for name, file in _iterate_files(path):
            if name.lower().endswith(".wav"):
                stem = name[:-4]
                yield DatasetClip(stem, transcripts.get(stem, ""), file.read())
    except ARCHIVE_ERRORS:
        raise InvalidArchive(UNREADABLE_ARCHIVE) from None


def read_transcripts(path: Path) -> dict[str, str]:
    """Transcripts by file name without `.wav`. Raises InvalidArchive."""
    try:
        return _read_transcripts(path)
    except ARCHIVE_ERRORS:
        raise InvalidArchive(UNREADABLE_ARCHIVE) from None


def _read_transcripts(path: Path) -> dict[str, str]:
    for name, file in _iterate_files(path):
        if name == METADATA_FILE:
            lines = file.read().decode("utf-8-sig", errors="replace").splitlines()
            pairs = (line.partition("|") for line in lines)
            return {key.strip().removesuffix(".wav"): text.strip() for key, bar, text in pairs if bar}
    return {}


def _iterate_files(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield plain files by base name, within the limits on their number and size. Raises InvalidArchive."""
    entries = _iterate_zip(path) if zipfile.is_zipfile(path) else _iterate_tar(path)
    total = 0
    for count, (name, size, file) in enumerate(entries, 1):
        total += size
        if count > vendor_defaults.MAX_DATASET_FILES or total > vendor_defaults.MAX_DATASET_BYTES:
            raise InvalidArchive("The dataset holds too many files or unpacks to too many bytes.")
        base_name = PurePosixPath(name).name
        if not base_name.startswith("."):
            yield base_name, file


def _iterate_zip(path: Path) -> Iterator[tuple[str, int, IO[bytes]]]:
    """Yield the files of a .zip with their declared sizes. Python reads no more than these, so they can be trusted."""
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if not entry.is_dir():
                with archive.open(entry) as file:
                    yield entry.filename, entry.file_size, file


def _iterate_tar(path: Path) -> Iterator[tuple[str, int, IO[bytes]]]:
    with tarfile.open(path, "r:gz" if _is_gzipped(path) else "r:") as archive:
        for entry in archive:
            if entry.isfile() and (file := archive.extractfile(entry)):
                yield entry.name, entry.size, file


def _is_gzipped(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
