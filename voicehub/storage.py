"""File storage: private files, and static files with a hash in their name.

Models refer to `private`, so that no migration contains a bucket or a folder.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from botocore.exceptions import BotoCoreError, ClientError
from django.contrib.staticfiles.apps import StaticFilesConfig
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.db.models.fields.files import FieldFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

BLOCK = 1 << 20


class StoredFileLost(Exception):
    """A row names a file that is not in the storage, or that the storage refuses to read. The text is for users."""


class StorageUnavailable(Exception):
    """The storage does not respond, so that nothing is known about its files."""


def private() -> Storage:
    """The storage of takes, contracts and recordings. Only views that check permissions serve these files."""
    return storages["private"]


def open_stored_file(file: FieldFile) -> BinaryIO:
    """Open a stored file at its start. Raises StoredFileLost or StorageUnavailable."""
    with explain_storage_errors(file):
        return cast(BinaryIO, file.storage.open(_get_name(file), "rb"))


def require_stored_file(file: FieldFile) -> None:
    """Raise StoredFileLost if the file is not in the storage, without reading it."""
    with explain_storage_errors(file):
        if not file.storage.exists(_get_name(file)):
            raise FileNotFoundError


def _get_name(file: FieldFile) -> str:
    if not file.name:
        raise FileNotFoundError
    return file.name


@contextmanager
def explain_storage_errors(file: FieldFile) -> Iterator[None]:
    """Turn every error of a storage into StoredFileLost, if the file is the reason, or else StorageUnavailable."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, SuspiciousFileOperation) as error:
        if not _has_folder(file.storage):
            raise StorageUnavailable("The folder of the files is missing.") from error
        raise StoredFileLost("The file is missing.") from error
    except (PermissionError, IsADirectoryError) as error:
        raise StoredFileLost("The file cannot be read.") from error
    except (OSError, BotoCoreError, ClientError) as error:
        raise StorageUnavailable("The file storage does not respond.") from error


def _has_folder(storage: Storage) -> bool:
    return not isinstance(storage, FileSystemStorage) or Path(storage.location).is_dir()


def hash_file(file: Any) -> str:
    """The SHA-256 (hex) of a binary file, read in blocks. Rewinds the file to its start."""
    file.seek(0)
    total = hashlib.sha256()
    while block := file.read(BLOCK):
        total.update(block)
    file.seek(0)
    return total.hexdigest()


class StudioStaticConfig(StaticFilesConfig):
    """Excludes unused files of the htmx package: its extensions refer to files that do not exist."""

    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "ext", "htmx-4*", "htmax-4*"]


class HashedStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    support_js_module_import_aggregation = True


def open_file(file: FieldFile) -> BinaryIO:
    """Open a stored file at its start. Each call returns a new file object."""
    return cast(BinaryIO, file.storage.open(str(file.name), "rb"))
