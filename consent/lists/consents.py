"""The list of consents: its columns, filters and order."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

from django.db.models import Case, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from django.utils.html import format_html
from django.utils.safestring import SafeString

from consent.extension_points import get_provider_label
from consent.labels import Mark, describe_term, get_purpose_label
from consent.lists.urgent_steps import URGENT_RANKS, load_urgent_steps, rank_urgent_steps
from consent.models import Consent, ConsentStatus, Contract, Event, EventKind
from consent.names import make_name_search, may_see_contacts, sort_by_name
from consent.request_actions import find_allowed_action
from consent.services.blockers import Blocker, find_blocker, query_newest_link
from consent.services.disclosure import compute_term, list_allowing
from voicehub.lists.filters import Choice, ChoiceFilter, ListFilter, ValueFilter
from voicehub.lists.tables import ListColumn, ListTable
from voicehub.status_marks import get_tone, render_mark
from voicehub.templatetags.cells import (
    NOTHING,
    render_day,
    render_lines,
    render_link,
    render_moment,
    render_step,
)
from voicehub.templatetags.signs import render_person_name
from voicehub.text import get_language_name

# Those that wait for a person first.
STATUS_ORDER = (
    ConsentStatus.SUBMITTED,
    ConsentStatus.REQUESTED,
    ConsentStatus.SUSPENDED,
    ConsentStatus.APPROVED,
    ConsentStatus.WITHDRAWN,
    ConsentStatus.DECLINED,
    ConsentStatus.EXPIRED,
    ConsentStatus.REPLACED,
    ConsentStatus.VOIDED,
)
ENDED = STATUS_ORDER[STATUS_ORDER.index(ConsentStatus.WITHDRAWN) :]
# Statuses that may also begin with an event of another name.
OTHER_KINDS = {
    ConsentStatus.SUBMITTED: EventKind.TAKE,
    ConsentStatus.REQUESTED: EventKind.ASKED_AGAIN,
    ConsentStatus.APPROVED: EventKind.RESUMED,
}


def query_consents() -> QuerySet[Consent]:
    """Consents with `since`, from when they have their status, their `blocker`, and their newest link as `link_id`."""
    kinds = (When(status=status, then=Value(kind)) for status, kind in OTHER_KINDS.items())
    is_change = Q(kind=OuterRef("status")) | Q(kind=OuterRef("other_kind"))
    changes = Event.objects.filter(is_change, consent=OuterRef("pk")).order_by("-sequence").values("at")
    rows = Consent.objects.select_related("talent").annotate(
        other_kind=Case(*kinds, default="status"), blocker=find_blocker()
    )
    link_id = Subquery(query_newest_link().values("pk")[:1])
    return rows.annotate(since=Coalesce(Subquery(changes[:1]), "created_at"), link_id=link_id)


def rank_status() -> Combinable:
    """As the marks of the rows say it: what waits for a person of the studio before what waits for the talent."""
    ranks = (When(status=status, then=Value(rank)) for rank, status in enumerate(STATUS_ORDER, URGENT_RANKS))
    return Case(When(status=ConsentStatus.SUBMITTED, then=Value(-1)), *rank_urgent_steps(), *ranks)


def list_consent_views() -> list[Choice]:
    return [
        Choice("to_review", "To review", Q(status=ConsentStatus.SUBMITTED)),
        Choice("waiting", "Waiting for talent", Q(status=ConsentStatus.REQUESTED)),
        Choice("in_force", "In force", Q(status=ConsentStatus.APPROVED)),
        Choice("suspended", "Suspended", Q(status=ConsentStatus.SUSPENDED)),
        Choice("ended", "Ended", Q(status__in=ENDED)),
    ]


class ConsentFilter(ListFilter):
    search_fields = make_name_search("talent__", "consent.view_talent")
    search_label = "Name"
    show = ChoiceFilter("Status", list_consent_views)
    provider = ValueFilter("Provider", "provider", get_provider_label)
    purpose = ValueFilter("Purpose", "purpose", get_purpose_label)
    language = ValueFilter("Language", "language", get_language_name)

    def describe_search(self) -> str:
        return "Name or email address" if may_see_contacts() else self.search_label


class ConsentCells(ListTable):
    """The cells that name a consent, with the columns `talent` and `provider`."""

    def load_rows(self, records: Sequence[Consent]) -> None:
        """Find the rows that go on with the talent of the row above, and those that wait for the same link."""
        pairs = list(pairwise(records)) if "talent" in self.columns else []
        self.repeated = {row.pk for above, row in pairs if row.talent_id == above.talent_id}
        self.on_same_link = {row.pk for above, row in pairs if _wait_for_one_link(above, row)}
        self.urgent = load_urgent_steps(records)

    def render_talent(self, record: Consent) -> SafeString:
        use = f"{get_provider_label(record.provider)}, {get_purpose_label(record.purpose).lower()}"
        is_repeated = record.pk in self.repeated
        shown = record.talent.shown_name
        name = render_link(record.get_absolute_url(), shown)
        if is_repeated:
            name = format_html('<span class="visually-hidden">{}</span>', shown)
        second = render_link(record.get_absolute_url(), use) if is_repeated else use
        lines = render_lines(name, second, "only-phone")
        return render_person_name(shown, lines, is_repeated=is_repeated)

    def render_provider(self, record: Consent) -> SafeString:
        label = get_provider_label(record.provider)
        has_link = "talent" not in self.columns or record.pk in self.repeated
        first = render_link(record.get_absolute_url(), label) if has_link else label
        return render_lines(first, get_purpose_label(record.purpose))

    def render_action(self, record: Consent) -> SafeString | str:
        """The button of what this user does next. One reminder is enough for all requests of one link."""
        if record.pk in self.on_same_link and record.pk not in self.urgent.asked:
            return NOTHING
        name = record.talent.shown_name if "talent" in self.columns else get_provider_label(record.provider)
        urgent = self.urgent.find_action(record)
        step = urgent if urgent and urgent.is_allowed_for(self.user) else find_allowed_action(record, self.user)
        return render_step(step.url, step.label, name) if step else NOTHING


def _wait_for_one_link(above: Consent, row: Consent) -> bool:
    keys = [(one.blocker, one.link_id) for one in (above, row)]  # type: ignore[attr-defined]  # annotated by query_consents
    return keys[0] == keys[1] and keys[0][0] == Blocker.TALENT


class ConsentTable(ConsentCells):
    default_sort = "status"

    talent = ListColumn("Talent", sort_by_name("talent__"), css_class="two", permission="consent.view_talent")
    provider = ListColumn("Provider", "provider", "purpose", css_class="two only-desk provider")
    language = ListColumn("Language", "language", css_class="only-wide")
    status = ListColumn("Status", rank_status, "since")
    since = ListColumn("Last change", "since", css_class="only-wide", is_descending_first=True)
    valid_until = ListColumn("Valid until", css_class="only-wide")
    next_step = ListColumn("Next step", css_class="step", permission="consent.review_consent")

    def load_rows(self, records: Sequence[Consent]) -> None:
        super().load_rows(records)
        self.terms = load_terms(records)
        if not self._has_languages():
            self.columns.hide("language")

    def _has_languages(self) -> bool:
        """Whether the column of languages says anything, or sorts the rows."""
        is_sorting = "language" in [sort.removeprefix("-") for sort in self.order_by]
        return is_sorting or len(Consent.objects.order_by("language").values_list("language").distinct()[:2]) > 1

    def render_language(self, record: Consent) -> str:
        return get_language_name(record.language)

    def render_status(self, record: Consent) -> SafeString:
        urgent, term = self.urgent.find_mark(record), self.terms[record.pk]
        mark = render_mark(*(urgent or (get_tone(record.status), record.get_status_display())))
        end = render_mark(*term.warning) if term.warning else self.render_valid_until(record)
        until = format_html("until {}", end) if term.last_day and not term.warning else end
        return render_lines(mark, until, "only-phone")

    def render_since(self, record: Consent) -> SafeString | str:
        return render_moment(record.since)  # type: ignore[attr-defined]  # annotated by query_consents

    def render_valid_until(self, record: Consent) -> SafeString | str:
        term = self.terms[record.pk]
        if term.warning:
            mark = render_mark(*term.warning)
            return mark if term.has_contract else render_lines("Not set", mark)
        return render_day(term.last_day, "" if record.status in ENDED else "no end date")

    def render_next_step(self, record: Consent) -> SafeString | str:
        return self.render_action(record)


class Term(NamedTuple):
    """The last day of a consent, whether a contract allows it, and what a person must know of an open one."""

    last_day: date | None
    has_contract: bool
    warning: Mark | None = None


def load_terms(consents: Sequence[Consent]) -> dict[UUID, Term]:
    """By id of the consent. One query."""
    contracts: dict[UUID, list[Contract]] = defaultdict(list)
    talents = {consent.talent_id for consent in consents}
    for contract in Contract.objects.filter(talent__in=talents).select_related("superseded_by"):
        contracts[contract.talent_id].append(contract)
    return {consent.pk: _find_term(consent, contracts[consent.talent_id]) for consent in consents}


def _find_term(consent: Consent, contracts: Sequence[Contract]) -> Term:
    """The end of the contract ends the consent too. `contracts` are all of the talent."""
    has_contract = bool(list_allowing(consent, contracts))
    if consent.status in ENDED:
        return Term(consent.valid_until, has_contract)
    if not has_contract:
        return Term(None, has_contract, Mark("wait", "Contract missing"))
    last_day = compute_term(consent, contracts).last_day
    mark = describe_term(last_day)
    return Term(last_day, has_contract, None if mark.tone == "good" else mark)
