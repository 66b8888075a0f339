"""The audit log on the page of a consent, and its check on request."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from consent.access import get_consent_or_404, require_permission
from consent.models import Consent
from consent.services.audit_log import find_first_broken_event
from consent.services.evidence_checks import check_history

# A longer log is verified as a whole each night, before each build, and on request.
VERIFIED_EVENTS = 200
SHOWN_EVENTS = 50


def make_log_context(request: HttpRequest, consent: Consent) -> dict[str, Any]:
    """The newest entries of the audit log in their order, or all of them with `?log=all`, and whether they are intact.

    Of a long log the newest entries are verified, and the others were by the last nightly check, whose result counts.
    """
    is_all = request.GET.get("log") == "all"
    events = consent.events.order_by("-sequence")
    newest = list(events if is_all else events[:SHOWN_EVENTS])
    count = newest[0].sequence if newest else 0
    verified = VERIFIED_EVENTS if count > VERIFIED_EVENTS and consent.history_checked_at and not is_all else None
    return {
        "events": newest[::-1],
        "event_count": count,
        "verified_count": verified,
        "broken_event": find_first_broken_event(consent, verified) or consent.broken_event,
    }


@require_permission("consent.review_consent")
@require_POST
def check_audit_log(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Verify the audit log now, for example after a restore from the backup."""
    consent = get_consent_or_404(pk)
    broken_event = check_history(consent)
    if broken_event is None:
        messages.success(request, "The audit log is intact.")
    else:
        messages.error(request, f"The audit log is damaged at entry {broken_event}. Ask an admin to restore it.")
    return redirect(consent)
