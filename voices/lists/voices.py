"""The list of voices: its columns, filters and order."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Lower
from django.utils.safestring import SafeString

from consent.labels import get_purpose_label
from voicehub.lists.filters import Choice, ChoiceFilter, ListFilter, ValueFilter
from voicehub.lists.tables import ListColumn, ListTable
from voicehub.row_counts import count_rows
from voicehub.status_marks import render_mark
from voicehub.templatetags.cells import NOTHING, render_lines, render_link, render_moment
from voicehub.templatetags.signs import render_voice_name
from voicehub.text import format_duration, get_language_name
from voices.lists.builds import TALENT_NAMES, load_build_cells, render_badges
from voices.models import Build, BuildStatus, Recording, RecordingStatus, Voice
from voices.models.build import ACTIVE_STATUSES
from voices.presenters import StatusBadge, make_target_name
from voices.services.builds.gaps import GapKind
from voices.services.builds.nearest import GateStep, Rank, Target, find_gate_step, find_nearest_targets

# What stops a build, in a few words.
GATE_LABELS = {
    GateStep.CONTRACT_OR_VOICE: "Contract does not allow it",
    GateStep.REVIEW: "Consent to review",
    GateStep.ANSWER: "Waiting for consent",
    GateStep.REQUEST: "Consent missing",
    GateStep.REQUEST_AFTER_REFUSAL: "Consent ended",
}
GAP_LABELS = {
    GapKind.RECORDINGS: "Recordings missing",
    GapKind.CLIP_LENGTH: "Recordings of the wrong length",
    GapKind.TRANSCRIPTS: "Transcripts missing",
    GapKind.SHORTER_TRANSCRIPTS: "Transcripts too long",
    GapKind.TRAINED_LENGTH: "Recordings too long",
    GapKind.LANGUAGE: "Language not supported",
    GapKind.OFFLINE_PROOF: "Proof of consent missing",
    GapKind.UNCHECKED: "Being checked",
    GapKind.CHECK_STOPPED: "Check stopped",
}


class SpeechTotal(NamedTuple):
    """The recordings of a voice that a build would use."""

    recordings: int
    seconds: float


def _query_used_recordings() -> QuerySet[Recording]:
    return Recording.objects.filter(active=True, status=RecordingStatus.ACCEPTED).order_by()


def load_speech_totals(voices: Sequence[Voice]) -> Mapping[UUID, SpeechTotal]:
    rows = _query_used_recordings().filter(voice__in=voices).values_list("voice")
    return {pk: SpeechTotal(count, seconds) for pk, count, seconds in rows.annotate(Count("pk"), Sum("seconds"))}


def count_recordings() -> Combinable:
    return count_rows(_query_used_recordings().filter(voice=OuterRef("pk")))


def sum_speech() -> Combinable:
    rows = _query_used_recordings().filter(voice=OuterRef("pk")).values("voice").annotate(total=Sum("seconds"))
    return Coalesce(Subquery(rows.values("total")), 0.0)


def _query_newest_build() -> QuerySet[Build]:
    return Build.objects.filter(voice=OuterRef("pk")).order_by("-created_at", "pk")


def find_last_built_at() -> Combinable:
    return Subquery(_query_newest_build().values("created_at")[:1])


def list_voice_views() -> list[Choice]:
    builds = Build.objects.filter(voice=OuterRef("pk"))
    failures = Build.objects.open_failures().filter(voice=OuterRef("pk"))
    usable = builds.filter(status=BuildStatus.READY, remote_voice__deletion_requested_at=None)
    return [
        Choice("active", "Build in progress", Q(Exists(builds.filter(status__in=ACTIVE_STATUSES)))),
        Choice("failed", "Build failed", Q(Exists(failures))),
        Choice("ready", "Built", Q(Exists(usable))),
        Choice("unbuilt", "Never built", ~Q(Exists(builds))),
    ]


class VoiceFilter(ListFilter):
    search_fields = {"name": "", "talent__name": TALENT_NAMES}
    search_label = "Voice or talent"
    show = ChoiceFilter("Builds", list_voice_views, permission="voices.view_build")
    language = ValueFilter("Language", "language", get_language_name)
    purpose = ValueFilter("Purpose", "purpose", get_purpose_label)


class VoiceTable(ListTable):
    default_sort = "name"

    name = ListColumn("Voice", lambda: Lower("name"), css_class="two")
    talent = ListColumn("Talent", lambda: Lower("talent__name"), css_class="wrap only-desk", permission=TALENT_NAMES)
    language = ListColumn("Language", "language", css_class="only-wide")
    purpose = ListColumn("Purpose", "purpose", css_class="only-wide")
    recordings = ListColumn("Recordings", count_recordings, css_class="num only-desk")
    speech = ListColumn("Speech", sum_speech, css_class="num only-wide")
    readiness = ListColumn("Next build", css_class="two")
    last_build = ListColumn(
        "Last build",
        find_last_built_at,
        css_class="two only-desk",
        permission="voices.view_build",
        is_descending_first=True,
    )

    def load_rows(self, records: Sequence[Voice]) -> None:
        ids = [voice.pk for voice in records]
        newest = Subquery(_query_newest_build().values("pk")[:1])
        self.newest = dict(Voice.objects.filter(pk__in=ids).order_by().values_list("pk", newest))
        self.cells = load_build_cells([build for build in self.newest.values() if build])
        self.totals = load_speech_totals(records)
        self.active = set(Build.objects.active().filter(voice__in=ids).values_list("voice", flat=True))
        self.targets = find_nearest_targets([voice for voice in records if voice.pk not in self.active])

    def render_name(self, record: Voice) -> SafeString:
        talent = record.talent.name if "talent" in self.columns else ""
        lines = render_lines(render_link(record.get_absolute_url(), record.name), talent, "only-phone")
        return render_voice_name(record.pk, lines)

    def render_talent(self, record: Voice) -> str:
        return record.talent.name

    def render_language(self, record: Voice) -> str:
        return get_language_name(record.language)

    def render_purpose(self, record: Voice) -> str:
        return get_purpose_label(record.purpose)

    def render_recordings(self, record: Voice) -> SafeString | str:
        total = self.totals.get(record.pk)
        return str(total.recordings) if total else NOTHING

    def render_speech(self, record: Voice) -> SafeString | str:
        total = self.totals.get(record.pk)
        return format_duration(total.seconds) if total else NOTHING

    def render_readiness(self, record: Voice) -> SafeString:
        if record.pk in self.active:
            return render_mark("busy", "Build in progress")
        target = self.targets.get(record.pk)
        if target is None:
            return render_mark("over", "No account")
        badge = make_target_badge(target)
        name = make_target_name(target.account.provider, target.state.capabilities.label)
        return render_lines(render_mark(badge.severity, badge.label), name if target.is_allowed else "")

    def render_last_build(self, record: Voice) -> SafeString:
        cell = self.cells.get(self.newest[record.pk])
        if cell is None:
            return NOTHING
        badges = render_link(cell.build.get_absolute_url(), render_badges(cell.badges))
        return render_lines(badges, render_moment(cell.build.created_at))


def make_target_badge(target: Target) -> StatusBadge:
    """Whether a build can start at the target, or the first reason against it in a few words."""
    state, rank = target.state, target.distance.rank
    if not target.is_allowed:
        return StatusBadge("wait", "No allowed provider")
    if rank is Rank.READY:
        return StatusBadge("good", "Ready to build")
    if rank is Rank.PAUSED:
        return StatusBadge("wait", "Account paused")
    if not state.permission.is_given:
        return StatusBadge("wait", GATE_LABELS[find_gate_step(state.permission)])
    kind = state.gaps[0].kind if state.gaps else GapKind.RECORDINGS
    return StatusBadge("busy" if kind is GapKind.UNCHECKED else "wait", GAP_LABELS[kind])
