"""Whether a recording is in builds, and why: a check leaves unusable recordings out, a person's choice overrides it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from audio.findings.catalog import EXCLUSION_LABELS
from audio.findings.templates import Severity
from voices.models import InclusionSource, Recording, RecordingStatus

SAME_SOUND = "same_sound"
# The code of recordings that the version before refused for their length alone. They stay out until a person decides.
LONG_BEFORE = "long"
EXCLUSION_REASONS = EXCLUSION_LABELS | {LONG_BEFORE: "too long before an update"}
COPY_CODES = frozenset({SAME_SOUND, "same_sound_other_words"})
# What of a recording decides about its inclusion, and which recordings are copies of each other.
FIELDS = (
    "voice",
    "active",
    "active_by",
    "exclusion_code",
    "findings",
    "set_findings",
    "transcript",
    "seconds",
    "sample_rate",
    "levels",
    "created_at",
)


def find_exclusion(codes: Iterable[str]) -> str:
    """The most severe of these finding codes that leaves a recording out of builds. Empty if none does."""
    found = set(codes)
    return next((code for code in EXCLUSION_LABELS if code in found), "")


def list_warning_codes(*findings: Sequence[Mapping[str, Any]]) -> list[str]:
    """The codes of the warnings in these lists of findings, each once, in their order."""
    warnings = (finding for group in findings for finding in group if finding["severity"] == Severity.WARNING)
    return list(dict.fromkeys(str(finding["code"]) for finding in warnings))


def make_fields(code: str) -> dict[str, Any]:
    """The fields of an accepted recording about which no person has decided, with this exclusion code."""
    if code:
        return {"active": False, "active_by": InclusionSource.CHECK, "exclusion_code": code}
    return {"active": True, "active_by": InclusionSource.UNDECIDED, "exclusion_code": ""}


def update_inclusion(recordings: QuerySet[Recording]) -> None:
    """Judge these recordings by their findings. Copies of one sound are judged together, so pass all of a voice.

    The choice of a person stands, also one that is made at the same moment.
    """
    rows = list(recordings.filter(status=RecordingStatus.ACCEPTED).only(*FIELDS).order_by("created_at", "pk"))
    spare_copies = _find_spare_copies(rows)
    for row in rows:
        kept = LONG_BEFORE if row.exclusion_code == LONG_BEFORE else ""
        code = find_exclusion(_list_own_codes(row)) or (SAME_SOUND if row in spare_copies else kept)
        fields = make_fields(code)
        if row.active_by != InclusionSource.PERSON and any(getattr(row, key) != fields[key] for key in fields):
            Recording.objects.filter(pk=row.pk).exclude(active_by=InclusionSource.PERSON).update(
                **fields, checked_at=timezone.now()
            )


def _list_own_codes(row: Recording) -> list[str]:
    return [code for code in list_warning_codes(row.findings, row.set_findings) if code != SAME_SOUND]


def _find_spare_copies(rows: Iterable[Recording]) -> set[Recording]:
    """The recordings whose sound another recording has that stays in builds.

    Copies with different transcripts all stay: only a person can tell which transcript is right.
    """
    groups: dict[tuple[float, ...], list[Recording]] = defaultdict(list)
    for row in rows:
        if not COPY_CODES.isdisjoint(list_warning_codes(row.set_findings)) and not find_exclusion(_list_own_codes(row)):
            groups[get_sound_key(row)].append(row)
    return {row for group in groups.values() for row in _list_spare_copies(group)}


def get_sound_key(row: Recording) -> tuple[float, ...]:
    """The same for two files with the same samples, even if their headers or names differ."""
    levels = (value for _name, value in sorted(row.levels.items()) if isinstance(value, float))
    return (row.sample_rate, row.seconds, *levels)


def _list_spare_copies(group: Sequence[Recording]) -> list[Recording]:
    """All copies but the one to keep: one that a person chose, else the first with a transcript, else the first.

    A copy that is judged alone, after its own analysis, stays as it is until the next comparison.
    """
    if len(group) == 1:
        return [row for row in group if row.exclusion_code == SAME_SOUND]
    spare = [row for row in group if row.active_by != InclusionSource.PERSON and _is_plain_copy(row)]
    if any(row.active for row in group if row not in spare):
        return spare
    kept = min(spare, key=lambda row: not row.transcript, default=None)
    return [row for row in spare if row is not kept]


def _is_plain_copy(row: Recording) -> bool:
    return SAME_SOUND in list_warning_codes(row.set_findings)


def leave_out(recordings: QuerySet[Recording]) -> int:
    """Leave these recordings out of builds, by the choice of a person. Returns how many were in builds before."""
    included = recordings.filter(status=RecordingStatus.ACCEPTED, active=True)
    return included.update(
        active=False, active_by=InclusionSource.PERSON, exclusion_code="", active_set_at=timezone.now()
    )
