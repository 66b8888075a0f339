"""Takes: recording a take in the studio, uploading a file for the talent, and playback."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from consent.access import get_consent_or_404, get_open_take_or_404, get_user, require_permission
from consent.models import Capture, Consent, ConsentStatus, Take
from consent.names import HEAR_TAKE, READ_CONTRACT, VIEW_NAMES
from consent.playback import record_playback
from consent.recorder_config import build_recorder_config
from consent.services.approval import may_approve
from consent.services.file_access import describe_take, send_recorded
from consent.services.filed_contracts import require_contract
from consent.services.review import is_under_review
from consent.services.studio_notices import build_studio_notice, is_notice_read, require_shown_notice
from consent.take_files import get_safe_suffix
from consent.take_report import make_take_report
from consent.take_upload import UploadResult, make_response, receive_take
from consent.views.consents import render_consent_page
from voicehub.media import format_peaks, send_file
from voicehub.middleware import allow_microphone
from voicehub.refusals import ActionRefused, show_refusal_as_message

NOTICE_FIRST = (
    "The talent has not read the notice yet. It states the fees of the contract, which your role does not include. "
    "Ask a producer to show it first."
)


@require_permission("consent.add_take", VIEW_NAMES)
@require_safe
@show_refusal_as_message("consent:consent")
def record_in_studio(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The recorder for staff, with the talent present. Before it, the notice, unless the talent has read it.

    With `?next=upload`, the notice leads back to the form for a file. The statement has the real name of the talent,
    and the notice the fees of the contract.
    """
    consent = get_consent_or_404(pk)
    if consent.status != ConsentStatus.REQUESTED:
        messages.error(request, "This consent is no longer waiting for a recording.")
        return redirect(consent)
    require_contract(consent)
    notice = build_studio_notice(consent)
    if not is_notice_read(consent, notice):
        if not get_user(request).has_perm(READ_CONTRACT):
            raise PermissionDenied(NOTICE_FIRST)
        context = {"consent": consent, "notice": notice, "next": request.GET.get("next", "")}
        return render(request, "consent/studio_notice.html", context)
    context = {"consent": consent, "recorder_config": build_recorder_config(consent)}
    return allow_microphone(render(request, "consent/record_in_studio.html", context))


@require_permission("consent.add_take")
@require_http_methods(["GET", "HEAD", "POST"])
def take_upload(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Receive a take from staff: recorded on the studio page, or a file that the talent gave them.

    The page with a problem has this URL, so a GET request, as by its links, leads to the page of the consent.
    """
    consent = get_consent_or_404(pk)
    url = consent.get_absolute_url()
    if request.method != "POST":
        return redirect(f"{url}?{request.GET.urlencode()}" if request.GET else url)
    received = _receive_from_staff(request, consent)
    consent.refresh_from_db(fields=["status"])

    def render_form(file_problem: str, status: int) -> HttpResponse:
        if consent.status == ConsentStatus.REQUESTED:
            return render_consent_page(request, consent, file_problem=file_problem, status=status)
        messages.error(request, file_problem)
        return redirect(url)

    return make_response(request, received, url, render_form)


def _receive_from_staff(request: HttpRequest, consent: Consent) -> UploadResult:
    """Refused if the talent was shown no notice. A repeated upload of a stored take gets its answer all the same."""
    try:
        if consent.status == ConsentStatus.REQUESTED:
            require_shown_notice(consent)
    except ActionRefused as problem:
        return UploadResult(problem=str(problem), status=409)
    return receive_take(request, consent, Capture.IN_STUDIO, by=get_user(request))


@require_permission(HEAR_TAKE)
@require_safe
def take_audio(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The WAV that would be sent. A take that cannot be sent is only downloaded, never opened by the browser."""
    take = get_open_take_or_404(pk, get_user(request))
    if not take.acceptable:
        return _send_original(request, take)
    response = send_file(request, take.sound, "audio/wav", f"statement-{take.pk}.wav", attachment=False)
    send_recorded(request, describe_take(take), response)
    record_playback(request, take, response)
    return response


@require_permission(HEAR_TAKE)
@require_safe
def take_original(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The take's original bytes, as a download."""
    return _send_original(request, get_open_take_or_404(pk, get_user(request)))


def _send_original(request: HttpRequest, take: Take) -> HttpResponseBase:
    name = f"statement-{take.pk}{get_safe_suffix(take.file_name)}"
    response = send_file(request, take.file, "application/octet-stream", name, attachment=True)
    return send_recorded(request, describe_take(take), response)


@require_permission(HEAR_TAKE)
@require_safe
def take_peaks(request: HttpRequest, pk: UUID) -> JsonResponse:
    """Waveform peaks as JSON; `?fine` requests the finer peaks, which exist once the take was checked."""
    take = get_open_take_or_404(pk, get_user(request))
    check = getattr(take, "check_made", None)
    fine = check.fine_peaks if check and "fine" in request.GET else []
    return JsonResponse({"seconds": take.seconds, "peaks": format_peaks(fine or take.peaks)})


@require_permission(HEAR_TAKE)
@require_safe
def take_check(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The check results of a take for a polling page; 204 if the page already shows this stage."""
    report = make_take_report(get_open_take_or_404(pk, get_user(request)))
    if report.stage != "done" and request.GET.get("seen") == report.stage:
        return HttpResponse(status=204)
    context = {
        "report": report,
        "is_under_review": is_under_review(report.take),
        "may_approve": may_approve(report.take, get_user(request)),
    }
    return render(request, "consent/_take_report.html", context)
