"""Recordings: table, upload, transcript, inclusion in builds, split, delete, audio."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audio.archives.read import is_archive
from consent.access import get_user, require_permission
from voicehub import media
from voicehub.models import User
from voicehub.refusals import handle_refusal, show_refusal_as_message
from voicehub.text import format_count
from voices import access
from voices.forms import TranscriptForm, UploadForm, read_transcripts
from voices.models import Recording, Voice
from voices.presenters import is_playable
from voices.services.recordings.archive_upload import add_archive
from voices.services.recordings.segment import enqueue_split
from voices.services.recordings.store import add_recording, delete_recording, set_active, set_transcript
from voices.views.recording_table import load_recording_page, load_recording_progress, parse_time

TABLE_SUFFIXES = (".csv", ".tsv", ".txt")
MAX_UNMATCHED = 5
ARCHIVE_LABELS = {"accepted": "added", "refused": "not usable", "duplicate": "already uploaded"}
MAX_SHOWN = 20  # refused files of an archive, on a page without scripts


@dataclass(slots=True)
class UploadOutcome:
    """The result of one upload, for the uploader.

    For an archive, `counts` is the number of its files by state, and `parts` lists the files that were refused.
    """

    state: str
    name: str
    words: str
    findings: list[dict[str, str]] = field(default_factory=list)
    parts: "list[UploadOutcome]" = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


@require_permission("voices.view_recording")
@require_safe
def recording_table(request: HttpRequest, pk: str) -> HttpResponse:
    """The table fragment. The address bar gets the URL of the voice page with the same filter."""
    voice = get_object_or_404(access.query_voices(), pk=pk)
    context = {
        "voice": voice,
        "recording_progress": load_recording_progress(voice),
        **load_recording_page(voice, request.GET),
    }
    response = render(request, "voices/_recordings.html", context)
    page = f"&page={context['page'].number}" if context["page"].number > 1 else ""
    response.headers["HX-Replace-Url"] = f"{voice.get_absolute_url()}?{context['query']}{page}"
    return response


@require_permission("voices.view_recording")
@require_safe
def recordings_poll(request: HttpRequest, pk: str) -> HttpResponse:
    """The recordings that changed since the page was rendered; 204 when the page is up to date.

    After added or removed rows the page reloads its table at a time of its own choice (see recordings-refresh.js).
    """
    voice = get_object_or_404(access.query_voices(), pk=pk)
    found, since = load_recording_progress(voice), parse_time(request.GET.get("since"))
    if found.is_active and request.GET.get("seen") == found.change_token:
        return HttpResponse(status=204)
    context = load_recording_page(voice, request.GET)
    rows = found.select_changed(context["page"], since) if since else list(context["page"])
    shown = request.GET.get("table", "")
    # New rows come with the table.
    context |= {
        "voice": voice,
        "recording_progress": found,
        "changed_recordings": rows if shown in ("", found.table_token) else [],
    }
    response = render(request, "voices/_recordings_poll.html", context)
    if shown != found.table_token:
        response.headers["HX-Trigger"] = "recordings-changed"
    return response


@require_permission("voices.add_recording")
@require_POST
def recording_upload(request: HttpRequest, pk: str) -> HttpResponse:
    """The upload script sends one file and reads JSON; the plain form sends any number and gets a redirect."""
    voice = get_object_or_404(Voice, pk=pk)
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        outcomes = [UploadOutcome("refused", "", text) for text in _list_errors(form)]
    else:
        outcomes = add_files(voice, form.cleaned_data["recordings"], get_user(request), form.cleaned_data["transcript"])
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"files": [asdict(outcome) for outcome in outcomes]})
    for outcome in outcomes:
        show = messages.success if outcome.state == "accepted" else messages.warning
        show(request, f"{outcome.name}: {outcome.words}" if outcome.name else outcome.words)
        for part in outcome.parts[:MAX_SHOWN]:
            reasons = [part.words, *(finding["text"] for finding in part.findings[:1])]
            messages.warning(request, f"{part.name}: {' '.join(reasons)}")
    return redirect(voice)


def _list_errors(form: UploadForm) -> list[str]:
    return [str(text) for texts in form.errors.values() for text in texts]


def add_files(voice: Voice, files: "list[UploadedFile[Any]]", by: User, transcript: str = "") -> list[UploadOutcome]:
    """Add every audio file, then fill in transcripts from the tables among the files."""
    audio = [file for file in files if not _is_table(file)]
    outcomes = [_add_file(voice, file, by, transcript if len(audio) == 1 else "") for file in audio]
    return outcomes + [_fill_transcripts(voice, file) for file in files if _is_table(file)]


def _is_table(file: "UploadedFile[Any]") -> bool:
    return (file.name or "").lower().endswith(TABLE_SUFFIXES)


def _is_archive(file: "UploadedFile[Any]") -> bool:
    file.seek(0)
    head = file.read(512)
    file.seek(0)
    return is_archive(file.name or "", head)


def _add_archive(voice: Voice, file: "UploadedFile[Any]", by: User) -> UploadOutcome:
    taken = add_archive(voice, file, by)
    unusable = [row for row in taken.recordings if not row.is_usable]
    parts = [UploadOutcome("refused", row.file_name, "Not usable.", _list_refusals(row)) for row in unusable]
    parts += [UploadOutcome("refused", name, "Not added.", _format_findings([found])) for name, found in taken.refused]
    counts = {
        "accepted": len(taken.recordings) - len(unusable),
        "refused": len(parts),
        "duplicate": len(taken.duplicates),
    }
    renamed = [(name, earlier) for name, earlier in taken.duplicates if name != earlier.file_name]
    parts += [_make_duplicate_outcome(name, earlier) for name, earlier in renamed]
    state = next((state for state in ("accepted", "duplicate") if counts[state]), "refused")
    parts_text = [f"{counts[state]} {label}" for state, label in ARCHIVE_LABELS.items() if counts[state]]
    summary = f"{', '.join(parts_text) or 'No files added'}."
    return UploadOutcome(state, file.name or "archive", summary, _format_findings(taken.findings), parts, counts)


def _list_refusals(recording: Recording) -> list[dict[str, str]]:
    return _format_findings(finding for finding in recording.findings if finding["severity"] == "refused")


def _format_findings(findings: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    return [{"text": str(finding["text"]), "advice": str(finding["advice"])} for finding in findings]


def _add_file(voice: Voice, file: "UploadedFile[Any]", by: User, transcript: str) -> UploadOutcome:
    if _is_archive(file):
        return _add_archive(voice, file, by)
    name = file.name or "file"
    issues: list[str] = []
    with handle_refusal(issues.append):
        recording, new = add_recording(voice, file, by, transcript=transcript)
    if issues:
        return UploadOutcome("refused", name, " ".join(issues))
    if not new:
        return _make_duplicate_outcome(name, recording)
    findings = _format_findings(recording.findings)
    if not recording.is_usable:
        return UploadOutcome("refused", name, "Not usable.", findings)
    has_warning = any(finding["severity"] == "look" for finding in recording.findings)
    return UploadOutcome("accepted", name, "Usable. Please check." if has_warning else "Usable.", findings)


def _make_duplicate_outcome(name: str, earlier: Recording) -> UploadOutcome:
    same_name = earlier.file_name == name
    text = "Already uploaded." if same_name else f"The same audio is already uploaded as {earlier.file_name}."
    return UploadOutcome("duplicate", name, text)


def _fill_transcripts(voice: Voice, file: "UploadedFile[Any]") -> UploadOutcome:
    name = file.name or "table"
    try:
        texts = read_transcripts(file)
    except ValidationError as problem:
        return UploadOutcome("refused", name, problem.messages[0])
    filled, unmatched = 0, dict.fromkeys(texts)
    for recording in access.query_recordings().filter(voice=voice):
        unmatched.pop(recording.title, None)
        if (text := texts.get(recording.title)) and text != recording.transcript:
            set_transcript(recording, text)
            filled += 1
    summary = f"{format_count(filled, 'transcript', 'transcripts')} filled in from {len(texts)} lines."
    if unmatched:
        more = f" and {len(unmatched) - MAX_UNMATCHED} more" if len(unmatched) > MAX_UNMATCHED else ""
        summary += f" No recording has the name {', '.join(list(unmatched)[:MAX_UNMATCHED])}{more}."
    return UploadOutcome("accepted", name, summary)


@require_permission("voices.change_recording")
@require_http_methods(["GET", "HEAD", "POST"])
def recording_edit(request: HttpRequest, pk: str) -> HttpResponse:
    """The transcript of one recording: a table cell with htmx, a page without it."""
    recording = get_object_or_404(access.query_recordings(), pk=pk)
    form = TranscriptForm(request.POST or None, initial={"transcript": recording.transcript})
    saved, problem = False, ""
    if request.method == "POST":
        saved, problem = _save_transcript(recording, form)
    context = {"recording": recording, "voice": recording.voice, "saved": saved, "problem": problem}
    if request.headers.get("HX-Request"):
        response = render(
            request,
            "voices/_transcript_saved.html",
            context | {"recording_progress": load_recording_progress(recording.voice)},
        )
        response.headers["HX-Trigger"] = "readiness-changed, recordings-move"
        return response
    if saved:
        return redirect(recording.voice)
    return render(request, "voices/recording_edit.html", context)


def _save_transcript(recording: Recording, form: TranscriptForm) -> tuple[bool, str]:
    if not form.is_valid():
        return False, "The transcript is too long. Shorten it to at most 2,000 characters."
    issues: list[str] = []
    with handle_refusal(issues.append):
        set_transcript(recording, form.cleaned_data["transcript"])
    return not issues, " ".join(issues)


@require_permission("voices.change_recording")
@require_POST
def recording_active(request: HttpRequest, pk: str) -> HttpResponse:
    """Include the recording in the next build or exclude it."""
    recording = get_object_or_404(access.query_recordings(), pk=pk)
    with handle_refusal(partial(messages.error, request)):
        set_active(recording, request.POST.get("active") == "on")
    if not request.headers.get("HX-Request"):
        return redirect(recording.voice)
    response = render(request, "voices/_include_toggle.html", {"recording": recording})
    response.headers["HX-Trigger"] = "readiness-changed"
    return response


def _make_list_url(pk: str) -> str:
    """The URL of the list with this recording."""
    recording = get_object_or_404(access.query_recordings(), pk=pk)
    return f"{recording.voice.get_absolute_url()}#recordings"


@require_permission("voices.change_recording")
@require_POST
@show_refusal_as_message(_make_list_url)
def recording_split(request: HttpRequest, pk: str) -> HttpResponse:
    """Split a recording that is too long at its pauses, in the background."""
    recording = get_object_or_404(access.query_recordings(), pk=pk)
    enqueue_split(recording, get_user(request))
    messages.success(request, f"Splitting {recording.file_name}. Its segments will appear here.")
    return redirect(_make_list_url(pk))


@require_permission("voices.delete_recording")
@require_http_methods(["GET", "HEAD", "POST"])
@show_refusal_as_message(_make_list_url)
def recording_delete(request: HttpRequest, pk: str) -> HttpResponse:
    recording = get_object_or_404(access.query_recordings(), pk=pk)
    if request.method != "POST":
        return render(request, "voices/recording_delete.html", {"recording": recording, "voice": recording.voice})
    list_of_recordings = _make_list_url(pk)
    delete_recording(recording)
    messages.success(request, f"{recording.file_name} deleted.")
    return redirect(list_of_recordings)


@require_permission("voices.view_recording")
@require_safe
def recording_audio(request: HttpRequest, pk: str) -> HttpResponseBase:
    """The playable WAV, or the original file with `?download`.

    A file without readable audio is only sent as an attachment of bytes, never as a type that a browser opens.
    """
    recording = get_object_or_404(Recording, pk=pk)
    if "download" in request.GET or not is_playable(recording):
        return _send_original(request, recording)
    return media.send_file(request, recording.sound, "audio/wav", f"{recording.title}.wav", attachment=False)


def _send_original(request: HttpRequest, recording: Recording) -> HttpResponseBase:
    if is_playable(recording) and not recording.wav:
        return media.send_file(request, recording.file, "audio/wav", f"{recording.title}.wav", attachment=True)
    return media.send_file(request, recording.file, "application/octet-stream", f"{recording.pk}.bin", attachment=True)


@require_permission("voices.view_recording")
@require_safe
def recording_peaks(request: HttpRequest, pk: str) -> JsonResponse:
    """The peaks of the waveform; the fine peaks with `?fine`, if there are any."""
    recording = get_object_or_404(Recording.objects.only("peaks", "fine_peaks", "seconds"), pk=pk)
    fine = recording.fine_peaks if "fine" in request.GET else []
    return JsonResponse({"seconds": recording.seconds, "peaks": media.format_peaks(fine or recording.peaks)})
