"""Actions on the selected rows of a list: run a service on each row, and say in words what became of each."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest

from voicehub.refusals import ActionRefused
from voicehub.storage import StorageUnavailable

MAX_NAMES = 5  # that one message lists


def run_on_rows(request: HttpRequest, rows: Iterable[Any], act: Callable[[Any], str]) -> None:
    """Call `act` with each row. It returns what happened, or raises ActionRefused.

    Rows with the same result share one message, so that an action on a whole list does not fill the page.
    """
    results: dict[tuple[int, str], list[str]] = {}
    for row in rows:
        try:
            result = messages.SUCCESS, act(row)
        except ActionRefused as refusal:
            result = messages.ERROR, str(refusal)
        results.setdefault(result, []).append(str(row))
    for (level, text), names in results.items():
        messages.add_message(request, level, f"{_list_names(names)}: {text}")


def report_file_check(check: Callable[[Any], str], row: Any, intact: str) -> str:
    """Call `check`, which returns what is wrong with the stored files of the row. Raises ActionRefused with that."""
    try:
        problem = check(row)
    except StorageUnavailable as error:
        raise ActionRefused(f"Not checked. {error}") from None
    if problem:
        raise ActionRefused(problem)
    return intact


def _list_names(names: list[str]) -> str:
    shown = ", ".join(names[:MAX_NAMES])
    return f"{shown} and {len(names) - MAX_NAMES:,} more" if len(names) > MAX_NAMES else shown
