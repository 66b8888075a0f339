"""What can be done with recordings: list, transcribe, include in builds, split, delete, play."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from consent.access import get_user, require_permission
from consent.services.file_access import send_recorded
from voicehub import media
from voicehub.confirmation import require_confirmation
from voicehub.edit_versions import ChangedMeanwhile
from voicehub.refusals import handle_refusal, show_refusal_as_message
from voicehub.text import format_count
from voices import access
from voices.forms import TranscriptForm
from voices.models import Recording, Voice
from voices.presenters import is_playable
from voices.services.file_access import describe_recording
from voices.services.recordings.emotions import find_emotion_option, list_emotion_providers, set_emotion
from voices.services.recordings.inclusion import leave_out
from voices.services.recordings.segment import enqueue_split
from voices.services.recordings.store import check_again, delete_recording, save_transcript, switch_active
from voices.services.refused_recordings import note_refusals
from voices.views.recording_selection import get_open_voice
from voices.views.recording_table import load_recording_page, load_recording_progress

SWITCH_CHANGED = "A person or a check has changed this switch. The recording is {} now. Your change was not saved."


def _get_open_recording(request: HttpRequest, pk: UUID) -> Recording:
    recording = access.get_recording_or_404(pk)
    access.require_open_recordings(recording.voice, get_user(request))
    return recording


@require_permission("voices.view_recording")
@require_safe
def recording_table(request: HttpRequest, pk: str) -> HttpResponse:
    """The table of recordings. The address bar of the browser gets the URL of the voice page with the same filter."""
    voice = get_open_voice(request, pk)
    context = {
        "voice": voice,
        "recording_progress": load_recording_progress(voice),
        **load_recording_page(voice, request.GET),
    }
    response = render(request, "voices/_recordings.html", context)
    response.headers["HX-Replace-Url"] = f"{voice.get_absolute_url()}{_make_address(context)}"
    return response


def _make_address(context: Mapping[str, Any]) -> str:
    number, opened = context["page"].number, context["opened"]
    page = f"&page={number}" if number > 1 else ""
    return f"?{context['query']}{page}{f'&open={opened.pk}' if opened else ''}".replace("?&", "?").removesuffix("?")


@require_permission("voices.view_recording")
@require_safe
def recordings_poll(request: HttpRequest, pk: str) -> HttpResponse:
    """The recordings that changed since the page was rendered, a few at a time. Returns 204 if it is up to date.

    After rows were added or removed, the page reloads its table once no transcript is being edited (see
    recordings-refresh.js).
    """
    voice = get_open_voice(request, pk)
    progress = load_recording_progress(voice)
    seen, rows_seen = request.GET.get("seen"), request.GET.get("rows", "")
    has_all = "more" not in request.GET
    if progress.is_active and seen == progress.change_token and has_all:
        return HttpResponse(status=204)
    context = load_recording_page(voice, request.GET)
    poll = progress.compare_rows(rows_seen, context["page"])
    is_same_table = request.GET.get("table", "") == progress.table_token and not poll.is_whole
    context |= {"voice": voice, "recording_progress": progress, "row_poll": poll, "is_same_table": is_same_table}
    response = render(request, "voices/_recordings_poll.html", context)
    # Readiness depends on the findings. It loads itself again also when the table does.
    response.headers["HX-Trigger"] = "readiness-changed" if is_same_table else "recordings-changed"
    return response


@require_permission("voices.view_recording")
@require_safe
def recording_details(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Everything about one recording, as a row of the table below its own."""
    recording = _get_open_recording(request, pk)
    note_refusals([recording])
    context = {
        "recording": recording,
        "voice": recording.voice,
        "recording_progress": load_recording_progress(recording.voice),
    }
    return render(request, "voices/_recording_details.html", context)


