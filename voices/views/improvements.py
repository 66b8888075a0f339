"""What can be improved on the Readiness tab: findings, copies of one sound, and transcripts to repair."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST, require_safe

from consent.access import get_user, require_permission
from consent.services.voice_comparison import is_comparison_allowed
from voicehub.refusals import ActionRefused, show_refusal_as_message
from voicehub.text import format_count
from voices.models import Voice
from voices.services.recordings.bulk.changes import BulkResult
from voices.services.recordings.bulk.undo import undo_changes
from voices.services.recordings.copies import find_copies, keep_copy
from voices.services.recordings.repairs import find_repairs, has_repairs, repair_transcripts
from voices.views.finding_list import list_findings, split_findings
from voices.views.recording_selection import describe_following, describe_undo, get_open_voice, read_id
from voices.views.sound_charts import make_sound_charts

MAX_SHOWN_COPIES, MAX_SHOWN_REPAIRS = 10, 20
# In the address of the tab: its page then has everything from the start. The part that the address names gets the
# focus (its `tabindex` allows it): the pressed button is gone, and a person at the keyboard goes on from there.
SHOWN = "improvements=show"
OUTDATED = "The page was not up to date, so nothing was changed. Try again."


def load_improvements(voice: Voice) -> dict[str, Any]:
    """The copies, repairs and charts. They read every recording, so the tab loads them after the page."""
    copies, repairs = find_copies(voice), find_repairs(voice)
    return {
        "has_improvements": True,
        "charts": make_sound_charts(voice),
        "copies": copies[:MAX_SHOWN_COPIES],
        "copy_count": len(copies),
        "more_copies": max(0, len(copies) - MAX_SHOWN_COPIES),
        "repairs": repairs[:MAX_SHOWN_REPAIRS],
        "repair_count": len(repairs),
        "more_repairs": max(0, len(repairs) - MAX_SHOWN_REPAIRS),
    }


@require_permission("voices.view_recording")
@require_safe
def finding_list(request: HttpRequest, pk: str) -> HttpResponse:
    """The findings, which the tab loads again while the checks find more."""
    voice = get_open_voice(request, pk)
    context = {"voice": voice, "is_comparison_allowed": is_comparison_allowed(voice.talent_id)}
    return render(request, "voices/_findings.html", {**context, **split_findings(list_findings(voice))})


@require_permission("voices.view_recording")
@require_safe
def improvements(request: HttpRequest, pk: str) -> HttpResponse:
    """The charts, copies and repairs, which the tab loads after the page, and again when the checks have ended."""
    voice = get_open_voice(request, pk)
    return render(request, "voices/_improvements.html", {"voice": voice, **load_improvements(voice)})


@require_permission("voices.change_recording")
@require_POST
@show_refusal_as_message("voices:readiness")
def copy_keep(request: HttpRequest, pk: str) -> HttpResponse:
    """Keep one of the recordings with the same sound in builds, and exclude the others."""
    voice = get_open_voice(request, pk)
    results = keep_copy(voice, read_id(request.POST.get("recording", ""), OUTDATED), get_user(request))
    left_out = format_count(results[-1].changed, "copy", "copies")
    _show_done(request, voice, f"One recording is kept in builds, {left_out} excluded.", results)
    return redirect(f"{voice.get_readiness_url()}?{SHOWN}#copies")


@require_permission("voices.change_recording")
@require_POST
@show_refusal_as_message("voices:readiness")
def transcripts_repair(request: HttpRequest, pk: str) -> HttpResponse:
    """Repair the transcript of one recording, or all that can be repaired."""
    voice = get_open_voice(request, pk)
    text = request.POST.get("recording", "")
    result = repair_transcripts(voice, get_user(request), read_id(text, OUTDATED) if text else None)
    if not result.changed:
        raise ActionRefused("There is nothing to repair anymore. Nothing was changed.")
    repaired = format_count(result.changed, "transcript", "transcripts")
    rest = describe_following(result.following) or " They are being compared with the others."
    _show_done(request, voice, f"{repaired} repaired.{rest}", [result])
    part = "repairs" if has_repairs(voice) else "messages"
    return redirect(f"{voice.get_readiness_url()}?{SHOWN}#{part}")


@require_permission("voices.change_recording")
@require_POST
@show_refusal_as_message("voices:readiness")
def improvement_undo(request: HttpRequest, pk: str) -> HttpResponse:
    """Undo the last choice of a copy, or the last repair, by the same person."""
    voice = get_open_voice(request, pk)
    ids = [read_id(text, OUTDATED) for text in request.POST.getlist("change")]
    messages.success(request, describe_undo(undo_changes(ids, voice, get_user(request))))
    return redirect(f"{voice.get_readiness_url()}#messages")


def _show_done(request: HttpRequest, voice: Voice, text: str, results: Sequence[BulkResult]) -> None:
    changes = [result.change for result in results if result.change]
    context = {"voice": voice, "text": text, "changes": changes}
    messages.success(request, render_to_string("voices/_improvement_done.html", context, request))
