"""The cuts of a long recording: see them, move them, and split the recording there."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from consent.access import get_user, require_permission
from voicehub.refusals import ActionRefused, handle_refusal
from voicehub.text import format_count
from voices import access
from voices.models import CutProposal, Recording
from voices.models.recording_lengths import CLIP_LIMITS
from voices.presenters import is_playable
from voices.services.estimates import describe_end, estimate_counted
from voices.services.recordings.cuts import (
    ONLY_LONG,
    PEAKS_PER_SECOND,
    format_clips,
    parse_clips,
    request_cuts,
)
from voices.services.recordings.segment import enqueue_split

CHANGED_PERMISSION = "voices.change_recording"


def _get_recording(request: HttpRequest, pk: UUID) -> Recording:
    recording = get_object_or_404(access.query_recordings(), pk=pk)
    access.require_open_recordings(recording.voice, get_user(request))
    return recording


def _find_proposal(recording: Recording) -> CutProposal | None:
    return CutProposal.objects.defer("peaks", "speech").filter(recording=recording).first()


def _make_list_url(recording: Recording) -> str:
    return f"{recording.voice.get_absolute_url()}?open={recording.pk}#recordings"


@require_permission(CHANGED_PERMISSION)
@require_http_methods(["GET", "HEAD", "POST"])
def recording_cuts(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The page of the cuts. A POST with `propose` asks for them, another one splits the recording at its `clips`."""
    recording = _get_recording(request, pk)
    if not recording.can_be_cut:
        messages.error(request, ONLY_LONG)
        return redirect(_make_list_url(recording))
    if request.method == "POST" and "propose" not in request.POST:
        return _split(request, recording)
    if request.method == "POST":
        with handle_refusal(lambda reason: messages.error(request, reason)):
            request_cuts(recording)
        return redirect("voices:recording_cuts", recording.pk)
    return render(request, "voices/recording_cuts.html", _make_context(recording))


def _split(request: HttpRequest, recording: Recording) -> HttpResponse:
    typed = request.POST.get("clips", "")
    try:
        clips = parse_clips(typed, recording)
        enqueue_split(recording, get_user(request), clips)
    except ActionRefused as refusal:
        context = _make_context(recording) | {"typed": typed, "problems": refusal.reasons}
        return render(request, "voices/recording_cuts.html", context, status=400)
    subject = format_count(len(clips), "clip", "clips")
    messages.success(request, f"Splitting {recording.file_name} into {subject}. They will appear here.")
    return redirect(f"{recording.voice.get_absolute_url()}#recordings")


def _make_context(recording: Recording) -> dict[str, Any]:
    proposal = _find_proposal(recording)
    context: dict[str, Any] = {"recording": recording, "voice": recording.voice, "proposal": proposal}
    if proposal is None or proposal.proposed_at is None:
        return context | {"progress": _make_progress(proposal)}
    clips = proposal.clips or proposal.segments
    return context | {
        "is_ready": True,
        "is_playable": is_playable(recording),
        "clip_lines": format_clips(clips, recording.sample_rate),
        "clip_count": len(clips),
        "limits": CLIP_LIMITS,
    }


def _make_progress(proposal: CutProposal | None) -> dict[str, Any] | None:
    """How much of the recording is read. None if nothing is under way."""
    if proposal is None or proposal.has_failed:
        return None
    percent = round(100 * proposal.read_share)
    elapsed = (timezone.now() - proposal.requested_at).total_seconds()
    return {"percent": percent, "end": describe_end(estimate_counted(None, percent, 100, elapsed)) if percent else ""}


@require_permission(CHANGED_PERMISSION)
@require_safe
def recording_cuts_progress(request: HttpRequest, pk: UUID) -> HttpResponse:
    """How much of the recording is read. The page loads itself again when its cuts are known, or cannot be."""
    recording = _get_recording(request, pk)
    proposal = _find_proposal(recording)
    progress = _make_progress(proposal)
    if progress is None or (proposal and proposal.proposed_at) or not recording.can_be_cut:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "voices/_recording_cuts_progress.html", {"recording": recording, "progress": progress})


@require_permission(CHANGED_PERMISSION)
@require_safe
def recording_cuts_sound(request: HttpRequest, pk: UUID) -> JsonResponse:
    """What the editor draws: the loudest sample of each 10 ms as bytes in Base64, and the spans of speech."""
    recording = _get_recording(request, pk)
    proposal = CutProposal.objects.filter(recording=recording).exclude(proposed_at=None).first()
    if proposal is None:
        raise Http404("The cuts of this recording are not known.")
    return JsonResponse({"peaks": proposal.peaks, "peaks_per_second": PEAKS_PER_SECOND, "speech": proposal.speech})
