"""The contracts of the full studio, by kind."""

from datetime import timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from consent.models import WORLDWIDE, Contract, ContractSuspension, Purpose, Talent
from consent.services.contract_drafts import store_draft
from consent.services.contracts import file_contract
from providers import registry
from tests.full_studio.clock import act_ago
from voicehub.models import User
from voices.sample_studio import make_sample_pdf

DAYS_BY_KIND: dict[str, tuple[int, int | None]] = {
    "force": (-200, 420),
    "open": (-400, None),
    "ending": (-353, 12),
    "ending soon": (-338, 27),
    "expired": (-380, -15),
    "suspended": (-120, 245),
    "unconfirmed": (-30, 335),
    "future": (20, 385),
}
"""Days from today until each kind of contract starts and ends."""


def make_contract(talent: Talent, kind: str, by: User) -> Contract | None:
    if kind == "draft":
        store_draft(talent, ContentFile(_make_pdf(talent), f"license {talent.name}.pdf"), by)
    if kind not in DAYS_BY_KIND:
        return None
    start, end = DAYS_BY_KIND[kind]
    terms = _make_terms(start, end, is_complete=kind != "unconfirmed")
    with act_ago(days=max(1, -start)):
        contract = file_contract(
            talent,
            SimpleUploadedFile(f"Voice license {talent.name}, signed.pdf", _make_pdf(talent), "application/pdf"),
            terms,
            by,
            are_uses_read=kind != "unconfirmed",
        )
    if kind == "suspended":
        reason = "The agent says that the fee of March was not paid. Bookkeeping checks it."
        ContractSuspension.objects.create(contract=contract, suspended_by=by, reason=reason)
    return contract


def _make_terms(start: int, end: int | None, *, is_complete: bool) -> dict[str, Any]:
    today = timezone.localdate()
    terms: dict[str, Any] = {
        "signed_on": today + timedelta(days=min(start, 0) - 4),
        "starts_on": today + timedelta(days=start),
        "ends_on": None if end is None else today + timedelta(days=end),
        "purposes": list(Purpose.values),
        "providers": [provider.slug for provider in registry.list_providers()],
        "intended_uses": "Audio guides, announcements, audiobooks and commercials, in every language, up to 40 hours.",
    }
    if is_complete:
        terms |= {
            "company": "Northlight Voices",
            "countries": [WORLDWIDE],
            "excluded_uses": "Political messages, alcohol and gambling, singing.",
            "compensation": "Session fee of EUR 900, and EUR 1,250 for each year of use.",
            "representation": "Agent",
        }
    return terms


def _make_pdf(talent: Talent) -> bytes:
    lines = ["VOICE LICENSE", f"Talent: {talent.name}", "Studio: Northlight Voices", "Uses: audio guides, audiobooks."]
    return make_sample_pdf(lines)
