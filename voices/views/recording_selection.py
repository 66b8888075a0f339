"""What the actions on many recordings share: which recordings they are for, and how their answer reaches the page."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.urls import reverse

from consent.access import get_user
from voicehub.refusals import ActionRefused
from voicehub.text import format_count
from voices import access
from voices.models import BulkChange, Voice
from voices.services.recordings.bulk.changes import BulkResult
from voices.services.recordings.bulk.undo import UndoResult
from voices.views.recording_filters import query_matching

NOTHING_SELECTED = "No recording is selected. Select one or more, then choose the action again."
RELOAD = "The selection could not be read. Reload the page and select the recordings again."


@dataclass(frozen=True, slots=True)
class Selection:
    """The recordings of an action: those with a chosen row, or all that match a filter and a search.

    `filter` is the query string of the table, and `fields` select the same recordings in the next form.
    """

    ids: list[UUID]
    filter: str
    fields: list[tuple[str, str]]


def get_open_voice(request: HttpRequest, pk: str) -> Voice:
    """The voice. Its recordings are closed to some users after a withdrawal: PermissionDenied."""
    voice = get_object_or_404(access.query_voices(), pk=pk)
    access.require_open_recordings(voice, get_user(request))
    return voice


def read_selection(voice: Voice, data: QueryDict) -> Selection:
    """The selection in the fields of a form. Raises ActionRefused if nothing is selected.

    `recording` is a row of the page. `others` has the ids of other pages in one field: a form may have 1,000 fields.
    """
    query = data.get("filter", "")
    texts = [*data.getlist("recording"), *filter(None, data.get("others", "").split(","))]
    if data.get("all") == "1":
        ids = list(query_matching(voice, read_query(query)).order_by("pk").values_list("pk", flat=True))
        fields = [("all", "1")]
    else:
        ids, fields = list(dict.fromkeys(map(read_id, texts))), [("others", ",".join(texts))]
    if not ids:
        raise ActionRefused(NOTHING_SELECTED)
    return Selection(ids, query, [*fields, ("filter", query)])


def read_id(text: str, problem: str = RELOAD) -> UUID:
    """The id that a field of a form has. Raises ActionRefused with this problem if it is none."""
    try:
        return UUID(text)
    except ValueError:
        raise ActionRefused(problem) from None


def read_query(query: str) -> Mapping[str, str]:
    """The parameters of a query string. One that cannot be read has none."""
    try:
        return QueryDict(query).dict()
    except ValueError:
        return {}


def make_list_url(voice: Voice, query: str) -> str:
    """The list of recordings on the page of the voice, with its filter and search."""
    parameters = urlencode(read_query(query))
    return f"{voice.get_absolute_url()}{f'?{parameters}' if parameters else ''}#recordings"


def find_list_url(request: HttpRequest, pk: str) -> str:
    """The list from which a form came, or a link with its filter."""
    return make_list_url(get_open_voice(request, pk), request.POST.get("filter") or request.GET.urlencode())


def describe_skipped(result: BulkResult) -> str:
    parts = [f"{count} {reason}" for reason, count in result.reasons]
    return f" Not changed: {', '.join(parts)}." if parts else ""


def describe_following(count: int) -> str:
    """What a task does with the other recordings of a large table."""
    return f" {format_count(count, 'more follows', 'more follow')} in the background." if count else ""


def describe_undo(result: UndoResult) -> str:
    restored = f"Undone: {format_count(result.restored, 'recording is', 'recordings are')} as before."
    restored += describe_following(result.following)
    if not result.left_alone:
        return restored
    return f"{restored} {format_count(result.left_alone, 'was', 'were')} changed since and left alone."


def answer(request: HttpRequest, voice: Voice, query: str, text: str, change: BulkChange | None = None) -> HttpResponse:
    """Say what was done, with an undo if there is one. With htmx, the page shows it and loads its table again."""
    if request.headers.get("HX-Request"):
        undo = {"undo": str(change.pk), "url": reverse("voices:recordings_undo", args=[voice.pk])} if change else {}
        done = {"text": text, **undo}
        return _trigger({"recordings-done": done, "recordings-changed": {}, "readiness-changed": {}})
    shown = render_to_string("voices/_undo_message.html", {"voice": voice, "text": text, "change": change}, request)
    messages.success(request, shown)
    return redirect(make_list_url(voice, query))


def answer_refusal(request: HttpRequest, voice: Voice, query: str, refusal: ActionRefused) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return _trigger({"action-refused": {"text": str(refusal)}})
    messages.error(request, str(refusal))
    return redirect(make_list_url(voice, query))


def _trigger(events: Mapping[str, object]) -> HttpResponse:
    response = HttpResponse(status=204)
    response.headers["HX-Trigger"] = json.dumps(events)
    return response
