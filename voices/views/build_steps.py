"""Next steps about builds: failed ones that no person has marked as seen, and those that need an answer of staff."""

from collections.abc import Iterator

from django.db.models import Count, Q, QuerySet
from django.urls import reverse

from voicehub.text import format_count
from voices.models import Build, BuildStatus
from voices.models.build import make_marks
from voices.next_fixes import find_build_fix, query_unclear_builds
from voices.views.next_step import MAX_ROWS, NextStep, Talents, select_talents
from voices.work_progress import needs_staff_answer

MARK_SEEN = "voices.start_build"
LABELS = {
    BuildStatus.UNCONFIRMED: ("wait", "Needs an answer"),
    BuildStatus.TRAINING: ("wait", "Needs an answer"),
    BuildStatus.DATASET_ISSUE: ("wait", BuildStatus.DATASET_ISSUE.label),
    BuildStatus.CONSENT_REJECTED: ("bad", "Consent rejected"),
    BuildStatus.FAILED: ("bad", "Build failed"),
}


def list_failed_builds(talents: Talents = None) -> Iterator[NextStep]:
    """One row for each account and tier of a voice, the build that waits longest first.

    Builds that do not fit are announced in a last row, and appear when those above are marked as seen.
    """
    builds = [build for build in _select_builds(talents)[: MAX_ROWS + 1] if not build.is_active or _is_unclear(build)]
    yield from (_make_step(build) for build in builds[:MAX_ROWS])
    if len(builds) > MAX_ROWS:
        reasons = ("They appear here when builds above are marked as seen.",)
        yield NextStep(f"More than {MAX_ROWS} builds", "Builds", "bad", "Build failed", reasons, "", "")


# SQLite groups the rows by every loaded column.
BUILD_FIELDS = (
    *("status", "issue", "raw_status", "has_unknown_status", "lookup_attempts", "consent"),
    *("created_at", "submitted_at", "finished_at", "voice__name", "voice__talent__name", "voice__talent__short_name"),
    *("remote_voice__tier", "remote_voice__account__provider"),
)


def _select_builds(talents: Talents) -> QuerySet[Build]:
    is_failed = Q(pk__in=Build.objects.open_failures().values("pk"))
    silent, outlier, discarded = make_marks("recordings__").values()
    builds: QuerySet[Build] = select_talents(Build.objects.all(), talents, "voice__talent")
    return (
        builds.filter(query_unclear_builds() | is_failed)
        .select_related("voice__talent", "remote_voice__account")
        .only(*BUILD_FIELDS)
        .annotate(
            silent=Count("recordings", filter=silent),
            outliers=Count("recordings", filter=outlier & ~silent),
            discarded=Count("recordings", filter=discarded & ~silent & ~outlier),
        )
        .order_by("created_at", "pk")
    )


def _is_unclear(build: Build) -> bool:
    return build.has_unknown_provider_status or needs_staff_answer(build)


def _make_step(build: Build) -> NextStep:
    flags = _describe_flags(build.silent, build.outliers, build.discarded)  # type: ignore[attr-defined]  # annotated
    severity, status = LABELS[BuildStatus(build.status)]
    fix = find_build_fix(build, has_flags=bool(flags))
    return NextStep(
        build.voice.name,
        build.voice.talent.shown_name,
        severity,
        status,
        (_explain_build(build, flags),),
        fix.url,
        fix.action,
        build.finished_at or build.submitted_at,
        fix.permission,
        subject_url=build.get_absolute_url(),
        mark_url="" if build.is_active else reverse("voices:build_seen", args=[build.pk]),
        mark_permission=MARK_SEEN,
        voice_id=build.voice_id,
        talent_id=build.voice.talent_id,
    )


def _explain_build(build: Build, flags: str) -> str:
    if build.has_unknown_provider_status:
        if not build.raw_status:
            return "The provider no longer reports a status. Check the provider's website."
        return f"The provider reports “{build.raw_status}”, an unknown status. Check the provider's website."
    if build.is_active:
        return "The provider's response was lost, and the lookup did not find the build."
    return flags or build.issue or "The provider gave no reason."


def _describe_flags(silent: int, outliers: int, discarded: int) -> str:
    """The provider's flags in VoiceHub's words. The provider's message names recordings differently."""
    named = ((outliers, "with another speaker or sound"), (discarded, "not used"))
    parts = [f"{count} {label}" for count, label in named if count]
    if silent:
        parts.insert(0, format_count(silent, "silent recording", "silent recordings"))
    elif parts:
        number, _, label = parts[0].partition(" ")
        parts[0] = f"{format_count(int(number), 'recording', 'recordings')} {label}"
    return f"{', '.join(parts)}." if parts else ""
