"""The page that sets the transcripts of many recordings from a table: choose a table, see a preview, apply it."""

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from audio.transcripts.columns import Columns
from audio.transcripts.rows import MAX_COLUMNS
from audio.transcripts.table import TranscriptTable
from consent.access import get_user, require_permission
from voicehub.refusals import ActionRefused
from voicehub.text import format_count
from voicehub.upload_limits import TRANSCRIPT_TABLE_BYTES
from voices.models import Voice
from voices.services.recordings.bulk.parts import PART_SIZE
from voices.services.recordings.bulk.table_preview import ChosenColumns, TablePreview, preview_table
from voices.services.recordings.bulk.transcripts import apply_transcripts
from voices.views.recording_selection import (
    Selection,
    answer,
    answer_refusal,
    describe_following,
    describe_skipped,
    get_open_voice,
    make_list_url,
    read_id,
    read_selection,
)

# Changes and lines of each kind that the preview shows. It says how many more there are.
MAX_SHOWN = 50
MAX_LINES_SHOWN = 10


@require_permission("voices.change_recording")
@require_http_methods(["GET", "HEAD", "POST"])
def recordings_transcripts(request: HttpRequest, pk: str) -> HttpResponse:
    """Choose a table for the selected recordings, see what it changes, and apply it.

    Opened by its address, the page is for all recordings that match its query string.
    """
    voice = get_open_voice(request, pk)
    data = request.POST if request.method == "POST" else _select_all(request)
    query = data.get("filter", "")
    try:
        if change := request.POST.get("with_zeros") or request.POST.get("change"):
            return _apply(request, voice, query, change)
        selection = read_selection(voice, data)
    except ActionRefused as refusal:
        return answer_refusal(request, voice, query, refusal)
    context: dict[str, Any] = {"voice": voice, "selection": selection, "back_url": make_list_url(voice, query)}
    context["max_megabytes"] = TRANSCRIPT_TABLE_BYTES >> 20
    if "step" in request.POST:
        context |= _make_preview(request, voice, selection)
    return render(request, "voices/recordings_transcripts.html", context, status=400 if "problem" in context else 200)


def _select_all(request: HttpRequest) -> QueryDict:
    data = QueryDict(mutable=True)
    data.update({"all": "1", "filter": request.GET.urlencode()})
    return data


def _make_preview(request: HttpRequest, voice: Voice, selection: Selection) -> dict[str, Any]:
    """The preview of the chosen table, or the problem with it."""
    file = request.FILES.get("table")
    try:
        columns = ChosenColumns(_read_column(request, "names"), _read_column(request, "texts"))
        preview = preview_table(voice, selection.ids, _read_file(file), get_user(request), columns)
    except ActionRefused as refusal:
        return {"problem": str(refusal), **{name: request.POST.get(name, "") for name in ("names", "texts")}}
    shown = preview.changes[:MAX_SHOWN]
    return {
        "preview": preview, "shown": shown, "more": len(preview.changes) - len(shown),
        "groups": _list_groups(preview), "table_name": file.name if file else "",
        "rest": max(0, len(preview.changes) - PART_SIZE), "both": len(preview.changes) + len(preview.proposed),
        "columns": _list_columns(preview.table), "is_certain": preview.table.columns.is_certain,
    }  # fmt: skip


def _read_column(request: HttpRequest, name: str) -> int | None:
    """The place of a column that was chosen by its number; None for one that is to be found."""
    number = request.POST.get(name, "").strip()
    if not number:
        return None
    if not number.isascii() or not number.isdigit() or not 1 <= int(number) <= MAX_COLUMNS:
        raise ActionRefused(f"The number of a column is between 1 and {MAX_COLUMNS}.")
    return int(number) - 1


def _list_columns(table: TranscriptTable) -> list[dict[str, Any]]:
    """Each column of the table with its first cells, and what it is taken for."""
    columns = table.columns
    return [
        {"number": place + 1, "role": _name_role(columns, place), "cells": cells}
        for place, cells in enumerate(table.samples)
    ]


def _name_role(columns: Columns, place: int) -> str:
    roles = {columns.name_at: "File name", columns.text_at: "Transcript"}
    if columns.normalized_at is not None:
        roles[columns.normalized_at] = "Normalized transcript, not used"
    return roles.get(place, "Not used")


def _read_file(file: "UploadedFile[Any] | None") -> bytes:
    if file is None:
        raise ActionRefused("No table is chosen. Choose a CSV or TSV file.")
    return bytes(file.read(TRANSCRIPT_TABLE_BYTES + 1))  # one byte more than `read_table` accepts


def _list_groups(preview: TablePreview) -> list[dict[str, Any]]:
    """The lines that change nothing, by reason."""
    return [
        {"title": title, "count": len(lines), "lines": lines[:MAX_LINES_SHOWN], "more": len(lines) - MAX_LINES_SHOWN}
        for title, lines in preview.unused
        if lines
    ]


def _apply(request: HttpRequest, voice: Voice, query: str, change: str) -> HttpResponse:
    result = apply_transcripts(read_id(change), voice, get_user(request))
    text = f"{format_count(result.changed, 'transcript', 'transcripts')} set.{describe_following(result.following)}"
    return answer(request, voice, query, f"{text}{describe_skipped(result)}", result.change)
