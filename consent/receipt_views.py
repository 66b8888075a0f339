"""The receipt of a recording as a PDF, and the recording itself, for the talent."""

from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from consent.access import get_invited_consent
from consent.code_gate import require_code
from consent.link_pages import add_privacy_headers, require_invitation
from consent.models import Invitation, Take
from consent.services.file_access import describe_receipt, describe_take, send_recorded
from consent.services.receipts import PDF_NAME, PDF_TYPE, make_pdf
from consent.talent_pages import find_receipt_take
from voicehub.media import send_file


@login_not_required
@require_safe
@require_invitation
@require_code
def receipt_pdf(request: HttpRequest, invitation: Invitation, pk: UUID) -> HttpResponse:
    take = _get_take_or_404(invitation, pk)
    response = HttpResponse(make_pdf(take, timezone.now()), content_type=PDF_TYPE)
    response.headers["Content-Disposition"] = f'attachment; filename="{PDF_NAME}"'
    return add_privacy_headers(send_recorded(request, describe_receipt(take), response))


@login_not_required
@require_safe
@require_invitation
@require_code
def recording(request: HttpRequest, invitation: Invitation, pk: UUID) -> HttpResponseBase:
    """The talent's own recording, as the WAV that providers receive."""
    take = _get_take_or_404(invitation, pk)
    response = send_file(request, take.sound, "audio/wav", f"statement-{take.pk}.wav", attachment=False)
    return add_privacy_headers(send_recorded(request, describe_take(take), response))


def _get_take_or_404(invitation: Invitation, pk: UUID) -> Take:
    take = find_receipt_take(get_invited_consent(invitation, pk))
    if take is None:
        raise Http404("No receipt for this consent.")
    return take
