"""Takes: making one in the studio, filing one on the talent's behalf, and hearing them."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from consent.access import get_consent_or_404, get_take_or_404, get_user, require_permission
from consent.models import Capture, ConsentStatus
from consent.playback import record_playback
from consent.recorder_config import build_recorder_config
from consent.services.approval import may_approve
from consent.services.review import is_under_review
from consent.take_report import make_take_report
from consent.take_upload import make_response, receive_take
from voicehub.media import format_peaks, send_file
from voicehub.middleware import allow_microphone


@require_permission("consent.add_take")
@require_safe
def record_in_studio(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The recorder in the hands of staff, with the talent beside them."""
    consent = get_consent_or_404(pk)
    if consent.status != ConsentStatus.REQUESTED:
        messages.error(request, "This consent does not wait for a recording any more.")
        return redirect(consent)
    context = {"consent": consent, "recorder_config": build_recorder_config(consent)}
    return allow_microphone(render(request, "consent/record_in_studio.html", context))


@require_permission("consent.add_take")
@require_POST
def take_upload(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A take from staff: recorded on the studio's page, or a file that the talent gave them."""
    consent = get_consent_or_404(pk)
    received = receive_take(request, consent, Capture.IN_STUDIO, by=get_user(request))
    return make_response(
        request,
        received,
        success_url=consent.get_absolute_url(),
        retry_url=reverse("consent:record_in_studio", args=[consent.pk]),
    )


@require_permission("consent.view_take")
@require_safe
def take_audio(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The untouched bytes: to be played if the strict reader took them for sound, else only as a download."""
    take = get_take_or_404(pk)
    if take.acceptable:
        response = send_file(request, take.file, "audio/wav", f"statement-{take.pk}.wav", attachment=False)
        record_playback(request, take, response)
        return response
    return send_file(request, take.file, "application/octet-stream", f"statement-{take.pk}.bin", attachment=True)


@require_permission("consent.view_take")
@require_safe
def take_peaks(request: HttpRequest, pk: UUID) -> JsonResponse:
    """What the waveform is drawn from; `?fine` asks for the finer outline, which is there once a check was made."""
    take = get_take_or_404(pk)
    check = getattr(take, "check_made", None)
    fine = check.fine_peaks if check and "fine" in request.GET else []
    return JsonResponse({"seconds": take.seconds, "peaks": format_peaks(fine or take.peaks)})


@require_permission("consent.view_take")
@require_safe
def take_check(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What was heard in a take, for a page that waits for it; nothing (204) when it shows that already."""
    found = make_take_report(get_take_or_404(pk))
    if found.stage != "done" and request.GET.get("seen") == found.stage:
        return HttpResponse(status=204)
    context = {
        "heard": found,
        "reviewed": is_under_review(found.take),
        "may_approve": may_approve(found.take, get_user(request)),
    }
    return render(request, "consent/_take_report.html", context)
