"""The notice that a talent reads in the studio before a recording: on the screen or printed, and its confirmation."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.views.decorators.http import require_POST, require_safe

from consent.access import get_consent_or_404, get_user, require_permission
from consent.names import READ_CONTRACT, VIEW_NAMES
from consent.notice_pdf import make_notice_pdf
from consent.services.file_access import describe_notice, send_recorded
from consent.services.studio_notices import build_studio_notice, confirm_notice_read
from voicehub.refusals import show_refusal_as_message

CHANGED = "The notice has changed since this page was opened. Have the new one read, then confirm it."


@require_permission("consent.add_take", VIEW_NAMES, READ_CONTRACT)
@require_safe
def notice_file(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The notice of today as a PDF to print."""
    consent = get_consent_or_404(pk)
    name = f"notice-{slugify(consent.talent.shown_name) or 'talent'}.pdf"
    response = HttpResponse(make_notice_pdf(consent, build_studio_notice(consent)), content_type="application/pdf")
    response.headers["Content-Disposition"] = content_disposition_header(True, name)
    return send_recorded(request, describe_notice(consent), response)


@require_permission("consent.add_take", VIEW_NAMES, READ_CONTRACT)
@require_POST
@show_refusal_as_message("consent:consent")
def notice_confirm(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Record that the talent has read the notice that the page showed, and go on to where staff came from."""
    consent = get_consent_or_404(pk)
    notice = build_studio_notice(consent)
    if request.POST.get("notice") != notice.sha256:
        messages.error(request, CHANGED)
        return redirect("consent:record_in_studio", consent.pk)
    confirm_notice_read(consent, notice, get_user(request))
    if request.POST.get("next") == "upload":
        return redirect(f"{reverse('consent:consent', args=[consent.pk])}#take-file")
    return redirect("consent:record_in_studio", consent.pk)
