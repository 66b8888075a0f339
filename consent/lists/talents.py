"""The list of talents: its columns, filters and order."""

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.expressions import Combinable
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from consent.extension_points import TalentStep, TalentVoices, find_first_steps, get_voice_summaries
from consent.labels import ENDING_SOON
from consent.lists.talent_marks import (
    CONSENTS,
    CONTRACTS,
    ContractState,
    load_consent_counts,
    load_contract_states,
    render_consent_counts,
    render_contract_state,
)
from consent.models import Consent, ConsentStatus, Contract, Question, Talent, TalentMail
from consent.names import make_name_search, may_see_contacts, sort_by_name
from consent.request_actions import find_allowed_action
from consent.services.blockers import find_blocker
from voicehub.lists.filters import Choice, ChoiceFilter, ListFilter
from voicehub.lists.tables import ListColumn, ListTable
from voicehub.models import User
from voicehub.row_counts import count_rows
from voicehub.status_marks import render_mark
from voicehub.templatetags.cells import (
    NOTHING,
    render_lines,
    render_link,
    render_moment,
    render_step,
)
from voicehub.templatetags.signs import render_person_name, render_voice_tile


def query_talents() -> QuerySet[Talent]:
    return Talent.objects.all()


def _has_contract(*conditions: Q) -> Exists:
    return Exists(Contract.objects.in_force().filter(*conditions, talent=OuterRef("pk")))


def _has_later_end() -> Exists:
    """A contract in force that does not end soon."""
    later = Q(ends_on__isnull=True) | Q(ends_on__gt=timezone.localdate() + ENDING_SOON)
    return _has_contract(later)


def _has_current_contract() -> Exists:
    return Exists(Contract.objects.current().filter(talent=OuterRef("pk")))


def rank_contract() -> Combinable:
    """No contract first, then suspended, then ending soon."""
    steps = (_has_later_end(), 3), (_has_contract(), 2), (_has_current_contract(), 1)
    return Case(*(When(condition, then=Value(rank)) for condition, rank in steps), default=Value(0))


def find_contract_end() -> Combinable:
    ends = Contract.objects.in_force().filter(talent=OuterRef("pk")).order_by("-ends_on").values("ends_on")
    return Subquery(ends[:1])


def _has_consent(status: ConsentStatus) -> Q:
    consents = Consent.objects.in_force() if status == ConsentStatus.APPROVED else Consent.objects.filter(status=status)
    # Looked up once: for each talent, SQLite would read all consents with this status.
    return Q(pk__in=consents.values("talent"))


def _count_consents(status: ConsentStatus) -> Combinable:
    return count_rows(Consent.objects.filter(talent=OuterRef("pk"), status=status))


def list_talent_views() -> list[Choice]:
    return [
        Choice("to_review", "To review", _has_consent(ConsentStatus.SUBMITTED)),
        Choice("waiting", "Waiting for talent", _has_consent(ConsentStatus.REQUESTED)),
        Choice("in_force", "Consent in force", _has_consent(ConsentStatus.APPROVED)),
        Choice("withdrawn", "Withdrawn", _has_consent(ConsentStatus.WITHDRAWN)),
    ]


def list_contract_choices() -> list[Choice]:
    return [
        Choice("in_force", "In force", Q(_has_contract())),
        Choice("ending", "Ends within 60 days", Q(_has_contract()) & ~Q(_has_later_end())),
        Choice("suspended", "Suspended", Q(_has_current_contract()) & ~Q(_has_contract())),
        Choice("none", "None in force", ~Q(_has_contract())),
    ]


def rank_need() -> Combinable:
    """Reports and failed builds first, then what waits for a review or an answer, then all other steps.

    Each condition is looked up once, not for each talent.
    """
    voices = get_voice_summaries()
    is_bad = Q(pk__in=TalentMail.objects.disputed().values("consent__talent")) | Q(pk__in=voices.query_failed())
    is_new = _has_consent(ConsentStatus.SUBMITTED) | Q(pk__in=Question.objects.open().values("consent__talent"))
    is_missing = Q(pk__in=voices.query_waiting()) | ~Q(pk__in=Contract.objects.values("talent"))
    is_missing |= ~Q(pk__in=Consent.objects.values("talent")) | _has_consent(ConsentStatus.REQUESTED)
    ranks = (is_bad, 0), (is_new, 1), (is_missing, 2)
    return Case(*(When(condition, then=Value(rank)) for condition, rank in ranks), default=Value(3))


class TalentFilter(ListFilter):
    search_fields = make_name_search("")
    search_label = "Name"
    show = ChoiceFilter("Consents", list_talent_views, permission=CONSENTS)
    contract = ChoiceFilter("Contract", list_contract_choices, permission=CONTRACTS)

    def describe_search(self) -> str:
        return "Name or email address" if may_see_contacts() else self.search_label


