"""The list of all requests that wait: for a contract, to be sent, for the talent, for a review, or with time over."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Case, Q, QuerySet, Subquery, Value, When
from django.db.models.expressions import Combinable
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from consent.extension_points import get_provider_label
from consent.labels import get_purpose_label
from consent.lists.consents import ConsentCells, query_consents
from consent.lists.urgent_steps import URGENT_RANKS, rank_urgent_steps
from consent.models import Consent, ConsentStatus, Invitation
from consent.names import make_name_search, may_see_contacts, sort_by_name
from consent.services.blockers import Blocker, has_newer_request, has_usable_take, query_newest_link
from voicehub.lists.filters import Choice, ChoiceFilter, ListFilter, ValueFilter
from voicehub.lists.tables import ListColumn
from voicehub.models import Task, TaskStatus
from voicehub.status_marks import render_mark
from voicehub.templatetags.cells import (
    NOTHING,
    render_day,
    render_lines,
    render_moment,
)

ENDED_LATELY = timedelta(days=30)
"""A request that ended without an answer is listed for so long, unless the talent was asked again."""


TONES = {Blocker.REVIEW: "new", Blocker.CONTRACT: "wait", Blocker.SEND: "wait", Blocker.OVER: "bad"}


def query_open_requests() -> QuerySet[Consent]:
    """The consents that wait, each with its `blocker` and the newest link to it that was not revoked."""
    link = query_newest_link()
    rows = query_consents().annotate(
        has_take=has_usable_take(),
        ends_at=Subquery(link.values("expires_at")[:1]),
        opened_at=Subquery(link.values("opened_at")[:1]),
        reminder_count=Subquery(link.values("reminder_count")[:1]),
    )
    open_statuses = Q(status__in=[ConsentStatus.REQUESTED, ConsentStatus.SUBMITTED])
    return rows.filter(open_statuses | _has_ended_lately())


def _has_ended_lately() -> Q:
    is_recent = Q(status=ConsentStatus.EXPIRED, since__gte=timezone.now() - ENDED_LATELY)
    return is_recent & Q(has_take=False) & ~Q(has_newer_request())


def rank_blocker() -> Combinable:
    """As the marks of the rows say it: a review, a question or a refused mail before what else waits."""
    ranks = (When(blocker=blocker, then=Value(rank)) for rank, blocker in enumerate(Blocker, URGENT_RANKS))
    return Case(When(blocker=Blocker.REVIEW, then=Value(-1)), *rank_urgent_steps(), *ranks)


def list_blocker_views() -> list[Choice]:
    return [Choice(blocker.value, blocker.label, Q(blocker=blocker)) for blocker in Blocker]


def list_link_views() -> list[Choice]:
    waits = Q(blocker=Blocker.TALENT)
    return [
        Choice("unopened", "Not opened", waits & Q(opened_at__isnull=True)),
        Choice("opened", "Opened", waits & Q(opened_at__isnull=False)),
        Choice("reminded", "Reminded", waits & Q(reminder_count__gt=0)),
    ]


class OpenRequestFilter(ListFilter):
    search_fields = make_name_search("talent__", "consent.view_talent")
    search_label = "Name"
    shows_empty_tabs = False
    show = ChoiceFilter("Waits for", list_blocker_views)
    link = ChoiceFilter("Link", list_link_views)
    provider = ValueFilter("Provider", "provider", get_provider_label)
    purpose = ValueFilter("Purpose", "purpose", get_purpose_label)

    def describe_search(self) -> str:
        return "Name or email address" if may_see_contacts() else self.search_label


class OpenRequestTable(ConsentCells):
    default_sort = "blocker"

    pick = ListColumn("Select", css_class="pick", permission="consent.invite_talent")
    talent = ListColumn("Talent", sort_by_name("talent__"), css_class="two", permission="consent.view_talent")
    provider = ListColumn("Provider", "provider", "purpose", css_class="two only-desk provider")
    blocker = ListColumn("Waits for", rank_blocker, "ends_at", "since", css_class="two split")
    ends_at = ListColumn("Last day", "ends_at", css_class="only-wide")
    reminders = ListColumn("Reminders", "reminder_count", css_class="only-wide", is_descending_first=True)
    since = ListColumn("Last change", "since", css_class="only-wide", is_descending_first=True)
    next_step = ListColumn("Next step", css_class="step", permission="consent.review_consent")

    @property
    def row_header(self) -> str:
        return "talent" if "talent" in self.columns else "provider"

    def load_rows(self, records: Sequence[Consent]) -> None:
        """The links of the page, and why a mail with one could not be sent."""
        super().load_rows(records)
        links = Invitation.objects.filter(pk__in=[record.link_id for record in records if record.link_id])  # type: ignore[attr-defined]  # annotated
        self.links = {link.pk: link for link in links}
        waiting = Invitation.objects.filter(consents__in=records, revoked_at=None, sent_at=None)
        unsent = dict(waiting.exclude(channel=Invitation.Channel.COPIED).values_list("pk", "consents"))
        failed = Task.objects.filter(
            kind="send_invitation", status=TaskStatus.FAILED, object_id__in=[str(pk) for pk in unsent]
        )
        failed_ids = {UUID(object_id) for object_id in failed.values_list("object_id", flat=True)}
        self.unsent = {consent: pk in failed_ids for pk, consent in unsent.items()}

    def render_pick(self, record: Consent) -> SafeString:
        name = f"{record.talent.shown_name}, {get_provider_label(record.provider)}"
        return format_html(
            '<input class="form-check-input" type="checkbox" name="consent" value="{}" form="bulk"'
            ' aria-label="Select {}">',
            record.pk,
            name,
        )

    def render_blocker(self, record: Consent) -> SafeString:
        blocker = Blocker(record.blocker)  # type: ignore[attr-defined]  # annotated by query_open_requests
        mark = render_mark(*(self.urgent.find_mark(record) or (TONES.get(blocker, "over"), blocker.label)))
        done = self._describe(record, blocker)
        lines = render_lines(mark, done, "only-desk")
        on_phone = " · ".join(filter(None, (done, *self._list_dates(record, blocker))))
        return render_lines(lines, capfirst(on_phone), "only-phone")

    def _list_dates(self, record: Consent, blocker: Blocker) -> Iterator[str]:
        """What a phone, which has no columns for it, says of reminders and of the last day."""
        link = self._get_link(record)
        if link and link.reminded_at:
            yield f"reminded {_format_day(link.reminded_at)}"
        if link and blocker == Blocker.TALENT and self.render_ends_at(record) is not NOTHING:
            yield "no last day" if record.has_take else f"last day {_format_day(link.expires_at)}"  # type: ignore[attr-defined]  # annotated

    def _describe(self, record: Consent, blocker: Blocker) -> SafeString | str:
        """The second line: what has happened so far."""
        link = self._get_link(record)
        if blocker == Blocker.SEND and record.pk in self.unsent:
            return "The mail could not be sent" if self.unsent[record.pk] else "The mail is being sent"
        if blocker == Blocker.TALENT and link:
            opened = f"opened {_format_day(link.opened_at)}" if link.opened_at else "not opened"
            text = f"to read it again, {opened}" if record.note_to_talent else opened
            return text[0].upper() + text[1:]
        if blocker == Blocker.OVER:
            ended_at = link.expires_at if link else record.since  # type: ignore[attr-defined]  # annotated
            return f"Expired {_format_day(ended_at)}"
        return ""

    def _get_link(self, record: Consent) -> Invitation | None:
        return self.links.get(record.link_id)  # type: ignore[attr-defined]  # annotated by query_open_requests

    def render_ends_at(self, record: Consent) -> SafeString | str:
        link = self._get_link(record)
        is_retake = record.has_take  # type: ignore[attr-defined]  # annotated by query_open_requests
        is_over = record.blocker == Blocker.OVER  # type: ignore[attr-defined]  # annotated: its state has the day
        if link is None or is_over or record.status == ConsentStatus.SUBMITTED:
            return NOTHING
        return "no last day" if is_retake else render_day(timezone.localtime(link.expires_at).date())

    def render_reminders(self, record: Consent) -> SafeString | str:
        link = self._get_link(record)
        if link is None or not link.reminder_count or not link.reminded_at:
            return NOTHING
        last = "" if link.reminder_count == 1 else "last "
        return f"{link.reminder_count}, {last}on {_format_day(link.reminded_at)}"

    def render_since(self, record: Consent) -> SafeString | str:
        return render_moment(record.since)  # type: ignore[attr-defined]  # annotated by query_consents

    def render_next_step(self, record: Consent) -> SafeString | str:
        return self.render_action(record)


def _format_day(moment: datetime) -> str:
    """“Nov 21”, with the year if it is another one."""
    local = timezone.localtime(moment)
    return date_format(local, "M j" if local.year == timezone.localdate().year else "M j, Y")
