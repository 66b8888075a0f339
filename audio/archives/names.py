"""Checks the names in an archive. They are shown and looked up, but never used as file names on disk."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from audio.archives.limits import ArchiveLimits, Entry, refuse

SYSTEM_FILES = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
SYSTEM_FOLDERS = frozenset({"__MACOSX", ".Trashes", ".Spotlight-V100", ".fseventsd"})
"""Files and folders that operating systems add to archives."""
EXTRA_SYSTEM_FILE_DEPTH = 2
"""Additional depth allowed for system files: a folder around everything, and __MACOSX, which repeats the folders."""
INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
"""Unicode categories: controls, marks that change the writing direction, and characters that no font shows."""


def decode_name(raw: bytes) -> str:
    """Decode a name. All current systems write UTF-8, though some do not declare it."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        refuse("name_not_text", name=raw.decode("latin-1"))


def arrange_files(entries: list[Entry], limits: ArchiveLimits) -> dict[str, Entry]:
    """Return the files without system files, by the path that is shown: it omits the folder around everything."""
    for entry in entries:
        _check_path(entry.path, limits)
    _check_collisions(entries)
    files = [entry for entry in entries if not entry.is_folder and not _is_system_file(entry.path)]
    prefix = _find_common_folder(entry.path for entry in files)
    named = {entry.path.removeprefix(prefix): entry for entry in files}
    for path in named:
        if path.count("/") > limits.folders:
            refuse("name_too_deep", name=path)
    return named


def _check_path(path: str, limits: ArchiveLimits) -> None:
    """Refuse every path that is not plain and relative. None is corrected, as such a name is packed on purpose."""
    if not path:
        refuse("name_empty")
    if any(unicodedata.category(character) in INVISIBLE_CATEGORIES for character in path):
        refuse("name_control", name=path)
    if path.startswith("/"):
        refuse("name_absolute", name=path)
    if re.match("[A-Za-z]:", path):
        refuse("name_drive", name=path)
    if "\\" in path:
        refuse("name_backslash", name=path)
    parts = path.split("/")
    if ".." in parts:
        refuse("name_escapes", name=path)
    if any(part.strip() in ("", ".") or part != part.strip() or part.endswith(".") for part in parts):
        refuse("name_strange", name=path)
    if max(len(part.encode()) for part in parts) > limits.name_bytes:
        refuse("name_too_long", name=path)
    if len(parts) > limits.folders + EXTRA_SYSTEM_FILE_DEPTH + 1:
        refuse("name_too_deep", name=path)


def _check_collisions(entries: list[Entry]) -> None:
    """Refuse paths that some system takes for the same: equal except for case or for the encoding of accents."""
    taken: dict[str, str] = {}
    for entry in entries:
        if entry.is_folder:
            continue
        folded = _fold_path(entry.path)
        if folded in taken:
            refuse("name_twice" if taken[folded] == entry.path else "names_collide", name=entry.path)
        taken[folded] = entry.path
    for folder in {_fold_path(folder) for entry in entries for folder in _list_folders(entry)}:
        if folder in taken:
            refuse("names_collide", name=taken[folder])


def _list_folders(entry: Entry) -> Iterator[str]:
    parts = entry.path.split("/")
    for depth in range(1, len(parts) + entry.is_folder):
        yield "/".join(parts[:depth])


def _fold_path(path: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", path).casefold())


def _is_system_file(path: str) -> bool:
    *folders, name = path.split("/")
    return name.lower() in SYSTEM_FILES or name.startswith("._") or not SYSTEM_FOLDERS.isdisjoint(folders)


def _find_common_folder(paths: Iterable[str]) -> str:
    """Return the one folder that contains all files, with its slash; "" if there is none."""
    top_folders = {path.partition("/")[0] if "/" in path else "" for path in paths}
    return f"{top_folders.pop()}/" if len(top_folders) == 1 and top_folders != {""} else ""
