"""The download of a voice as a dataset."""

from functools import partial

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods

from consent.access import get_user, require_permission
from consent.services.file_access import send_recorded
from voicehub.confirmation import require_confirmation
from voicehub.refusals import handle_refusal
from voices.forms import DatasetForm
from voices.models import DatasetLayout
from voices.services.file_access import describe_dataset
from voices.services.recordings.dataset_download import PreparedDownload, prepare_download, query_usable_recordings
from voices.views.recording_selection import get_open_voice

MAX_DOWNLOADS = 10
HINTS = {
    DatasetLayout.VOICEHUB: "The uploaded files, and a table that keeps texts, choices and order. Upload the archive "
    "to get the same recordings again.",
    DatasetLayout.LJSPEECH: "wavs/NAME.wav as 16-bit mono WAV, and metadata.csv with id|text|text. Coqui, Piper and "
    "others read it.",
    DatasetLayout.HUGGING_FACE: "data/NAME.wav as 16-bit mono WAV, and metadata.csv for the loader “audiofolder”.",
    DatasetLayout.RESEMBLE: "NAME.wav as 16-bit mono WAV, and metadata.csv with name|text, as the website of Resemble "
    "AI takes it.",
}


@require_permission("voices.start_build")
@require_permission("voices.view_recording")
@require_http_methods(["GET", "HEAD", "POST"])
@require_confirmation(on_get=True, is_repeated=False)
def voice_dataset(request: HttpRequest, pk: str) -> HttpResponseBase:
    """The choice of a layout, and who downloaded the voice before. The form starts the download."""
    voice = get_open_voice(request, pk)
    form = DatasetForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        with handle_refusal(partial(form.add_error, None)):
            download = prepare_download(voice, get_user(request), **form.cleaned_data)
            return send_recorded(request, describe_dataset(voice), _send(download))
    context = {
        "voice": voice,
        "form": form,
        "layouts": [(layout.value, layout.label, hint) for layout, hint in HINTS.items()],
        "count": query_usable_recordings(voice, only_in_builds=False).count(),
        "count_in_builds": query_usable_recordings(voice, only_in_builds=True).count(),
        "downloads": list(voice.dataset_downloads.select_related("by")[:MAX_DOWNLOADS]),
    }
    return render(request, "voices/voice_dataset.html", context, status=409 if form.non_field_errors() else 200)


def _send(download: PreparedDownload) -> StreamingHttpResponse:
    response = StreamingHttpResponse(download.chunks, content_type="application/zip")
    response.headers["Content-Disposition"] = content_disposition_header(True, download.name) or "attachment"
    response.headers["Content-Length"] = str(download.size)
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
