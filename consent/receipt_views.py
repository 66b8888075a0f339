"""The receipt of a recording as a PDF, for the talent."""

from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from consent.access import get_invited_consent
from consent.code_gate import require_code
from consent.link_pages import add_privacy_headers, require_invitation
from consent.models import Invitation
from consent.services.receipts import PDF_NAME, PDF_TYPE, make_pdf
from consent.talent_pages import find_receipt_take


@login_not_required
@require_safe
@require_invitation
@require_code
def receipt_pdf(request: HttpRequest, invitation: Invitation, pk: UUID) -> HttpResponse:
    take = find_receipt_take(get_invited_consent(invitation, pk))
    if take is None:
        raise Http404("No receipt for this consent.")
    response = HttpResponse(make_pdf(take, timezone.now()), content_type=PDF_TYPE)
    response.headers["Content-Disposition"] = f'attachment; filename="{PDF_NAME}"'
    return add_privacy_headers(response)
