"""The list of voices: its columns, filters and order."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from consent.labels import get_purpose_label
from consent.names import make_person_search, sort_by_name
from consent.services.statements import load_newest_statements
from providers import registry
from voicehub.folding import Fold
from voicehub.lists.filters import Choice, ChoiceFilter, ListFilter, ValueFilter
from voicehub.lists.tables import ListColumn, ListTable
from voicehub.row_counts import count_rows
from voicehub.status_marks import render_mark
from voicehub.templatetags.cells import (
    NOTHING,
    render_lines,
    render_link,
    render_moment,
    render_step,
)
from voicehub.templatetags.signs import render_voice_name
from voicehub.text import format_duration, get_language_name
from voices.lists.builds import TALENT_NAMES, load_build_cells, render_badges
from voices.models import Build, BuildStatus, Recording, RecordingStatus, Voice
from voices.models.build import ACTIVE_STATUSES
from voices.next_fixes import (
    REBUILD_STATUSES,
    Fix,
    describe_target,
    find_gate_fix,
    load_build_fixes,
    name_target,
    query_unclear_builds,
)
from voices.presenters import StatusBadge
from voices.services.builds.nearest import find_nearest_targets
from voices.services.builds.refusals import find_worst_refusals, query_doubtful_builds

# Of the badges that say that something is wrong, the worst first.
SEVERITY_RANKS = {"bad": 0, "wait": 1}
MANY_ROWS = 5


class SpeechTotal(NamedTuple):
    """The recordings of a voice that a build would use, and how many it has in all."""

    recordings: int
    seconds: float
    all_recordings: int


class NextBuildState(NamedTuple):
    """Where a voice stands, at which provider, and the button for exactly this. None if nothing waits for a person."""

    severity: str
    status: str
    fix: Fix | None
    place: str = ""

    def render(self) -> SafeString:
        return render_lines(render_mark(self.severity, self.status), self.place)


def _query_used_recordings() -> QuerySet[Recording]:
    return Recording.objects.filter(active=True, status=RecordingStatus.ACCEPTED).order_by()


def load_speech_totals(voices: Sequence[Voice]) -> Mapping[UUID, SpeechTotal]:
    is_used = Q(active=True, status=RecordingStatus.ACCEPTED)
    rows = Recording.objects.filter(voice__in=voices).order_by().values_list("voice")
    totals = rows.annotate(
        used=Count("pk", filter=is_used), used_seconds=Sum("seconds", filter=is_used, default=0.0), count=Count("pk")
    )
    return {pk: SpeechTotal(used, seconds, count) for pk, used, seconds, count in totals}


def count_recordings() -> Combinable:
    return count_rows(_query_used_recordings().filter(voice=OuterRef("pk")))


def sum_speech() -> Combinable:
    rows = _query_used_recordings().filter(voice=OuterRef("pk")).values("voice").annotate(total=Sum("seconds"))
    return Coalesce(Subquery(rows.values("total")), 0.0)


def _query_newest_build() -> QuerySet[Build]:
    return Build.objects.filter(voice=OuterRef("pk")).order_by("-created_at", "pk")


def find_newest_builds(voice_ids: Collection[UUID]) -> dict[UUID, UUID | None]:
    """By voice, the id of its newest build."""
    newest = Subquery(_query_newest_build().values("pk")[:1])
    return dict(Voice.objects.filter(pk__in=voice_ids).order_by().values_list("pk", newest))


def _list_open_builds(voice_ids: Collection[UUID]) -> list[UUID]:
    """The builds that wait for a person, and of each voice at a provider the newest one if it is ready."""
    same = Build.objects.filter(remote_voice=OuterRef("remote_voice")).order_by("-created_at", "pk")
    builds = Build.objects.filter(voice__in=voice_ids)
    ready = builds.filter(status=BuildStatus.READY, pk=Subquery(same.values("pk")[:1]))
    return [*load_build_fixes(builds), *ready.values_list("pk", flat=True)]


def load_voice_badges(voice_ids: Collection[UUID]) -> dict[UUID, SafeString]:
    """By voice, the badges of its newest build, after the worst of the older ones that are still open.

    A voice is missing if a row is missing that its newest build refers to. Queries do not grow with rows.
    """
    newest = {voice: build for voice, build in find_newest_builds(voice_ids).items() if build}
    cells = load_build_cells({*newest.values(), *_list_open_builds(voice_ids)})
    worst: dict[UUID, StatusBadge] = {}
    for cell in cells.values():
        badge, voice = cell.badges[0], cell.build.voice_id
        if cell.build.pk != newest[voice] and badge.severity in SEVERITY_RANKS:
            worst[voice] = min(worst.get(voice, badge), badge, key=lambda one: SEVERITY_RANKS[one.severity])
    shown = {voice: list(cells[build].badges) for voice, build in newest.items() if build in cells}
    return {
        voice: render_badges(dict.fromkeys([worst[voice], *badges] if voice in worst else badges))
        for voice, badges in shown.items()
    }


def find_last_built_at() -> Combinable:
    return Subquery(_query_newest_build().values("created_at")[:1])


def list_voice_views() -> list[Choice]:
    builds = Build.objects.filter(voice=OuterRef("pk"))
    failures = Build.objects.open_failures().filter(voice=OuterRef("pk"))
    usable = builds.filter(status=BuildStatus.READY, remote_voice__deletion_requested_at=None)
    return [
        Choice("active", "Build in progress", Q(Exists(builds.filter(status__in=ACTIVE_STATUSES)))),
        Choice("failed", "Needs work", Q(Exists(failures))),
        Choice("ready", "Built", Q(Exists(usable))),
        Choice("unbuilt", "Never built", ~Q(Exists(builds))),
    ]


def rank_need() -> Combinable:
    """Voices whose last build failed or needs an answer, those without a build, then those that may be refused.

    The others have no next step, except where only a further build lacks something.
    """
    builds = Build.objects.filter(voice=OuterRef("pk"))
    waits = Q(Exists(Build.objects.open_failures().filter(voice=OuterRef("pk")))) | Q(
        Exists(builds.filter(query_unclear_builds()))
    )
    is_active = Q(Exists(builds.filter(status__in=ACTIVE_STATUSES)))
    # Looked up once, not for each voice.
    may_be_refused = Q(pk__in=query_doubtful_builds().order_by().values("voice"))
    ranks = (waits, 0), (is_active, 4), (~Q(Exists(builds.attempts())), 1), (may_be_refused, 2)
    return Case(*(When(condition, then=Value(rank)) for condition, rank in ranks), default=Value(3))


class VoiceFilter(ListFilter):
    search_fields = {"name": "", **make_person_search("talent__", TALENT_NAMES)}
    search_label = "Voice or talent"
    show = ChoiceFilter("Builds", list_voice_views, permission="voices.view_build")
    language = ValueFilter("Language", "language", get_language_name)
    purpose = ValueFilter("Purpose", "purpose", get_purpose_label)


class VoiceTable(ListTable):
    default_sort = "next_step"

    name = ListColumn("Voice", lambda: Fold("name"), css_class="two cut")
    talent = ListColumn(
        "Talent", sort_by_name("talent__"), css_class="clip only-desk beside-name", permission=TALENT_NAMES
    )
    recordings = ListColumn("Recordings", count_recordings, css_class="num only-desk")
    speech = ListColumn("Speech", sum_speech, css_class="num only-wide")
    readiness = ListColumn("Next build", css_class="two")
    last_build = ListColumn(
        "Last build",
        find_last_built_at,
        css_class="two only-wide earlier",
        permission="voices.view_build",
        is_descending_first=True,
    )
    next_step = ListColumn("Next step", rank_need, lambda: Fold("name"), css_class="step")

    def load_rows(self, records: Sequence[Voice]) -> None:
        ids = [voice.pk for voice in records]
        self.usual = [_find_usual([getattr(voice, name) for voice in records]) for name in ("language", "purpose")]
        self.newest = find_newest_builds(ids)
        self.cells = load_build_cells([build for build in self.newest.values() if build])
        self.totals = load_speech_totals(records)
        self.active = set(Build.objects.active().filter(voice__in=ids).values_list("voice", flat=True))
        self.targets = find_nearest_targets([voice for voice in records if voice.pk not in self.active])
        statements = list(load_newest_statements()) if self.targets else []
        self.steps = {
            voice.pk: describe_target(voice, self.targets[voice.pk], statements)
            for voice in records
            if voice.pk in self.targets
        }
        fixes = load_build_fixes(Build.objects.filter(voice__in=ids)).values()
        self.build_fixes = {build.voice_id: fix for build, fix in fixes}
        self.refusals = find_worst_refusals(ids)

    def render_name(self, record: Voice) -> SafeString:
        has_talent = "talent" in self.columns
        use, talent = (
            (self._describe_use(record), "only-wide" if has_talent else ""),
            (record.talent.shown_name, "only-phone below-name"),
        )
        lines = render_lines(render_link(record.get_absolute_url(), record.name), *use)
        return render_voice_name(record.pk, render_lines(lines, *talent) if has_talent else lines)

    def _describe_use(self, record: Voice) -> str:
        """Its language and purpose, as far as they are not those of most rows of a longer list."""
        shown = (get_language_name(record.language), get_purpose_label(record.purpose).lower())
        usual = (self.usual[0] == record.language, self.usual[1] == record.purpose)
        return capfirst(", ".join(text for text, is_usual in zip(shown, usual, strict=True) if not is_usual))

    def render_talent(self, record: Voice) -> str:
        return record.talent.shown_name

    def render_recordings(self, record: Voice) -> SafeString | str:
        total = self.totals.get(record.pk)
        if total is None:
            return NOTHING
        is_part = total.recordings < total.all_recordings
        return f"{total.recordings} of {total.all_recordings}" if is_part else str(total.recordings)

    def render_speech(self, record: Voice) -> SafeString | str:
        total = self.totals.get(record.pk)
        return format_duration(total.seconds) if total and total.recordings else NOTHING

    def render_readiness(self, record: Voice) -> SafeString:
        return self._find_state(record).render()

    def render_last_build(self, record: Voice) -> SafeString:
        newest = self.newest[record.pk]
        cell = self.cells.get(newest) if newest else None
        if cell is None:
            return NOTHING
        badges = render_link(cell.build.get_absolute_url(), render_badges(cell.badges))
        return render_lines(badges, render_moment(cell.build.created_at))

    def render_next_step(self, record: Voice) -> SafeString | str:
        fix = self._find_shown_fix(record)
        return render_step(fix.url, fix.action, record.name) if fix else NOTHING

    def _find_shown_fix(self, voice: Voice) -> Fix | None:
        fix = self._find_state(voice).fix
        return fix if fix and fix.action and fix.is_allowed_for(self.user) else None

    def _find_state(self, voice: Voice) -> NextBuildState:
        """As on Today: what the gate refuses, then the last build, which could only fail again, then the next one."""
        build_fix, refusal = self.build_fixes.get(voice.pk), self.refusals.get(voice.pk)
        target, step = self.targets.get(voice.pk), self.steps.get(voice.pk)
        if voice.pk in self.active:
            return NextBuildState("busy", "Build in progress", build_fix)
        if refusal:
            fix = find_gate_fix(refusal.voice, refusal.provider, refusal.permission)
            place = registry.get_provider_label(refusal.provider)
            return NextBuildState(refusal.severity, refusal.status, fix, place)
        if target is None or step is None:
            return NextBuildState("over", "No account", build_fix)
        place = name_target(target) if target.is_allowed else ""
        if build_fix:
            return NextBuildState(
                "wait", REBUILD_STATUSES.get(build_fix.action, "Last build to check"), build_fix, place
            )
        if target.distance.rank.is_ready and self.newest[voice.pk]:
            status = step.status if target.has_doubts else "Can be rebuilt"
            return NextBuildState(step.severity, status, None, place)
        return NextBuildState(step.severity, step.status, step.fix, place)


def _find_usual(values: Sequence[str]) -> str:
    """What more than half of many rows have, so that it need not stand in each of them."""
    value, count = Counter(values).most_common(1)[0] if values else ("", 0)
    return value if len(values) >= MANY_ROWS and count > len(values) / 2 else ""
