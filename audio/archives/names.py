"""Decodes and checks the names in an archive. They are shown and looked up, but never used as file names on disk."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from audio.archives.limits import ArchiveLimits, Entry, MemberRefused, quote_name, refuse
from audio.archives.name_encoding import can_decode, choose_code_page, describe_code_page
from audio.findings.findings import FileRefused, Finding, make_finding
from audio.transcripts.names import TABLE_SUFFIXES, fold_name, get_stem
from audio.transcripts.rows import read_lines

SYSTEM_FILES = frozenset({".ds_store", "thumbs.db", "desktop.ini", "icon\r"})
SYSTEM_FOLDERS = frozenset({"__MACOSX", ".Trashes", ".Spotlight-V100", ".fseventsd"})
"""Files and folders that operating systems add to archives."""
EXTRA_SYSTEM_FILE_DEPTH = 2
"""Additional depth allowed for system files: a folder around everything, and __MACOSX, which repeats the folders."""
INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
"""Unicode categories: controls, marks that change the writing direction, and characters that no font shows."""
CELL_END_PATTERN = re.compile('[|\t;,\r\n"]| {2,}')
UNNAMED = "unnamed"


@dataclass(frozen=True, slots=True)
class NamedFiles:
    """The files without folders and system files, by the path that is shown, and what was done to their names."""

    by_path: dict[str, Entry]
    findings: list[Finding]
    code_page: str = ""


def arrange_files(entries: list[Entry], limits: ArchiveLimits, language: str = "", code_page: str = "") -> NamedFiles:
    """Name the files. The shown paths omit the folder around everything. FileRefused for a path that leads outside.

    Names that are not UTF-8 are read in `code_page`. Without one, or if it lacks a character, it is found.
    """
    findings: list[Finding] = []
    entries, page = _decode_paths(entries, limits, language, code_page, findings)
    for entry in entries:
        _check_path(entry.path, limits)
    entries = [entry for entry in entries if not is_system_file(entry.path) and not _is_top_folder(entry)]
    cleaned = [replace(entry, path=_clean_path(entry.path, limits)) for entry in entries]
    _check_collisions(cleaned)
    files = [entry for entry in cleaned if not entry.is_folder]
    _report_cleaned(entries, cleaned, findings)
    prefix = _find_common_folder(entry.path for entry in files)
    named = {entry.path.removeprefix(prefix): entry for entry in files}
    for path in named:
        if path.count("/") > limits.folders:
            refuse("name_too_deep", name=path, limit=limits.folders)
    return NamedFiles(named, findings, page)


def _decode_paths(
    entries: list[Entry], limits: ArchiveLimits, language: str, page: str, findings: list[Finding]
) -> tuple[list[Entry], str]:
    """Decode the names that are not UTF-8. All are in one code page: that of the system that packed the archive.

    Returns the entries and the code page, which is empty if all names are UTF-8.
    """
    raw = {entry.path: _encode_path(entry.path) for entry in entries if _is_undecoded(entry.path)}
    if raw:
        names = list(raw.values())
        if not page or not can_decode(names, page):
            known = _collect_table_cells(entries, limits)
            page = choose_code_page(names, lambda name: fold_name(get_stem(name)) in known, language)
        decoded = {path: name.decode(page) for path, name in raw.items()}
        entries = [replace(entry, path=decoded.get(entry.path, entry.path)) for entry in entries]
        example = quote_name(next(iter(decoded.values())))
        findings.append(make_finding("names_decoded", count=len(raw), page=describe_code_page(page), name=example))
    # Only now, because the second byte of some Japanese letters is a backslash.
    return [replace(entry, path=entry.path.replace("\\", "/")) for entry in entries], page if raw else ""


def _is_undecoded(path: str) -> bool:
    return any("\udc80" <= character <= "\udcff" for character in path)


def _encode_path(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def _collect_table_cells(entries: list[Entry], limits: ArchiveLimits) -> set[str]:
    """The cells of all tables that could be names of recordings with letters beyond ASCII."""
    cells, bytes_left = set[str](), limits.list_bytes
    for entry in entries:
        if not entry.path.lower().endswith(TABLE_SUFFIXES) or entry.size > bytes_left or entry.is_folder:
            continue
        bytes_left -= entry.size
        try:
            for line in read_lines(b"".join(entry.read())):
                words = [] if line.isascii() else [*CELL_END_PATTERN.split(line), line.partition(" ")[0]]
                cells.update(fold_name(get_stem(word)) for word in words if len(word) <= limits.name_characters)
        except (FileRefused, MemberRefused):
            continue
    return cells


def _check_path(path: str, limits: ArchiveLimits) -> None:
    """Refuse every path that leads outside, as such a name is packed on purpose."""
    if path.startswith("/"):
        refuse("name_absolute", name=path)
    if re.match("[A-Za-z]:", path):
        refuse("name_drive", name=path)
    parts = path.split("/")
    if any(part.strip() == ".." for part in parts):
        refuse("name_escapes", name=path)
    if len(parts) > limits.folders + EXTRA_SYSTEM_FILE_DEPTH + 1:
        refuse("name_too_deep", name=path, limit=limits.folders)


def _clean_path(path: str, limits: ArchiveLimits) -> str:
    """The path as it is shown: without empty parts, and with nothing that cannot be seen."""
    return "/".join(_clean_part(part, limits) for part in _list_parts(path)) or UNNAMED


def _clean_part(part: str, limits: ArchiveLimits) -> str:
    shown = "".join("_" if unicodedata.category(one) in INVISIBLE_CATEGORIES else one for one in part)
    half = limits.name_characters // 2
    return shown if len(shown) <= limits.name_characters else f"{shown[:half]}…{shown[-half:]}"


def _list_parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def _report_cleaned(entries: list[Entry], cleaned: list[Entry], findings: list[Finding]) -> None:
    pairs = zip(entries, cleaned, strict=True)
    changed = [new.path for old, new in pairs if not new.is_folder and _list_parts(old.path) != new.path.split("/")]
    if changed:
        findings.append(make_finding("names_cleaned", count=len(changed), name=quote_name(changed[0])))


def _check_collisions(entries: list[Entry]) -> None:
    """Refuse paths that some system takes for the same: equal except for case, accents' encoding or final dots."""
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
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", path).casefold())
    return "/".join(part.strip().rstrip(". ") for part in folded.split("/"))


def _is_top_folder(entry: Entry) -> bool:
    """Whether it is the packed folder itself: "./" in archives of `tar -C folder .`."""
    return entry.is_folder and not _list_parts(entry.path)


def is_system_file(path: str) -> bool:
    *folders, name = path.split("/")
    return name.lower() in SYSTEM_FILES or name.startswith("._") or not SYSTEM_FOLDERS.isdisjoint(folders)


def _find_common_folder(paths: Iterable[str]) -> str:
    """Return the one folder that contains all files, with its slash; "" if there is none."""
    top_folders = {path.partition("/")[0] if "/" in path else "" for path in paths}
    return f"{top_folders.pop()}/" if len(top_folders) == 1 and top_folders != {""} else ""
