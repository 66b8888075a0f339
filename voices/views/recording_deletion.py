"""The page that asks before many recordings are deleted for good, and their deletion."""

from hashlib import sha256
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from consent.access import get_user, require_permission
from voicehub.confirmation import require_confirmation
from voicehub.refusals import ActionRefused
from voicehub.text import format_count
from voices.services.recordings.bulk.deletion import delete_recordings, plan_deletion
from voices.views.recording_selection import (
    answer,
    answer_refusal,
    describe_skipped,
    find_list_url,
    get_open_voice,
    make_list_url,
    read_selection,
)


@require_permission("voices.delete_recording")
@require_POST
@require_confirmation(page=find_list_url)
def recordings_bulk_delete(request: HttpRequest, pk: str) -> HttpResponse:
    """Ask whether the selected recordings are to be deleted, with their exact number. Then delete them.

    If others are deletable than the page showed, it asks again.
    """
    voice = get_open_voice(request, pk)
    query = request.POST.get("filter", "")
    try:
        selection = read_selection(voice, request.POST)
        ids, plan = plan_deletion(voice, selection.ids)
        confirmed = request.POST.get("confirmed", "")
        if confirmed != _make_digest(ids) or not ids:
            context = {"voice": voice, "selection": selection, "plan": plan, "digest": _make_digest(ids)}
            context |= {
                "kept": plan.reasons,
                "has_changed": bool(confirmed),
                "back_url": make_list_url(voice, query),
            }
            return render(request, "voices/recordings_delete.html", context)
        result = delete_recordings(voice, ids, get_user(request))
    except ActionRefused as refusal:
        return answer_refusal(request, voice, query, refusal)
    text = f"{format_count(result.changed, 'recording', 'recordings')} deleted.{describe_skipped(result)}"
    return answer(request, voice, query, text)


def _make_digest(ids: list[UUID]) -> str:
    """Changes when other recordings would be deleted."""
    return sha256(b"".join(pk.bytes for pk in sorted(ids))).hexdigest()[:32]
