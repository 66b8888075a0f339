"""What can be requested of a talent: for which provider, language and purpose, and what speaks against it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from consent.extension_points import get_provider_label
from consent.models import Consent, ConsentStatus, Contract, Purpose, Talent
from consent.models.consent import APPROVED_STATUSES
from consent.services.consent_rules import is_in_force_or_suspended
from consent.services.disclosure import compute_term, get_last_day
from consent.services.filed_contracts import find_contract_problem, has_not_ended
from consent.services.statements import load_newest_statements
from voicehub.text import format_date, get_language_name

WAITING_MARKS = {ConsentStatus.REQUESTED: "Waiting", ConsentStatus.SUBMITTED: "To review"}

WAITING = {
    ConsentStatus.REQUESTED: "Already requested: it is waiting for the talent.",
    ConsentStatus.SUBMITTED: "Already recorded: it is waiting for a review.",
}

NOT_ALLOWED = "The contract does not allow it."
NO_STATEMENT = "No statement"


class Use(NamedTuple):
    """What a consent is requested for."""

    provider: str
    language: str
    purpose: str

    def describe(self) -> str:
        purpose = str(Purpose(self.purpose).label)
        return ", ".join((get_provider_label(self.provider), get_language_name(self.language), purpose))


@dataclass(frozen=True, slots=True)
class UseVerdict:
    """`problem` is why a use cannot be requested, `note` what to know if it can. Both may be empty.

    `brief` is the problem beside the name of the use, which is the same for each use that no contract allows.
    `mark` is it in one or two words, for the cell of a table whose legend has the sentence.
    `until` is the last day of the consent that is in force.
    `is_in_force` is whether a consent to the same provider and purpose is in force, which a new approval would replace.
    """

    problem: str = ""
    note: str = ""
    is_in_force: bool = False
    brief: str = ""
    mark: str = ""
    until: date | None = None


class RequestRules:
    """The rules for one talent, with the contracts and consents of the moment at which it was made."""

    def __init__(self, talent: Talent, statements: Collection[str] | None = None) -> None:
        """`statements` are the keys of `load_newest_statements`, if they are loaded."""
        self.talent = talent
        self.statements = load_newest_statements() if statements is None else statements
        self.contracts = list(talent.contracts.select_related("superseded_by"))
        rows = talent.consents.filter(status__in=[*WAITING, *APPROVED_STATUSES])
        self.consents = {(row.provider, row.purpose, row.status): row for row in rows}

    def judge(self, use: Use) -> UseVerdict:
        in_force, not_allowed = self._find_in_force(use), find_contract_problem(self._make_consent(use), self.contracts)
        if problem := self._find_problem(use):
            return UseVerdict(problem, "", in_force is not None, problem, self._mark_problem(use))
        # Without any contract that has not ended, consents can be requested, but no more.
        if not_allowed and self._list_unended():
            return UseVerdict(not_allowed, "", in_force is not None, NOT_ALLOWED, "Not allowed")
        missing = f"{not_allowed} Add one before you send the request." if not_allowed else ""
        notes = (self._describe_in_force(in_force), missing)
        note = " ".join(note for note in notes if note)
        if in_force is None:
            return UseVerdict("", note)
        return UseVerdict("", note, is_in_force=True, mark=in_force.get_status_display(), until=in_force.valid_until)

    def propose_end(self) -> date | None:
        """The last day of the talent's contracts that have not ended. None if there is none, or one has no end."""
        last_day = max(map(get_last_day, self._list_unended()), default=date.max)
        return None if last_day == date.max else last_day

    def describe_missing_contracts(self) -> str:
        """Why nothing can be sent, recorded or approved whatever is requested. Empty with a contract on file."""
        if self._list_unended():
            return ""
        name = self.talent.shown_name
        return f"The contracts of {name} have ended." if self.contracts else f"No contract of {name} is on file."

    def find_end(self, use: Use) -> date | None:
        """The last day of the contracts that allow this use. None without an end."""
        return compute_term(self._make_consent(use), self.contracts).last_day

    def _find_problem(self, use: Use) -> str:
        """What speaks against the use, apart from contracts."""
        if f"{use.provider}:{use.language}" not in self.statements:
            language = get_language_name(use.language)
            return f"There is no statement of {get_provider_label(use.provider)} in {language}. An admin can add one."
        waiting = (text for status, text in WAITING.items() if (use.provider, use.purpose, status) in self.consents)
        return next(waiting, "")

    def _mark_problem(self, use: Use) -> str:
        if f"{use.provider}:{use.language}" not in self.statements:
            return NO_STATEMENT
        return next(WAITING_MARKS[status] for status in WAITING if (use.provider, use.purpose, status) in self.consents)

    def _find_in_force(self, use: Use) -> Consent | None:
        rows = (self.consents.get((use.provider, use.purpose, status)) for status in APPROVED_STATUSES)
        return next((row for row in rows if row and is_in_force_or_suspended(row)), None)

    def _describe_in_force(self, consent: Consent | None) -> str:
        if consent is None:
            return ""
        until = f" until {format_date(consent.valid_until)}" if consent.valid_until else ""
        return f"{consent.get_status_display()}{until}. A new approval replaces it."

    def _list_unended(self) -> list[Contract]:
        return [contract for contract in self.contracts if has_not_ended(contract)]

    def _make_consent(self, use: Use) -> Consent:
        return Consent(talent=self.talent, provider=use.provider, purpose=use.purpose)


def list_problems(rules: RequestRules, uses: Iterable[Use]) -> list[str]:
    verdicts = {use: rules.judge(use) for use in uses}
    return [f"{use.describe()}: {verdict.problem}" for use, verdict in verdicts.items() if verdict.problem]
