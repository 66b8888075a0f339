"""Next steps about talents: what they still need before they have a voice, and legal holds."""

from collections.abc import Iterator

from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse

from consent.models import Consent, ConsentStatus, Contract, Talent
from voices.models import Voice
from voices.views.deletion_steps import make_hold_step
from voices.views.next_step import MAX_ROWS, NextStep, Talents, select_talents

# Each gap of a talent: status, reason, label of the link, name of its page, needed permission.
NO_CONTRACT = (
    "Contract missing",
    "No contract is on file.",
    "Add contract",
    "consent:contract_add",
    "consent.add_contract",
)
NO_CONSENT = (
    "Consent missing",
    "No consent has been requested.",
    "Request consent",
    "consent:consent_ask",
    "consent.add_consent",
)
NO_VOICE = ("Voice missing", "No voice has been set up.", "Add voice", "voices:voice_add", "voices.add_voice")


def list_talent_steps(talents: Talents = None) -> Iterator[NextStep]:
    """Talents with a legal hold, and talents without a voice. One query for both."""
    rows = select_talents(Talent.objects.select_related("legal_hold_by"), talents, "pk").annotate(
        has_voice=Exists(Voice.objects.filter(talent=OuterRef("pk"))),
        has_consent=Exists(Consent.objects.filter(talent=OuterRef("pk"))),
        has_contract=Exists(Contract.objects.filter(talent=OuterRef("pk"))),
        is_requested=Exists(Consent.objects.filter(talent=OuterRef("pk"), status=ConsentStatus.REQUESTED)),
        is_submitted=Exists(Consent.objects.filter(talent=OuterRef("pk"), status=ConsentStatus.SUBMITTED)),
    )
    # While a talent answers, staff can add the contract.
    needs_step = Q(has_voice=False, is_submitted=False) & (Q(is_requested=False) | Q(has_contract=False))
    shown = rows.filter(needs_step | Q(legal_hold_at__isnull=False))
    for talent in shown.order_by(F("legal_hold_at").asc(nulls_last=True), "name")[:MAX_ROWS]:
        if talent.is_on_hold:
            yield make_hold_step(talent)
        is_waiting = talent.is_submitted or (talent.is_requested and talent.has_contract)
        if not talent.has_voice and not is_waiting:
            yield _make_talent_step(talent, has_consent=talent.has_consent, has_contract=talent.has_contract)


def _make_talent_step(talent: Talent, *, has_consent: bool, has_contract: bool) -> NextStep:
    if not has_contract:
        status, reason, action, page, permission = NO_CONTRACT
    else:
        status, reason, action, page, permission = NO_VOICE if has_consent else NO_CONSENT
    url = reverse(page, args=[talent.pk])
    return NextStep(
        talent.shown_name,
        "",
        "wait",
        status,
        (reason,),
        url,
        action,
        None,
        permission,
        subject_url=talent.get_absolute_url(),
        talent_id=talent.pk,
    )
