"""The receipt of a recording as a PDF, for the talent."""

from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from consent.access import get_invited_consent
from consent.code_gate import require_code
from consent.link_pages import add_privacy_headers, require_invitation
from consent.lists.consents import ENDED
from consent.models import ConsentStatus, Invitation
from consent.services.receipts import PDF_NAME, PDF_TYPE, make_pdf


@login_not_required
@require_safe
@require_invitation
@require_code
def receipt_pdf(request: HttpRequest, invitation: Invitation, pk: UUID) -> HttpResponse:
    """As `receipt`: there is one while the consent waits for its review or is in force."""
    consent = get_invited_consent(invitation, pk)
    take = consent.takes.filter(acceptable=True).first()
    if take is None or consent.status in {*ENDED, ConsentStatus.REQUESTED}:
        raise Http404("No receipt for this consent.")
    response = HttpResponse(make_pdf(take, timezone.now()), content_type=PDF_TYPE)
    response.headers["Content-Disposition"] = f'attachment; filename="{PDF_NAME}"'
    return add_privacy_headers(response)
