"""The list of builds: its columns, filters and order."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Case, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from consent.names import make_person_search, sort_by_name
from providers import registry
from voicehub.folding import Fold
from voicehub.lists.filters import Choice, ChoiceFilter, ListFilter, ValueFilter
from voicehub.lists.tables import ListColumn, ListTable
from voicehub.models import User
from voicehub.status_marks import render_mark
from voicehub.templatetags.cells import (
    NOTHING,
    render_lines,
    render_link,
    render_moment,
    render_step,
)
from voicehub.templatetags.signs import render_voice_name
from voicehub.text import format_time
from voices import access
from voices.models import Build, BuildStatus
from voices.models.build import ACTIVE_STATUSES, FAILED_STATUSES
from voices.next_fixes import Fix, load_build_fixes
from voices.presenters import StatusBadge, build_name, make_build_badges
from voices.services.builds.recheck import check_built_voices
from voices.services.builds.scores import SCORES, ScoreInfo
from voices.services.remote_state import find_outdated_builds

TALENT_NAMES = "consent.view_talent"
VOICE_NAMES = "voices.view_voice"
# Those that wait for a person first, then failures, then those that are in progress.
STATUS_ORDER = (
    BuildStatus.UNCONFIRMED,
    BuildStatus.DATASET_ISSUE,
    BuildStatus.CONSENT_REJECTED,
    BuildStatus.FAILED,
    BuildStatus.TRAINING,
    BuildStatus.SUBMITTING,
    BuildStatus.QUEUED,
    BuildStatus.READY,
    BuildStatus.CANCELED,
    BuildStatus.WITHDRAWN,
)


@dataclass(frozen=True, slots=True)
class BuildCell:
    """A build with its badges. The first says its status."""

    build: Build
    badges: Sequence[StatusBadge]


def load_build_cells(ids: Collection[UUID]) -> dict[UUID, BuildCell]:
    """By id of the build. The number of queries is constant."""
    builds = list(access.query_builds().filter(pk__in=ids))
    badges = make_badges(builds)
    return {build.pk: BuildCell(build, badges[build.pk]) for build in builds}


def make_badges(builds: Sequence[Build]) -> Mapping[UUID, Sequence[StatusBadge]]:
    states, outdated = check_built_voices(builds), find_outdated_builds(builds)
    return {build.pk: make_build_badges(build, states, outdated) for build in builds}


def render_badges(badges: Iterable[StatusBadge]) -> SafeString:
    return format_html_join(" ", "{}", ((render_mark(badge.severity, badge.label),) for badge in badges))


def list_build_views() -> list[Choice]:
    return [
        Choice("active", "In progress", Q(status__in=ACTIVE_STATUSES)),
        Choice("ready", "Finished", Q(status=BuildStatus.READY)),
        Choice("failed", "Needs work", Q(status__in=FAILED_STATUSES)),
        Choice("stopped", "Stopped", Q(status__in=[BuildStatus.CANCELED, BuildStatus.WITHDRAWN])),
    ]


def rank_status() -> Combinable:
    return Case(*(When(status=status, then=Value(rank)) for rank, status in enumerate(STATUS_ORDER)))


class BuildFilter(ListFilter):
    search_fields = {"voice__name": VOICE_NAMES, **make_person_search("voice__talent__", TALENT_NAMES)}
    search_label = "Voice or talent"
    show = ChoiceFilter("Status", list_build_views)
    provider = ValueFilter("Provider", "remote_voice__account__provider", registry.get_provider_label)


class ScoreColumn(ListColumn):
    """One quality score of the provider, the worst first."""

    def __init__(self, info: ScoreInfo, label: str, *, is_shown: bool) -> None:
        super().__init__(
            label,
            f"scores__{info.key}",
            css_class="num",
            is_shown=is_shown,
            is_descending_first=info.lower_is_better,
            is_low_good=info.lower_is_better,
        )
        self.key = info.key
        self.score_name = label

    def render(self, record: Build) -> SafeString | str:
        value = record.scores.get(self.key)
        if value is None:
            return NOTHING
        return format_html('<span data-label="{}">{}</span>', self.score_name, f"{value:.2f}")


OVERALL, SIMILARITY, FLUENCY, PAUSES = SCORES


class BuildTable(ListTable):
    """`pick` has the checkboxes that choose builds to compare. Without names of voices, the provider names a row.

    Of the scores, which some providers do not state, only the main one has a column, and the one that sorts the rows.
    """

    default_sort = "-started"

    pick = ListColumn("Compare", css_class="pick only-desk unnamed")
    voice = ListColumn("Voice", lambda: Fold("voice__name"), css_class="two cut", permission=VOICE_NAMES)
    talent = ListColumn("Talent", sort_by_name("voice__talent__"), permission=TALENT_NAMES, is_shown=False)
    provider = ListColumn("Provider", "remote_voice__account__provider", "remote_voice__tier", css_class="only-wide")
    status = ListColumn("Status", rank_status, "-created_at")
    started = ListColumn("Started", "created_at", css_class="only-wide", is_descending_first=True)
    overall = ScoreColumn(OVERALL, OVERALL.label, is_shown=True)
    similarity = ScoreColumn(SIMILARITY, SIMILARITY.label, is_shown=False)
    fluency = ScoreColumn(FLUENCY, FLUENCY.label, is_shown=False)
    pauses = ScoreColumn(PAUSES, "Pauses", is_shown=False)
    next_step = ListColumn("Next step", css_class="step")

    def __init__(self, rows: QuerySet[Build], user: User, sort: str) -> None:
        super().__init__(rows, user, sort)
        for name, column in self.columns.items():
            if column.is_ordered and isinstance(column.column, ScoreColumn):
                self.columns.show(name)

    @property
    def row_header(self) -> str:
        return "voice" if "voice" in self.columns else "provider"

    def load_rows(self, records: Sequence[Build]) -> None:
        self.badges = make_badges(records)
        ids = [build.pk for build in records]
        self.fixes = load_build_fixes(Build.objects.filter(pk__in=ids))

    def render_pick(self, record: Build) -> SafeString:
        """A checkbox of the form in voices/_compare_pick.html. A build that has not finished cannot be compared."""
        if record.is_active:
            return SafeString("")
        name = f"{build_name(record)}, {format_time(record.created_at)}"
        return format_html(
            '<input class="form-check-input" type="checkbox" name="build" value="{}" form="compare-pick"'
            ' data-voice="{}" aria-label="Compare {}">',
            record.pk,
            record.voice_id,
            name,
        )

    def render_voice(self, record: Build) -> SafeString:
        link = render_link(record.get_absolute_url(), record.voice.name)
        number = f"Build {record.number}"  # type: ignore[attr-defined]  # annotated by the page
        talent = f", {record.voice.talent.shown_name}" if "talent" in self.columns else ""
        details = (number, build_name(record), talent, render_moment(record.created_at))
        second = format_html(
            '{}<span class="not-wide">, {}</span><span class="only-wide">{}</span>'
            '<span class="not-wide">, <span class="text-nowrap">{}</span></span>',
            *details,
        )
        return render_voice_name(record.voice_id, render_lines(link, second))

    def render_provider(self, record: Build) -> SafeString | str:
        name = build_name(record)
        return name if "voice" in self.columns else render_link(record.get_absolute_url(), name)

    def render_status(self, record: Build) -> SafeString:
        return render_badges(self.badges[record.pk])

    def render_started(self, record: Build) -> SafeString | str:
        return render_moment(record.created_at)

    def render_next_step(self, record: Build) -> SafeString | str:
        fix = self._find_fix(record)
        name = record.voice.name if "voice" in self.columns else build_name(record)
        if fix:
            return render_step(fix.url, fix.action, name)
        needs_reason = self.badges[record.pk][0].severity in ("bad", "wait")
        return render_step(record.get_absolute_url(), "See why", name) if needs_reason else NOTHING

    def _find_fix(self, build: Build) -> Fix | None:
        _, fix = self.fixes.get(build.pk, (build, None))
        return fix if fix and fix.is_allowed_for(self.user) else None
