"""The findings of a voice, counted: those of our checks, and those that each provider reported."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from django.core.validators import slug_re
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Length

from audio.findings.catalog import CODES, EXCLUSION_LABELS
from voices.models import BuildRecording, RecordingStatus, Voice
from voices.models.build import MARKS
from voices.models.voice import BY_NAME, NEEDS_REVIEW
from voices.services.recordings.inclusion import SAME_SOUND

CHECK = "check"
UNUSABLE, NO_TRANSCRIPT = "unusable", "no_transcript"
UNFIT_CODES = EXCLUSION_LABELS.keys() - {SAME_SOUND}


@dataclass(frozen=True, slots=True)
class FoundProblem:
    """One finding, and how many recordings have it. `source` is `CHECK`, or the slug of the provider."""

    source: str
    code: str
    count: int

    @property
    def key(self) -> str:
        """Names the finding in the address of the table."""
        return f"{self.source}-{self.code}"

    @property
    def is_unfit(self) -> bool:
        """Whether no build should use such a recording, however it was decided. Of copies, one is used."""
        return self.source == CHECK and (self.code in UNFIT_CODES or self.code == UNUSABLE)


def list_problems(voice: Voice) -> list[FoundProblem]:
    """Every finding of the voice: what makes recordings unfit first, then reports of providers, then the rest."""
    problems = [*_count_own(voice), *_count_reported(voice)]
    return sorted(problems, key=lambda one: (not one.is_unfit, one.source == CHECK, -one.count, one.code))


def _count_own(voice: Voice) -> Iterator[FoundProblem]:
    usable = voice.recordings.filter(status=RecordingStatus.ACCEPTED).order_by()
    counts: Counter[str] = Counter()
    # The database counts equal lists of codes, and there are few different ones. It reads only an index.
    for codes, count in usable.values_list("warning_codes").annotate(count=Count("*")):
        counts.update(dict.fromkeys((codes or "").split(), count))
    counts[UNUSABLE] = voice.recordings.filter(status=RecordingStatus.REFUSED).count()
    # Counted apart, because an index has the lengths of the included ones.
    counts[NO_TRANSCRIPT] = (
        usable.annotate(text_length=Length("transcript")).filter(text_length=0, active=True).count()
        + usable.filter(BY_NAME, transcript="", active=False).count()
    )
    yield from (FoundProblem(CHECK, code, count) for code, count in counts.items() if count)


def _count_reported(voice: Voice) -> Iterator[FoundProblem]:
    marks = {code: Count("pk", condition) for code, condition in MARKS.items()}
    rows = _query_newest_reports(voice).values_list("build__remote_voice__account__provider").annotate(**marks)
    for row in rows.order_by():
        source, *counts = row
        yield from (FoundProblem(source, *pair) for pair in zip(MARKS, counts, strict=True) if pair[1])


def _query_newest_reports(voice: Voice) -> QuerySet[BuildRecording]:
    """The marked recordings of the voice, as the newest report of each provider has them."""
    newer = BuildRecording.objects.filter(
        recording=OuterRef("recording"),
        has_report=True,
        build__created_at__gt=OuterRef("build__created_at"),
        build__remote_voice__account__provider=OuterRef("build__remote_voice__account__provider"),
    )
    return BuildRecording.objects.marked().filter(~Exists(newer), recording__voice=voice)


def is_problem_key(key: str) -> bool:
    """Whether this can be the key of a finding. A provider that is no longer supported has reported some, too."""
    source, _, code = key.rpartition("-")
    return code in CODES if source == CHECK else bool(slug_re.match(source)) and code in MARKS


def make_problem_condition(voice: Voice, key: str) -> Q:
    """The condition on recordings of the voice that have the finding with this key."""
    source, _, code = key.rpartition("-")
    if source != CHECK:
        reports = _query_newest_reports(voice).filter(MARKS[code])
        return Q(pk__in=reports.filter(build__remote_voice__account__provider=source).values("recording"))
    return Q(status=RecordingStatus.ACCEPTED) & NEEDS_REVIEW & _has_code(code)


def _has_code(code: str) -> Q:
    """Whether this code is one of the warning codes, which are separated by spaces."""
    field = "warning_codes"
    return (
        Q(**{field: code})
        | Q(**{f"{field}__startswith": f"{code} "})
        | Q(**{f"{field}__endswith": f" {code}"})
        | Q(**{f"{field}__contains": f" {code} "})
    )