class TalentTable(ListTable):
    default_sort = "next_step"
    can_tick: ClassVar[bool] = True

    name = ListColumn("Talent", sort_by_name(), css_class="two cut")
    contract = ListColumn("Contract", rank_contract, find_contract_end, css_class="only-desk", permission=CONTRACTS)
    consents = ListColumn(
        "Consents",
        lambda: _count_consents(ConsentStatus.SUBMITTED),
        lambda: _count_consents(ConsentStatus.REQUESTED),
        lambda: _count_consents(ConsentStatus.APPROVED),
        css_class="two split",
        permission=CONSENTS,
        is_descending_first=True,
    )
    voices = ListColumn(
        "Voices",
        lambda: get_voice_summaries().make_voice_count(),
        css_class="only-wide",
        permission="voices.view_voice",
        is_descending_first=True,
    )
    last_build = ListColumn(
        "Last build",
        lambda: get_voice_summaries().make_last_built_at(),
        css_class="two only-wide",
        permission="voices.view_build",
        is_descending_first=True,
    )
    added = ListColumn("Added", "created_at", is_descending_first=True, is_shown=False)
    next_step = ListColumn("Next step", rank_need, sort_by_name(), css_class="step")

    def load_rows(self, records: Sequence[Talent]) -> None:
        self.contract_states = load_contract_states(records)
        self.consent_counts = load_consent_counts(records)
        ids = [talent.pk for talent in records]
        self.voice_summaries = get_voice_summaries().summarize(ids)
        self.first_steps = _load_consent_steps(ids, self.user) | dict(find_first_steps(ids, self.user))

    def render_name(self, record: Talent) -> SafeString:
        lines = render_lines(
            render_link(record.get_absolute_url(), record.shown_name),
            record.shown_email or ("" if record.email else "No email address"),
        )
        name = render_person_name(record.shown_name, lines)
        return self._render_tick(record) + name if self.has_ticks else name

    def _render_tick(self, record: Talent) -> SafeString:
        """A box of the form below the list, which requests consents of all talents with a tick."""
        return format_html(
            '<span class="row-pick"><input class="form-check-input" type="checkbox" form="ask-many" name="talent"'
            ' value="{}" aria-label="Choose {}"></span>',
            record.pk,
            record.shown_name,
        )

    @property
    def has_ticks(self) -> bool:
        return self.can_tick and self.user.has_perm("consent.add_consent")

    def render_contract(self, record: Talent) -> SafeString | str:
        return render_contract_state(self.contract_states.get(record.pk, ContractState()))

    def render_consents(self, record: Talent) -> SafeString:
        shown = render_consent_counts(self.consent_counts[record.pk], 2)
        contract = format_html("Contract: {}", self.render_contract(record)) if "contract" in self.columns else ""
        return render_lines(format_html('<span class="states">{}</span>', shown), contract, "only-phone")

    def render_voices(self, record: Talent) -> SafeString | str:
        voices = self.voice_summaries.get(record.pk)
        if voices is None:
            return NOTHING
        tiles = format_html_join("", "{}", ((render_voice_tile(voice, "small"),) for voice in voices.shown_ids))
        return format_html('<span class="vh-tiles">{}{}</span>', tiles, voices.voice_count)

    def render_last_build(self, record: Talent) -> SafeString:
        voices = self.voice_summaries.get(record.pk, TalentVoices())
        if voices.built_at is None:
            return NOTHING
        link = render_link(voices.build_url, render_mark(voices.build_tone, voices.build_label))
        return render_lines(link, render_moment(voices.built_at))

    def render_next_step(self, record: Talent) -> SafeString | str:
        step = self.first_steps.get(record.pk)
        return render_step(step.url, step.action, record.shown_name) if step else NOTHING


class AskTable(TalentTable):
    """Whom to ask for consent: each row leads to the form of a request."""

    action, url_name = "Request consent", "consent:consent_ask"
    default_sort = "name"
    can_tick = False
    voices = last_build = None  # type: ignore[assignment]  # leaves the columns out
    next_step = ListColumn("Next step", css_class="step")

    def load_rows(self, records: Sequence[Talent]) -> None:
        self.contract_states = load_contract_states(records)
        self.consent_counts = load_consent_counts(records)
        urls = {talent.pk: reverse(self.url_name, args=[talent.pk]) for talent in records}
        self.first_steps = {pk: TalentStep(self.action, url, "") for pk, url in urls.items()}


def _load_consent_steps(talents: Sequence[UUID], user: User) -> dict[UUID, TalentStep]:
    """By talent, the button that the oldest of the open consents has in the list of consents."""
    rows = Consent.objects.filter(talent__in=talents, status__in=[ConsentStatus.SUBMITTED, ConsentStatus.REQUESTED])
    steps: dict[UUID, TalentStep] = {}
    for consent in rows.annotate(blocker=find_blocker()).order_by("created_at", "pk"):
        if action := find_allowed_action(consent, user):
            steps.setdefault(consent.talent_id, TalentStep(action.label, action.url, ""))
    return steps
