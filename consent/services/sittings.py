"""One sitting: what a talent ticks on a private link, and which consents one recording is then for.

One text read aloud serves every purpose that the talent ticked for it. Consents with the same provider, language and
text share a recording; each keeps its own take, status and audit log.
"""

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from consent.access import query_invited_consents
from consent.models import Consent, ConsentStatus, EventKind, Invitation, Take
from consent.services.audit_log import record_event
from consent.services.filed_contracts import explain_to_talent, load_contracts
from consent.services.notices import NoticeText, build_notice, store_notice

TICK_KINDS = (EventKind.TICKED, EventKind.NOT_TICKED)


def get_statement_key(consent: Consent) -> tuple[str, str, str]:
    """Consents with the same key have one statement: one recording of it can be for all of them."""
    return (consent.provider, consent.language, consent.text_sha256)


def group_by_statement(consents: Iterable[Consent]) -> list[list[Consent]]:
    """The consents in their order, those with the same statement together."""
    groups: dict[tuple[str, str, str], list[Consent]] = {}
    for consent in consents:
        groups.setdefault(get_statement_key(consent), []).append(consent)
    return list(groups.values())


def record_ticks(invitation: Invitation, shown: Sequence[tuple[Consent, NoticeText]], ticked: Collection[UUID]) -> None:
    """Store which of the shown requests the talent ticked before pressing the start button, each with its notice.

    Opening the link proves nothing: mail scanners open it too. Each consent gets an entry, unless nothing changed
    since its last one. A request that was answered meanwhile is left as it is.
    """
    with transaction.atomic():
        is_first = Invitation.objects.filter(pk=invitation.pk, opened_at=None).update(opened_at=timezone.now())
        for consent, notice in sorted(shown, key=lambda pair: pair[0].pk):
            locked = Consent.objects.select_for_update().filter(pk=consent.pk, status=ConsentStatus.REQUESTED)
            if not locked.exists():
                continue
            is_ticked = consent.pk in ticked
            store_notice(consent, notice)
            if is_first and is_ticked:
                record_event(consent, EventKind.OPENED, None, invitation=str(invitation.pk), notice=notice.sha256)
            _record_tick(consent, invitation, notice, is_ticked=is_ticked)


def _record_tick(consent: Consent, invitation: Invitation, notice: NoticeText, *, is_ticked: bool) -> None:
    kind = EventKind.TICKED if is_ticked else EventKind.NOT_TICKED
    last = consent.events.filter(kind__in=TICK_KINDS).order_by("-sequence").first()
    if last and last.kind == kind and last.payload.get("notice") == notice.sha256:
        return
    Consent.objects.filter(pk=consent.pk).update(ticked_at=timezone.now() if is_ticked else None)
    record_event(consent, kind, None, invitation=str(invitation.pk), notice=notice.sha256)


def list_ticked_consents(invitation: Invitation) -> list[Consent]:
    """The requests on this link that have a tick and can still be answered."""
    rows = query_invited_consents(invitation).filter(status=ConsentStatus.REQUESTED, ticked_at__isnull=False)
    return [consent for consent in rows if invitation.can_answer(consent)]


def list_recordable_consents(invitation: Invitation) -> list[Consent]:
    """The ticked requests that a contract on file allows, if the talent has read the current notice."""
    ticked = list_ticked_consents(invitation)
    contracts = load_contracts(ticked[0]) if ticked else []
    return [
        consent
        for consent in ticked
        if not explain_to_talent(consent, contracts)
        and consent.notices.filter(sha256=build_notice(consent, contracts).sha256).exists()
    ]


def find_recording_key(invitation: Invitation, consent: Consent) -> UUID:
    """The name under which the browser keeps a recording of this statement: the same whatever is ticked."""
    key = get_statement_key(consent)
    rows = query_invited_consents(invitation).filter(status=ConsentStatus.REQUESTED)
    same = [row for row in rows if get_statement_key(row) == key and invitation.can_answer(row)]
    return same[0].pk if same else consent.pk


def list_shared_consents(take: Take) -> list[Consent]:
    """The consents that the recording of this take is for, in their order."""
    if take.sitting is None:
        return [take.consent]
    rows = Consent.objects.filter(takes__sitting=take.sitting)
    return list(rows.select_related("talent", "requested_by").order_by("created_at"))


def list_other_consents(take: Take) -> list[Consent]:
    return [consent for consent in list_shared_consents(take) if consent.pk != take.consent_id]
