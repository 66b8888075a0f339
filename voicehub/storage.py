"""File storage: private files, and static files with a hash in their name.

Models refer to `private`, so that no migration contains a bucket or a folder.
"""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.contrib.staticfiles.apps import StaticFilesConfig
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.db.models.fields.files import FieldFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

from voicehub.used_styles import collect_words, keep_used_rules

BLOCK = 1 << 20
COMPONENT_LIBRARY = "vendor/tabler/tabler.min.css"
# The styles of every staff page, in their order. A browser shows nothing before it has them all.
BASE_STYLES = (
    COMPONENT_LIBRARY,
    "css/tokens.css",
    "css/states.css",
    "css/shell.css",
    "css/studio.css",
    "css/components.css",
    "css/search.css",
)
# Their collected file. It is in the folder of our own styles, so that their relative URLs stay right.
JOINED_STYLES = "css/base.css"


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


def list_folder(storage: Storage, folder: str) -> tuple[list[str], list[str]]:
    """The names of the folders and of the files in a folder. Both are empty if it does not exist."""
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:
        return [], []
    return list(folders), list(files)


def store_local_file(storage: Storage, path: Path, name: str, *, is_spare: bool = False) -> None:
    """Store a local file under exactly this name, and replace what is there.

    A folder gets a second name of the file instead of a copy, if it is on the same disk. A spare file, which the caller
    needs no more, is moved there.
    """
    if not isinstance(storage, FileSystemStorage):
        storage.delete(name)
        with path.open("rb") as file:
            storage.save(name, File(file))
        return
    target = Path(storage.path(name))
    if not target.parent.is_dir():
        target.parent.mkdir(mode=storage.directory_permissions_mode or 0o777, parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        if is_spare:
            path.rename(target)
        else:
            target.hardlink_to(path)
    except OSError:  # another disk, or one without second names
        shutil.copyfile(path, target)
    if storage.file_permissions_mode is not None:
        target.chmod(storage.file_permissions_mode)


@contextmanager
def open_local_path(file: FieldFile, folder: Path) -> Iterator[Path]:
    """The path of a stored file on this machine. If the storage is elsewhere, that of a copy in `folder`."""
    if isinstance(file.storage, FileSystemStorage):
        yield Path(file.path)
        return
    path = folder / uuid4().hex
    with open_file(file) as stored, path.open("wb") as copy:
        shutil.copyfileobj(stored, copy, BLOCK)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


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

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        """Also makes one file of the base styles, with those rules of the component library that pages can use."""
        if not dry_run:
            joined = "\n".join(_read_style(*paths[name]) for name in BASE_STYLES)
            self.delete(JOINED_STYLES)
            self._save(JOINED_STYLES, ContentFile(joined.encode()))
            paths[JOINED_STYLES] = (self, JOINED_STYLES)
        yield from super().post_process(paths, dry_run=dry_run, **options)


def _read_style(storage: Storage, path: str) -> str:
    with storage.open(path) as file:
        css: str = file.read().decode()
    return keep_used_rules(css, collect_words(settings.BASE_DIR)) if path == COMPONENT_LIBRARY else css


def list_base_styles() -> tuple[str, ...]:
    """The files of the styles of every staff page."""
    return (JOINED_STYLES,) if isinstance(storages["staticfiles"], HashedStorage) else BASE_STYLES


def open_file(file: FieldFile) -> BinaryIO:
    """Open a stored file at its start. Each call returns a new file object."""
    return cast(BinaryIO, file.storage.open(str(file.name), "rb"))
