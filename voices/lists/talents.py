"""The voices and the newest build of talents, for the list of talents in the app `consent`."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, Subquery
from django.db.models.expressions import Combinable

from consent.extension_points import OpenBuild, TalentIds, TalentVoices, VoiceSummaries
from consent.lists.talents import AskTable
from consent.models import Talent
from voicehub.row_counts import count_rows
from voicehub.status_marks import get_tone
from voices.lists.builds import BuildCell, load_build_cells
from voices.models import Build, BuildStatus, Voice
from voices.next_fixes import load_build_fixes, query_unclear_builds
from voices.services.builds.refusals import query_doubtful_builds

SHOWN_VOICES = 3


def summarize_voices(talents: Collection[UUID]) -> Mapping[UUID, TalentVoices]:
    """By talent with a voice. The number of queries is constant."""
    voices: dict[UUID, list[UUID]] = defaultdict(list)
    built: Counter[UUID] = Counter()
    is_built = Exists(Build.objects.filter(voice=OuterRef("pk"), status=BuildStatus.READY))
    rows = Voice.objects.filter(talent__in=talents).annotate(is_built=is_built).order_by("created_at")
    for talent, voice, has_build in rows.values_list("talent", "pk", "is_built"):
        voices[talent].append(voice)
        built[talent] += has_build
    newest = Build.objects.filter(voice__talent=OuterRef("pk")).order_by("-created_at", "pk").values("pk")
    ids = dict(Talent.objects.filter(pk__in=talents).values_list("pk", Subquery(newest[:1])))
    cells = load_build_cells([build for build in ids.values() if build])
    return {pk: _summarize(shown, built[pk], cells.get(ids[pk])) for pk, shown in voices.items()}


def _summarize(voices: Sequence[UUID], built: int, cell: BuildCell | None) -> TalentVoices:
    count, shown = len(voices), voices[:SHOWN_VOICES]
    if cell is None:
        return TalentVoices(count, shown, built)
    badge, build = cell.badges[0], cell.build
    return TalentVoices(count, shown, built, badge.severity, badge.label, build.get_absolute_url(), build.created_at)


def find_open_build(talent: UUID) -> OpenBuild | None:
    found = [build for build, _fix in load_build_fixes(Build.objects.filter(voice__talent=talent)).values()]
    worst = min(found, key=lambda build: get_tone(build.status) != "bad", default=None)
    return OpenBuild(get_tone(worst.status), worst.get_status_display(), worst.get_absolute_url()) if worst else None


def make_voice_count() -> Combinable:
    return count_rows(Voice.objects.filter(talent=OuterRef("pk")))


def make_last_built_at() -> Combinable:
    builds = Build.objects.filter(voice__talent=OuterRef("pk")).order_by("-created_at")
    return Subquery(builds.values("created_at")[:1])


def query_failed_talents() -> TalentIds:
    failed = Build.objects.open_failures().exclude(status=BuildStatus.DATASET_ISSUE)
    return failed.order_by().values("voice__talent")


def query_waiting_talents() -> TalentIds:
    """Talents with a voice that is not built, or with a build that needs work or an answer, or that may be refused."""
    open_builds = Q(query_unclear_builds(), voice=OuterRef("pk"))
    needs_work = Build.objects.open_failures().filter(voice=OuterRef("pk"))
    is_waiting = (
        ~Q(Exists(Build.objects.attempts().filter(voice=OuterRef("pk"))))
        | Q(Exists(needs_work))
        | Q(Exists(Build.objects.filter(open_builds)))
        | Q(pk__in=query_doubtful_builds().order_by().values("voice"))
    )
    return Voice.objects.filter(is_waiting).order_by().values("talent")


class VoiceTalentTable(AskTable):
    """Whose voice to add: each row leads to the form of a new voice."""

    action, url_name = "Add voice", "voices:voice_add"


SUMMARIES = VoiceSummaries(
    summarize_voices,
    make_voice_count,
    make_last_built_at,
    query_failed_talents,
    query_waiting_talents,
    find_open_build,
)
