"""Next steps about voices that the gate no longer allows."""

from collections.abc import Iterable, Iterator

from django.db.models import QuerySet

from providers import registry
from voices.models import Build
from voices.next_fixes import find_gate_fix
from voices.services.builds import refusals
from voices.services.builds.refusals import CheckedBuilds, Refusal, list_refusals
from voices.views.next_step import MAX_ROWS, NextStep, Talents, select_talents


def check_builds(others: Iterable[Build] = (), talents: Talents = None) -> CheckedBuilds:
    """Ask the gate once about everything on a page. `others` are builds that show only a hold."""
    builds: QuerySet[Build] = select_talents(refusals.query_doubtful_builds(), talents, "voice__talent")
    return refusals.check_builds(builds.order_by("voice__name", "pk"), others)


def list_voices_no_longer_allowed(checked: CheckedBuilds) -> Iterator[NextStep]:
    """Voices whose consent or contract has ended or no longer allows them, and voices that are suspended.

    Failed builds have rows of their own. So do contracts that only wait for a confirmation.
    """
    yield from map(_make_refused_step, list_refusals(checked)[:MAX_ROWS])


def _make_refused_step(refusal: Refusal) -> NextStep:
    voice = refusal.voice
    fix = find_gate_fix(voice, refusal.provider, refusal.permission)
    return NextStep(
        voice.name,
        f"{voice.talent.shown_name}, at {registry.get_provider_label(refusal.provider)}",
        refusal.severity,
        refusal.status,
        refusal.permission.reasons,
        fix.url,
        fix.action,
        None,
        fix.permission,
        subject_url=voice.get_absolute_url(),
        voice_id=voice.pk,
        talent_id=voice.talent_id,
    )
