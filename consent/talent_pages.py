"""What the first page and the recording page of a private link show."""

from collections.abc import Collection, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext

from consent.access import query_invited_consents
from consent.extension_points import get_provider_label
from consent.lists.consents import ENDED
from consent.models import Consent, ConsentStatus, Invitation, Take, Talent
from consent.recorder_config import build_recorder_config
from consent.request_groups import make_request_groups, share_one_purpose
from consent.services.contacts import get_producer_address
from consent.services.filed_contracts import list_readable_contracts
from consent.services.notices import WITHDRAWAL, NoticeText, build_notice, find_shown_notice
from consent.services.review import list_withdrawable_consents
from consent.services.sittings import (
    find_recording_key,
    get_statement_key,
    group_by_statement,
    list_recordable_consents,
    list_shared_consents,
    list_ticked_consents,
)
from consent.services.voice_comparison import VoiceComparison, load_comparison
from consent.talent_statuses import TalentStatus, add_takes, find_shared_contracts, list_talent_statuses

# In the address to which a recording is sent: the consents that the page named beside the text.
FOR = "for"
# More answered consents than this are folded, as are all beside a request, so that the page stays calm.
MAX_OPEN_SECTIONS = 3


def get_contact(consent: Consent) -> dict[str, Any]:
    """The contact for a talent: the requester of the consent, at their own or the studio's email address."""
    return {"contact_name": str(consent.requested_by), "contact_mail": get_producer_address(consent)}


def make_home_context(
    invitation: Invitation, tick_problem: str = "", *, can_listen: bool = True
) -> dict[str, Any] | None:
    """The requests to answer, and the status of each other consent. None for a link without consents.

    `tick_problem` is why the form with the ticks is shown again. Without `can_listen`, recordings are not shown.
    """
    statuses = list_talent_statuses(list(query_invited_consents(invitation)), invitation)
    if not statuses:
        return None
    groups = make_request_groups(statuses)
    requests = [consent for group in groups for consent in group.consents]
    others = [status for status in statuses if not status.is_answerable]
    others = add_takes(others) if can_listen else others
    is_folded = bool(requests) or len(others) > MAX_OPEN_SECTIONS
    first = requests[0] if requests else statuses[0].consent
    return {
        "invitation": invitation,
        "statuses": statuses,
        "others": others,
        "shared_contracts": find_shared_contracts(others),
        "has_recordings": any(status.take for status in others),
        "is_folded": is_folded,
        "folded_purposes": _group_by_purpose(others) if is_folded else [],
        "earlier": [status for status in others if status.is_replaced] if is_folded else [],
        "groups": groups,
        "is_one_purpose": share_one_purpose(groups),
        "requests": requests,
        "can_record": any(group.can_record for group in groups),
        "is_retake": bool(groups) and all(group.notes for group in groups),
        "tick_problem": tick_problem,
        "is_only_tick": len(requests) == 1,
        "first": first,
        "is_open": bool(groups),
        "has_deadline": any(not consent.note_to_talent for consent in requests),
        "withdrawable_count": len(list_withdrawable_consents(invitation.talent)),
        "comparison": _load_comparison(invitation.talent, statuses),
        **get_contact(first),
    }


def _group_by_purpose(statuses: Sequence[TalentStatus]) -> list[tuple[str, list[TalentStatus]]]:
    """The statuses that no newer consent replaced, by the label of their purpose."""
    purposes = list(dict.fromkeys(status.consent.purpose for status in statuses))
    rows = [status for status in statuses if not status.is_replaced]
    rows.sort(key=lambda status: purposes.index(status.consent.purpose))
    return [
        (label, list(group)) for label, group in groupby(rows, lambda status: str(status.consent.get_purpose_display()))
    ]


def _load_comparison(talent: Talent, statuses: Sequence[TalentStatus]) -> VoiceComparison | None:
    """The question about the voice comparison, unless it is not answered yet and no consent is left to compare for."""
    comparison = load_comparison(talent)
    is_over = all(status.consent.status in ENDED for status in statuses)
    return None if is_over and not comparison.answer else comparison


def list_shown_notices(invitation: Invitation) -> list[tuple[Consent, NoticeText]]:
    """The requests that the talent can tick on the first page, each with its notice."""
    statuses = list_talent_statuses(list(query_invited_consents(invitation)), invitation)
    return [(one.consent, one.notice) for one in statuses if one.notice and not one.contract_problem]


def make_record_context(invitation: Invitation, consent: Consent) -> dict[str, Any] | None:
    """The statement of this consent, and the purposes that a recording of it is for. None without a tick to serve."""
    recordable = list_recordable_consents(invitation)
    key = get_statement_key(consent)
    served = [row for row in recordable if get_statement_key(row) == key]
    if consent not in served:
        return None
    return {
        "consent": consent,
        "served": served,
        "more_count": len(group_by_statement(recordable)) - 1,
        "invitation": invitation,
        "submit_url": _make_submit_url(invitation, consent, served),
        "recording_key": find_recording_key(invitation, consent),
        "withdrawal": build_notice(consent).get_section(WITHDRAWAL),
        "recorder_config": build_recorder_config(consent),
    }


def _make_submit_url(invitation: Invitation, consent: Consent, served: Sequence[Consent]) -> str:
    url = reverse("invitation:submit", args=[invitation.pk, consent.pk])
    return f"{url}?{urlencode([(FOR, row.pk) for row in served])}"


def list_served_consents(invitation: Invitation, consent: Consent, named: Collection[str]) -> list[Consent]:
    """The consents that a recording sent from the page of this consent is for: those named there that have a tick.

    Without names, it is for this consent alone. Empty if this consent has no tick.
    """
    key, wanted = get_statement_key(consent), {str(consent.pk), *named}
    served = [
        row for row in list_ticked_consents(invitation) if get_statement_key(row) == key and str(row.pk) in wanted
    ]
    return served if consent in served else []


def find_next_page(invitation: Invitation, consent: Consent) -> tuple[str, str]:
    """Where to go after a recording, and what to say there: to the next ticked statement, or else to the receipt."""
    following = list_recordable_consents(invitation)
    if not following:
        return reverse("invitation:receipt", args=[invitation.pk, consent.pk]), ""
    note = gettext("Your recording for %(provider)s has arrived. Now read the next text.")
    url = reverse("invitation:record", args=[invitation.pk, following[0].pk])
    return url, note % {"provider": get_provider_label(consent.provider)}


def get_status_url(invitation: Invitation, consent: Consent) -> str:
    """The page that shows what became of a consent that no longer waits for a recording."""
    if consent.status in ENDED:
        return reverse("invitation:home", args=[invitation.pk])
    return reverse("invitation:receipt", args=[invitation.pk, consent.pk])


def find_receipt_take(consent: Consent) -> Take | None:
    """The take that the receipt of this consent is about: only while it waits for its review or is in force."""
    has_receipt = consent.status not in {*ENDED, ConsentStatus.REQUESTED}
    return consent.takes.filter(acceptable=True).first() if has_receipt else None


def make_receipt_context(invitation: Invitation, consent: Consent, take: Take) -> dict[str, Any]:
    """What was agreed with this recording, and the requests of the link that are still open."""
    return {
        "invitation": invitation,
        "consent": consent,
        "shared": list_shared_consents(take),
        "take": take,
        "others": query_invited_consents(invitation).filter(status=ConsentStatus.REQUESTED),
        "contracts": list_readable_contracts(consent),
        "notice": find_shown_notice(consent),
        **get_contact(consent),
    }