@require_permission("voices.change_recording")
@require_http_methods(["GET", "HEAD", "POST"])
def recording_edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show or save the transcript and the emotion of one recording.

    With htmx this is a cell of the table, with the transcript only. Without it, it is a page.
    """
    recording = _get_open_recording(request, pk)
    form = TranscriptForm(request.POST or None, initial={"transcript": recording.transcript})
    context: dict[str, Any] = {"recording": recording, "voice": recording.voice}
    context |= {"emotion": find_emotion_option(), "emotion_providers": list_emotion_providers()}
    if request.method == "POST" and "theirs" not in request.POST:
        context |= _save_transcript(recording, form)
    status = 409 if context.get("conflict") else 200
    if request.headers.get("HX-Request"):
        return _render_transcript_cell(request, context, status)
    if context.get("saved") or "theirs" in request.POST:
        return redirect(recording.voice)
    return render(
        request, "voices/recording_edit.html", {"typed": form["transcript"].value(), **context}, status=status
    )


def _render_transcript_cell(request: HttpRequest, context: dict[str, Any], status: int) -> HttpResponse:
    recording: Recording = context["recording"]
    context |= {"recording_progress": load_recording_progress(recording.voice)}
    response = render(request, "voices/_transcript_saved.html", context, status=status)
    if context.get("saved"):
        response.headers["HX-Trigger"] = "readiness-changed, recordings-poll"
    if "theirs" in request.POST:  # also replaces the text box
        response.headers["HX-Retarget"] = response.headers["HX-Reselect"] = f"#transcript-form-{recording.pk}"
    return response


def _save_transcript(recording: Recording, form: TranscriptForm) -> dict[str, Any]:
    """Save the transcript. Returns for the template whether it was saved, and otherwise why not."""
    if "transcript" in form.errors:
        return {"problem": "The transcript is too long. Shorten it to at most 2,000 characters."}
    if not form.is_valid():
        return {"problem": "The emotion is too long. Shorten it to one word or two."}
    issues: list[str] = []
    try:
        with handle_refusal(issues.append):
            save_transcript(recording, form.cleaned_data["transcript"], form.cleaned_data["version"])
            if "emotion" in form.data:  # the cell of the table has no such field
                set_emotion(recording, form.cleaned_data["emotion"])
    except ChangedMeanwhile as change:
        recording.transcript = change.current
        return {"conflict": form.cleaned_data}
    return {"saved": not issues, "problem": " ".join(issues)}


@require_permission("voices.change_recording")
@require_POST
def recording_active(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Include the recording in the next build, or exclude it from builds, whatever the page showed before."""
    recording = _get_open_recording(request, pk)
    issues: list[str] = []
    with handle_refusal(issues.append):
        switch_active(recording, request.POST.get("active") == "on", recording.active)
    for issue in issues:
        messages.error(request, issue)
    return redirect(recording.voice.get_readiness_url())


@require_permission("voices.change_recording")
@require_POST
def recordings_switch(request: HttpRequest, pk: str) -> HttpResponse:
    """The switch in a row of the table. `put_back` or `leave_out` has the id of the recording."""
    voice = get_open_voice(request, pk)
    is_active = "put_back" in request.POST
    recording = _get_row(voice, request.POST.get("put_back") or request.POST.get("leave_out", ""))
    issues: list[str] = []
    status = 200
    try:
        with handle_refusal(issues.append):
            switch_active(recording, is_active, was_active=not is_active)
    except ChangedMeanwhile as change:
        recording.active, status = change.current, 409
        issues.append(SWITCH_CHANGED.format("in builds" if change.current else "excluded from builds"))
    if not request.headers.get("HX-Request"):
        for issue in issues:
            messages.error(request, issue)
        return redirect(f"{voice.get_absolute_url()}#recordings")
    note_refusals([recording])
    response = render(request, "voices/_inclusion_changed.html", {"recording": recording}, status=status)
    response.headers["HX-Trigger"] = "readiness-changed"
    if issues:
        events = {"readiness-changed": {}, "action-refused": {"text": " ".join(issues)}}
        response.headers["HX-Trigger"] = json.dumps(events)
    return response


def _get_row(voice: Voice, text: str) -> Recording:
    try:
        recording = access.get_recording_or_404(UUID(text))
    except ValueError:
        raise Http404("No such recording.") from None
    if recording.voice_id != voice.pk:
        raise Http404("No such recording.")
    return recording


