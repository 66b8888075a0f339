"""Upload of recordings: audio files, archives and transcript tables, with one result for each file."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from audio.archives.kinds import is_archive
from audio.transcripts.names import TABLE_SUFFIXES
from consent.access import get_user, require_permission
from voicehub.models import User
from voicehub.refusals import handle_refusal
from voicehub.text import format_count
from voices import access
from voices.forms import UploadForm
from voices.models import Recording, Voice
from voices.services.recordings.archive_upload import add_archive
from voices.services.recordings.bulk.table_upload import FilledTranscripts, fill_transcripts
from voices.services.recordings.store import add_recording
from voices.services.recordings.upload_progress import ProgressWriter, track_upload
from voices.views.recording_progress import load_upload_progress

MAX_UNMATCHED = 5  # at most so many lines are named that fit no recording
ARCHIVE_LABELS = {"accepted": "added", "refused": "not usable", "duplicate": "already uploaded"}
MAX_SHOWN = 20  # refused files of an archive, on a page without scripts


@dataclass(slots=True)
class UploadOutcome:
    """The result of one uploaded file, for the person who uploads.

    For an archive, `counts` has the number of its files by state. `parts` lists its files that were refused, and its
    duplicates that were uploaded earlier under another name.
    """

    state: str
    name: str
    text: str
    findings: list[dict[str, str]] = field(default_factory=list)
    parts: "list[UploadOutcome]" = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


@require_permission("voices.add_recording")
@require_POST
def recording_upload(request: HttpRequest, pk: str) -> HttpResponse:
    """Add the uploaded files. The upload script sends one file and reads JSON.

    The form without scripts sends any number of files and gets a redirect.
    """
    voice = get_object_or_404(Voice, pk=pk)
    access.require_open_recordings(voice, get_user(request))
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        outcomes = [UploadOutcome("refused", "", text) for text in _list_errors(form)]
    else:
        with track_upload(form.cleaned_data["progress"], get_user(request)) as progress:
            outcomes = add_files(
                voice, form.cleaned_data["recordings"], get_user(request), form.cleaned_data["transcript"], progress
            )
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"files": [asdict(outcome) for outcome in outcomes]})
    for outcome in outcomes:
        show = messages.success if outcome.state == "accepted" else messages.warning
        show(request, f"{outcome.name}: {outcome.text}" if outcome.name else outcome.text)
        for part in outcome.parts[:MAX_SHOWN]:
            reasons = [part.text, *(finding["text"] for finding in part.findings[:1])]
            messages.warning(request, f"{part.name}: {' '.join(reasons)}")
    return redirect(voice)


@require_permission("voices.add_recording")
@require_safe
def upload_progress(request: HttpRequest, pk: str) -> JsonResponse:
    """How far the archive upload of this user with this id is. Without such an upload, the object is empty."""
    progress = load_upload_progress(pk, get_user(request))
    return JsonResponse({} if progress is None else progress)


def _list_errors(form: UploadForm) -> list[str]:
    return [str(error) for field_errors in form.errors.values() for error in field_errors]


def add_files(
    voice: Voice,
    files: "list[UploadedFile[Any]]",
    user: User,
    transcript: str = "",
    progress: ProgressWriter | None = None,
) -> list[UploadOutcome]:
    """Add every audio file. Then fill in the transcripts from those files that are transcript tables."""
    audio = [file for file in files if not _is_table(file)]
    outcomes = [_add_file(voice, file, user, transcript if len(audio) == 1 else "", progress) for file in audio]
    return outcomes + [_fill_transcripts(voice, file, user) for file in files if _is_table(file)]


def _is_table(file: "UploadedFile[Any]") -> bool:
    return (file.name or "").lower().endswith(TABLE_SUFFIXES)


def _is_archive(file: "UploadedFile[Any]") -> bool:
    file.seek(0)
    head = file.read(512)
    file.seek(0)
    return is_archive(file.name or "", head)


def _add_archive(voice: Voice, file: "UploadedFile[Any]", user: User, progress: ProgressWriter | None) -> UploadOutcome:
    result = add_archive(voice, file, user, progress)
    unusable = [row for row in result.recordings if not row.is_usable]
    parts = [UploadOutcome("refused", row.file_name, "Not usable.", _list_refused_findings(row)) for row in unusable]
    parts += [
        UploadOutcome("refused", name, "Not added.", _format_findings([finding])) for name, finding in result.refused
    ]
    counts = {
        "accepted": len(result.recordings) - len(unusable),
        "refused": len(parts),
        "duplicate": len(result.duplicates),
    }
    renamed = [(name, earlier) for name, earlier in result.duplicates if name != earlier.file_name]
    parts += [_make_duplicate_outcome(name, earlier) for name, earlier in renamed]
    state = next((state for state in ("accepted", "duplicate") if counts[state]), "refused")
    count_texts = [f"{counts[state]} {label}" for state, label in ARCHIVE_LABELS.items() if counts[state]]
    summary = f"{', '.join(count_texts) or 'No files added'}."
    return UploadOutcome(state, file.name or "archive", summary, _format_findings(result.findings), parts, counts)


def _list_refused_findings(recording: Recording) -> list[dict[str, str]]:
    return _format_findings(finding for finding in recording.findings if finding["severity"] == "refused")


def _format_findings(findings: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    return [{"text": str(finding["text"]), "advice": str(finding["advice"])} for finding in findings]


def _add_file(
    voice: Voice, file: "UploadedFile[Any]", user: User, transcript: str, progress: ProgressWriter | None
) -> UploadOutcome:
    if _is_archive(file):
        return _add_archive(voice, file, user, progress)
    name = file.name or "file"
    issues: list[str] = []
    with handle_refusal(issues.append):
        recording, is_new = add_recording(voice, file, user, transcript=transcript)
    if issues:
        return UploadOutcome("refused", name, " ".join(issues))
    if not is_new:
        return _make_duplicate_outcome(name, recording)
    findings = _format_findings(recording.findings)
    if not recording.is_usable:
        return UploadOutcome("refused", name, "Not usable.", findings)
    has_warning = any(finding["severity"] == "look" for finding in recording.findings)
    return UploadOutcome("accepted", name, "Usable. Please check." if has_warning else "Usable.", findings)


def _make_duplicate_outcome(name: str, earlier: Recording) -> UploadOutcome:
    has_same_name = earlier.file_name == name
    text = "Already uploaded." if has_same_name else f"The same audio is already uploaded as {earlier.file_name}."
    return UploadOutcome("duplicate", name, text)


def _fill_transcripts(voice: Voice, file: "UploadedFile[Any]", user: User) -> UploadOutcome:
    """Set the transcripts of a text file. The outcome names the lines that fit no recording."""
    name, issues, filled = file.name or "table", list[str](), FilledTranscripts()
    with handle_refusal(issues.append):
        filled = fill_transcripts(voice, file, user)
    if issues:
        return UploadOutcome("refused", name, " ".join(issues))
    summary = f"{format_count(filled.changed, 'transcript', 'transcripts')} set."
    if filled.unchanged:
        summary += f" {filled.unchanged} {'was' if filled.unchanged == 1 else 'were'} the same already."
    findings = [{"text": text, "advice": ""} for text in filled.problems[:MAX_UNMATCHED]]
    rest = len(filled.problems) - MAX_UNMATCHED
    if rest > 0:
        findings.append({"text": f"The same is true of {format_count(rest, 'more line', 'more lines')}.", "advice": ""})
    is_of_use = filled.changed or filled.unchanged
    return UploadOutcome("accepted" if is_of_use else "refused", name, summary, findings)
