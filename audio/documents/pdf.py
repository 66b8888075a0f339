"""Opens a PDF in the limited child process, and lists what it contains besides pages."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

from audio.findings.findings import FileRefused, Finding, make_finding
from audio.untrusted.runner import ChildFailed, ChildLimits, run_job

if TYPE_CHECKING:
    from pypdf import PdfReader
    from pypdf.generic import DictionaryObject

CHILD_LIMITS = ChildLimits(cpu_seconds=20, wall_seconds=60.0)
RECORD_SHAPES: Mapping[str, Mapping[str, Any]] = {"content": {"pages": int, "warnings": list}}
CONTENT_WARNINGS = ("pdf_script", "pdf_action", "pdf_launch", "pdf_attachment", "pdf_xfa")
"""The codes that the job may report, in the order in which pages show them."""

HARMLESS_ACTIONS = frozenset({"/GoTo", "/Named"})
"""Actions that move within the document. Many programs write one as /OpenAction, to set the zoom."""
WARNINGS_BY_KEY = {"/JS": "pdf_script", "/EF": "pdf_attachment", "/XFA": "pdf_xfa"}
WARNINGS_BY_ACTION = {"/JavaScript": "pdf_script", "/Launch": "pdf_launch", "/GoToE": "pdf_attachment"}
CHILD_FAILURES = {"took_too_long": "pdf_too_large", "needed_too_much_memory": "pdf_too_large"}
"""What a stopped child means for a PDF; every other failure means that the PDF is broken."""


def inspect_pdf(source: BinaryIO | Path, limits: ChildLimits = CHILD_LIMITS) -> list[Finding]:
    """Open the PDF and every page in a limited child process, and return a warning for each risky content.

    Raises FileRefused if the PDF cannot be opened within the limits.
    """
    try:
        (record,) = run_job(read_pdf, source, {}, RECORD_SHAPES, limits)
    except ChildFailed as failed:
        raise FileRefused(_translate_failure(failed.finding)) from None
    return [make_finding(code) for code in CONTENT_WARNINGS if code in record["warnings"]]


def _translate_failure(finding: Finding) -> Finding:
    if finding.code.startswith("pdf_"):
        return finding
    return make_finding(CHILD_FAILURES.get(finding.code, "pdf_broken"))


# --- The job of the child process -----------------------------------------------------------------


def read_pdf(source: BinaryIO) -> Iterator[dict[str, Any]]:
    """Yield one record of RECORD_SHAPES. pypdf is imported here, because only the child may read the PDF."""
    # Without Pillow, pypdf opens no picture of a stranger, and the child needs less memory.
    sys.modules.setdefault("PIL", None)  # type: ignore[arg-type]  # None says: it cannot be imported
    from pypdf import PdfReader
    from pypdf.errors import LimitReachedError, PyPdfError

    try:
        reader = PdfReader(source)
        if reader.is_encrypted and not reader.decrypt(""):
            _refuse("pdf_locked")
        pages = _read_pages(reader)
        warnings = set(_find_warnings(reader))
    except LimitReachedError:
        _refuse("pdf_too_large")
    except PyPdfError:
        _refuse("pdf_broken")
    yield {"kind": "content", "pages": pages, "warnings": sorted(warnings)}


def _read_pages(reader: "PdfReader") -> int:
    """Count the pages after unpacking the content of each; a page may be blank, but its content may not be lost."""
    from pypdf.generic import NullObject

    count = 0
    for page in reader.pages:
        count += 1
        content = page.get_contents()
        if content is not None:
            content.get_data()
        elif "/Contents" in page and not isinstance(page.raw_get("/Contents"), NullObject):
            _refuse("pdf_broken")
    if not count:
        _refuse("pdf_without_page")
    return count


def _find_warnings(reader: "PdfReader") -> Iterator[str]:
    """Yield the warnings of every object that can be reached from the catalog."""
    from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

    visited: set[tuple[int, int]] = set()
    waiting: list[Any] = [reader.root_object]
    while waiting:
        value = waiting.pop()
        if isinstance(value, IndirectObject):
            if (number := (value.idnum, value.generation)) in visited:
                continue
            visited.add(number)
            value = value.get_object()
        if isinstance(value, DictionaryObject):
            yield from _find_dictionary_warnings(value)
            waiting += [value.raw_get(key) for key in value]
        elif isinstance(value, ArrayObject):
            waiting += list.__iter__(value)


def _find_dictionary_warnings(entries: "DictionaryObject") -> Iterator[str]:
    yield from (code for key, code in WARNINGS_BY_KEY.items() if key in entries)
    action = _get_value(entries, "/S")
    if isinstance(action, str) and action in WARNINGS_BY_ACTION:
        yield WARNINGS_BY_ACTION[action]
    triggers = _get_value(entries, "/AA")
    started = [_get_value(triggers, key) for key in triggers] if isinstance(triggers, dict) else []
    if any(_is_risky_action(action) for action in [_get_value(entries, "/OpenAction"), *started]):
        yield "pdf_action"


def _is_risky_action(action: Any) -> bool:
    """Whether this is an action, and not only the page to begin with, that does more than move in the document."""
    return isinstance(action, dict) and "/S" in action and _get_value(action, "/S") not in HARMLESS_ACTIONS


def _get_value(entries: Any, key: str) -> Any:
    """The value itself where the dictionary only refers to it."""
    value = entries.get(key)
    return None if value is None else value.get_object()


def _refuse(code: str) -> NoReturn:
    raise FileRefused(make_finding(code))
