"""Coverage: whether a consent and a contract in force cover a voice that exists, and if not, since when."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from consent.models import Consent, ConsentStatus, Contract
from consent.services.disclosure import get_first_day, get_last_day
from voicehub.text import format_date

# Consents that were in force and have ended by date, or will. The date decides, also before the status changes.
ENDS_BY_DATE = (ConsentStatus.APPROVED, ConsentStatus.SUSPENDED, ConsentStatus.EXPIRED)


class VoiceUse(NamedTuple):
    """What must be covered: the use of a talent's voice at one provider for one purpose."""

    talent_id: UUID
    provider: str
    purpose: str


@dataclass(frozen=True, slots=True)
class CoverageEnd:
    """The last day on which a use was covered, and what ended, as a sentence."""

    last_day: date
    reason: str


class Coverage:
    """The consents and contracts of some talents, loaded in two queries however many talents there are."""

    def __init__(self, talents: "Iterable[UUID] | QuerySet[Any, Any]") -> None:
        self._today = timezone.localdate()
        self._consents: dict[VoiceUse, list[Consent]] = defaultdict(list)
        self._contracts: dict[VoiceUse, list[Contract]] = defaultdict(list)
        for consent in Consent.objects.filter(talent__in=talents, approved_at__isnull=False, status__in=ENDS_BY_DATE):
            self._consents[VoiceUse(consent.talent_id, consent.provider, consent.purpose)].append(consent)
        for contract in Contract.objects.filter(talent__in=talents).select_related("superseded_by"):
            for provider, purpose in product(contract.providers, contract.purposes):
                self._contracts[VoiceUse(contract.talent_id, provider, purpose)].append(contract)

    def is_covered(self, use: VoiceUse) -> bool:
        """Whether a consent in force and a contract in force allow this use today."""
        consents = self._list_unexpired_consents(use)
        return self._has_contract(use) and any(consent.status == ConsentStatus.APPROVED for consent in consents)

    def find_end(self, use: VoiceUse) -> CoverageEnd | None:
        """The end by date after which the voice must be deleted. None if the use is covered or must not be judged.

        A suspended consent is a dispute, so it ends nothing. A contract without “delete at end” deletes nothing.
        """
        consents = self._list_unexpired_consents(use)
        if self.is_covered(use) or any(consent.status == ConsentStatus.SUSPENDED for consent in consents):
            return None
        ends = [end for end in (self._find_consent_end(use), self._find_contract_end(use)) if end]
        return min(ends, key=lambda end: end.last_day, default=None)

    def _list_unexpired_consents(self, use: VoiceUse) -> list[Consent]:
        is_unexpired = [ConsentStatus.APPROVED, ConsentStatus.SUSPENDED]
        return [
            consent
            for consent in self._consents.get(use, ())
            if consent.status in is_unexpired and (consent.valid_until is None or consent.valid_until >= self._today)
        ]

    def _has_contract(self, use: VoiceUse) -> bool:
        return any(
            get_first_day(contract) <= self._today <= get_last_day(contract)
            for contract in self._contracts.get(use, ())
        )

    def _find_consent_end(self, use: VoiceUse) -> CoverageEnd | None:
        if self._list_unexpired_consents(use):
            return None
        last_day = max((row.valid_until for row in self._consents.get(use, ()) if row.valid_until), default=None)
        return CoverageEnd(last_day, f"The consent ended on {format_date(last_day)}.") if last_day else None

    def _find_contract_end(self, use: VoiceUse) -> CoverageEnd | None:
        """The end of the contract that ended last, if it says that the voice is deleted then."""
        if self._has_contract(use):
            return None
        ended = [
            (get_last_day(contract), contract.delete_at_end)
            for contract in self._contracts.get(use, ())
            if get_first_day(contract) <= get_last_day(contract) < self._today
        ]
        last_day, is_deleted = max(ended, default=(self._today, False))
        return CoverageEnd(last_day, f"The contract ended on {format_date(last_day)}.") if is_deleted else None
