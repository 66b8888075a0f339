"""Actions on many recordings that are done at once, and their undo."""

from collections.abc import Callable, Sequence
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from consent.access import get_user, require_permission
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.text import format_count
from voices.models import Voice
from voices.services.recordings.bulk.changes import BulkResult
from voices.services.recordings.bulk.inclusion import (
    include_recordings,
    leave_out_recordings,
    recheck_recordings,
)
from voices.services.recordings.bulk.undo import undo_change
from voices.views.recording_selection import (
    answer,
    answer_refusal,
    describe_skipped,
    describe_undo,
    get_open_voice,
    read_id,
    read_selection,
)

Action = Callable[[Voice, Sequence[UUID], User], BulkResult]
# For each value of the field `action`: the service, and what the page says after the number of recordings.
ACTIONS: dict[str, tuple[Action, str]] = {
    "include": (include_recordings, "included in builds"),
    "leave_out": (leave_out_recordings, "excluded from builds"),
    "check": (lambda voice, ids, _by: recheck_recordings(voice, ids), "being checked again"),
}


@require_permission("voices.change_recording")
@require_POST
def recordings_bulk(request: HttpRequest, pk: str) -> HttpResponse:
    """Do one of the `ACTIONS` with the selected recordings, or with all that match the filter."""
    voice = get_open_voice(request, pk)
    query = request.POST.get("filter", "")
    try:
        selection = read_selection(voice, request.POST)
        if request.POST.get("action") not in ACTIONS:
            raise ActionRefused("This action does not exist. Reload the page and choose one of its buttons.")
        act, words = ACTIONS[request.POST["action"]]
        result = act(voice, selection.ids, get_user(request))
    except ActionRefused as refusal:
        return answer_refusal(request, voice, query, refusal)
    text = f"{format_count(result.changed, 'recording', 'recordings')} {words}.{describe_skipped(result)}"
    return answer(request, voice, query, text, result.change)


@require_permission("voices.change_recording")
@require_POST
def recordings_undo(request: HttpRequest, pk: str) -> HttpResponse:
    """Undo an action of the same person."""
    voice = get_open_voice(request, pk)
    query = request.POST.get("filter", "")
    try:
        result = undo_change(read_id(request.POST.get("change", "")), voice, get_user(request))
    except ActionRefused as refusal:
        return answer_refusal(request, voice, query, refusal)
    return answer(request, voice, query, describe_undo(result))
