"""Failed builds that staff must look at. They are on the page Today until a person marks them as seen."""

from django.utils import timezone

from voicehub.models import User
from voicehub.refusals import ActionRefused
from voices.models import Build
from voices.models.build import FAILED_STATUSES


def is_open_failure(build: Build) -> bool:
    return build.status in FAILED_STATUSES and Build.objects.open_failures().filter(pk=build.pk).exists()


def mark_failure_seen(build: Build, by: User) -> None:
    """Raises ActionRefused if the build has not failed. If it is already marked, the first mark stays."""
    if build.status not in FAILED_STATUSES:
        raise ActionRefused("Only a failed build can be marked as seen.")
    Build.objects.filter(pk=build.pk, seen_at=None).update(seen_at=timezone.now(), seen_by=by)


def clear_seen_mark(build: Build) -> None:
    """Show the failed build on Today again."""
    Build.objects.filter(pk=build.pk).update(seen_at=None, seen_by=None, seen_note="")
