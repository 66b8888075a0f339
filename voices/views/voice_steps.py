"""Next steps about voices without a build, each judged at the account and tier where it is nearest to ready."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Exists, OuterRef

from consent.services.statements import load_newest_statements
from voices.models import Build, Voice
from voices.next_fixes import describe_target, name_target
from voices.services.builds.nearest import Target, find_nearest_targets
from voices.views.next_step import MAX_ROWS, NextStep, Talents, select_talents


def list_unbuilt_steps(talents: Talents = None) -> Iterator[NextStep]:
    """Without an account there are no rows, as a note at the top of the page asks for an account."""
    voices = _select_unbuilt_voices(talents)
    targets = find_nearest_targets(voices, were_built=any(voice.was_built for voice in voices))
    statements = list(load_newest_statements()) if targets else []
    yield from (_make_step(voice, targets[voice.pk], statements) for voice in voices if voice.pk in targets)


def _select_unbuilt_voices(talents: Talents) -> Sequence[Any]:
    """`was_built` says that a build of the voice failed, which a person has marked as seen."""
    builds = Build.objects.filter(voice=OuterRef("pk"))
    attempts = Build.objects.attempts().filter(voice=OuterRef("pk"))
    rows = select_talents(Voice.objects.filter(~Exists(attempts)).annotate(was_built=Exists(builds)), talents)
    return list(rows.select_related("talent").defer("comparison").order_by("name", "pk")[:MAX_ROWS])


def _make_step(voice: Voice, target: Target, statements: Sequence[str]) -> NextStep:
    severity, status, reasons, fix = describe_target(voice, target, statements)
    page, place = voice.get_absolute_url(), f", at {name_target(target)}" if target.is_allowed else ""
    return NextStep(
        voice.name,
        f"{voice.talent.shown_name}{place}",
        severity,
        status,
        reasons,
        fix.url,
        fix.action,
        None,
        fix.permission,
        subject_url=page,
        voice_id=voice.pk,
        talent_id=voice.talent_id,
    )
