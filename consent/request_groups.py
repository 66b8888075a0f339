"""The open requests of a private link in groups: one notice and one statement for each, one tick for each purpose."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from consent.models import Consent, Contract, Notice
from consent.services.notices import COMPARISON, FOLDED, NoticeText, Section, end_sentence
from consent.services.sittings import group_by_statement
from consent.talent_statuses import TalentStatus


@dataclass(frozen=True, slots=True)
class PurposeChoice:
    """One purpose to tick. `sections` is what the notice says about it alone. `was_left` is a tick not set earlier.

    `same_purpose` is not empty on the first of several choices for one purpose at several providers. It has all of them
    that can be ticked: the page offers one tick that sets theirs.
    """

    status: TalentStatus
    sections: Sequence[Section]
    was_left: bool
    same_purpose: Sequence[Consent] = ()

    @property
    def consent(self) -> Consent:
        return self.status.consent

    @property
    def can_tick(self) -> bool:
        return not self.status.contract_problem

    @property
    def providers(self) -> list[str]:
        """The providers of `same_purpose`."""
        return list(dict.fromkeys(consent.provider for consent in self.same_purpose))


@dataclass(frozen=True, slots=True)
class RequestGroup:
    """Requests with one statement to read aloud. `sections` is what the notices of all of them say."""

    choices: Sequence[PurposeChoice]
    sections: Sequence[Section]

    @property
    def consent(self) -> Consent:
        return self.choices[0].consent

    @property
    def consents(self) -> list[Consent]:
        return [choice.consent for choice in self.choices]

    @property
    def main_sections(self) -> list[Section]:
        """Without the voice comparison, which the page shows once for all groups, with its tick."""
        return [section for section in self.sections if section.key not in (*FOLDED, COMPARISON)]

    @property
    def folded_sections(self) -> list[Section]:
        return [section for section in self.sections if section.key in FOLDED]

    @property
    def originals(self) -> list[tuple[Consent, Sequence[Section]]]:
        """The notice of each consent in English, if the page is in another language."""
        notices = ((choice.consent, choice.status.notice) for choice in self.choices)
        return [(consent, notice.english) for consent, notice in notices if notice and notice.english]

    @property
    def can_record(self) -> bool:
        return any(choice.can_tick for choice in self.choices)

    @property
    def shared_problem(self) -> str:
        """Why nothing of it can be recorded now. Empty if a purpose can, or if the reasons differ."""
        problems = {choice.status.contract_problem for choice in self.choices}
        return problems.pop() if len(problems) == 1 else ""

    @property
    def notes(self) -> list[str]:
        """Why the studio asks for another recording, each reason once."""
        return list(dict.fromkeys(one.note_to_talent for one in self.consents if one.note_to_talent))

    @property
    def contracts(self) -> list[tuple[Consent, Contract]]:
        """The contracts that the talent may read, each with a consent that it allows."""
        pairs = {contract.pk: (one.consent, contract) for one in self.choices for contract in one.status.contracts}
        return list(pairs.values())


def make_request_groups(statuses: Sequence[TalentStatus]) -> list[RequestGroup]:
    """The open requests among these."""
    by_id = {status.consent.pk: status for status in statuses if status.is_answerable}
    consents = [status.consent for status in by_id.values()]
    shown = set(Notice.objects.filter(consent__in=consents).values_list("consent", flat=True)) if consents else set()
    groups = [_make_group([by_id[consent.pk] for consent in group], shown) for group in group_by_statement(consents)]
    return list(_join_purposes(groups))


def share_one_purpose(groups: Sequence[RequestGroup]) -> bool:
    """Whether one tick sets all others, so that a provider is enough to name each of them."""
    choices = [choice for group in groups for choice in group.choices]
    return len(choices) > 1 and len(choices[0].same_purpose) == len(choices)


def _join_purposes(groups: Sequence[RequestGroup]) -> Iterator[RequestGroup]:
    """The groups with `same_purpose` set. Requests of another company are another purpose."""
    consents = [choice.consent for group in groups for choice in group.choices if choice.can_tick]
    by_purpose: dict[tuple[str, str], list[Consent]] = defaultdict(list)
    for consent in consents:
        by_purpose[consent.purpose, consent.company].append(consent)
    same = {rows[0].pk: rows for rows in by_purpose.values() if len({consent.provider for consent in rows}) > 1}
    for group in groups:
        choices = [replace(choice, same_purpose=same.get(choice.consent.pk, ())) for choice in group.choices]
        yield replace(group, choices=choices)


def _make_group(statuses: Sequence[TalentStatus], shown: Collection[UUID]) -> RequestGroup:
    notices = [status.notice for status in statuses if status.notice]
    shared = {section.key: section for section in _iterate_shared(notices)}
    choices = [
        PurposeChoice(
            status,
            list(_iterate_own(status, shared)),
            was_left=status.consent.pk in shown and status.consent.ticked_at is None,
        )
        for status in statuses
    ]
    return RequestGroup(choices, list(shared.values()))


def _iterate_shared(notices: Sequence[NoticeText]) -> Iterator[Section]:
    """What all these notices say, in the order of the first."""
    others = [{section.key: section.paragraphs for section in notice.sections} for notice in notices[1:]]
    for section in notices[0].sections:
        found = [other.get(section.key, ()) for other in others]
        shared = tuple(text for text in section.paragraphs if all(text in paragraphs for paragraphs in found))
        if shared:
            yield Section(section.key, section.title, shared)


def _iterate_own(status: TalentStatus, shared: Mapping[str, Section]) -> Iterator[Section]:
    """What only the notice of this consent says, without the name of the purpose: that is beside the tick."""
    label = end_sentence(status.consent.get_purpose_display())
    for section in status.notice.sections if status.notice else ():
        known = shared[section.key].paragraphs if section.key in shared else ()
        own = tuple(text for text in section.paragraphs if text not in known and text != label)
        if own:
            yield Section(section.key, section.title, own)