@require_permission("voices.change_recording")
@require_POST
def recordings_check(request: HttpRequest, pk: str) -> HttpResponse:
    """Check the recordings of a voice again, after a check stopped."""
    voice = get_open_voice(request, pk)
    check_again(voice)
    messages.success(request, "Checking the recordings again. This page shows the results when they arrive.")
    return redirect(voice.get_readiness_url())


@require_permission("voices.change_recording")
@require_POST
def recordings_leave_out(request: HttpRequest, pk: str) -> HttpResponse:
    """Leave these recordings of a voice out of builds: those that the page listed when it was shown."""
    voice = get_open_voice(request, pk)
    try:
        ids = {UUID(text) for text in request.POST.get("recordings", "").split(",")}
    except ValueError:
        messages.error(request, "No recording was excluded. Reload the page and try again.")
        return redirect(voice)
    subject = format_count(leave_out(voice.recordings.filter(pk__in=ids)), "recording", "recordings")
    messages.success(request, f"{subject} excluded from builds. Use the switch of a recording to include it again.")
    return redirect(voice.get_readiness_url())


def _make_list_url(pk: UUID) -> str:
    recording = get_object_or_404(access.query_recordings(), pk=pk)
    return f"{recording.voice.get_absolute_url()}#recordings"


@require_permission("voices.change_recording")
@require_POST
@show_refusal_as_message(_make_list_url)
def recording_split(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Start a background task that splits a recording at its pauses, because it is too long for a build."""
    recording = _get_open_recording(request, pk)
    enqueue_split(recording, get_user(request))
    messages.success(request, f"Splitting {recording.file_name}. Its clips will appear here.")
    return redirect(_make_list_url(pk))


@require_permission("voices.delete_recording")
@require_http_methods(["GET", "HEAD", "POST"])
@require_confirmation()
@show_refusal_as_message(_make_list_url)
def recording_delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    recording = _get_open_recording(request, pk)
    if request.method != "POST":
        return render(request, "voices/recording_delete.html", {"recording": recording, "voice": recording.voice})
    list_url = _make_list_url(pk)  # needs the recording, which is deleted next
    delete_recording(recording)
    messages.success(request, f"{recording.file_name} deleted.")
    return redirect(list_url)


@require_permission("voices.view_recording")
@require_safe
def recording_audio(request: HttpRequest, pk: str) -> HttpResponseBase:
    """The playable WAV, or the original file with `?download`.

    A file without readable audio is only downloaded. It is never sent with a content type that a browser opens.
    """
    recording = get_object_or_404(Recording.objects.select_related("voice"), pk=pk)
    access.require_open_recordings(recording.voice, get_user(request))
    if "download" in request.GET or not is_playable(recording):
        return _send_original(request, recording)
    response = media.send_file(request, recording.sound, "audio/wav", f"{recording.title}.wav", attachment=False)
    return send_recorded(request, describe_recording(recording), response)


def _send_original(request: HttpRequest, recording: Recording) -> HttpResponseBase:
    if is_playable(recording) and not recording.wav:
        content_type, name = "audio/wav", f"{recording.title}.wav"
    else:
        content_type, name = "application/octet-stream", f"{recording.pk}.bin"
    response = media.send_file(request, recording.file, content_type, name, attachment=True)
    return send_recorded(request, describe_recording(recording), response)


@require_permission("voices.view_recording")
@require_safe
def recording_peaks(request: HttpRequest, pk: str) -> JsonResponse:
    """The peaks of the waveform. With `?fine`, the fine peaks if the recording has any."""
    columns = ("peaks", "fine_peaks", "seconds", "voice__talent", "voice__purpose")
    recording = get_object_or_404(Recording.objects.select_related("voice").only(*columns), pk=pk)
    access.require_open_recordings(recording.voice, get_user(request))
    fine = recording.fine_peaks if "fine" in request.GET else []
    return JsonResponse({"seconds": recording.seconds, "peaks": media.format_peaks(fine or recording.peaks)})
