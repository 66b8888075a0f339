"""Recordings that a provider has refused to use: it reported an outlier, and does not let outliers be activated.

Such a recording goes into no build at that provider. Other providers may use it.
"""

from collections.abc import Collection, Iterable
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q

from providers import registry
from voices.models import Account, BuildRecording, Recording, RecordingStatus, Voice
from voices.models.build import BuildRecordingQuerySet

REFUSED_TEXT = "{label} refuses this recording: another speaker or sound. Replace it."


def list_refusing_providers() -> list[str]:
    """The providers that never use an outlier, in no tier."""
    providers = registry.list_providers()
    return [p.slug for p in providers if all(tier.outlier_rule for tier in p.tiers.values())]


def query_refusals(provider: str) -> BuildRecordingQuerySet:
    """The rows in which the newest report of the provider on a recording of the outer query calls it an outlier."""
    return _query_outliers(provider).filter(recording=OuterRef("pk"))


def _query_outliers(provider: str) -> BuildRecordingQuerySet:
    """The rows in which the newest report of the provider on a recording, of these bytes, calls it an outlier."""
    reports = BuildRecording.objects.filter(
        recording=OuterRef("recording"), has_report=True, build__remote_voice__account__provider=provider
    )
    newer = reports.filter(build__created_at__gt=OuterRef("build__created_at"))
    same_bytes = Q(sha256=F("recording__wav_sha256")) | Q(recording__wav_sha256="", sha256=F("recording__sha256"))
    at_provider = BuildRecording.objects.filter(same_bytes, has_report=True, is_outlier=True)
    return at_provider.filter(~Exists(newer), build__remote_voice__account__provider=provider)


def make_sent_condition(voices: Collection[UUID], provider: str, *, has_builds: bool) -> Q:
    """Condition on recordings of these voices: this provider has not refused them. For counts of many recordings.

    The refused ones are looked up once, in a query of the marked rows. Voices that were hardly ever built need none.
    """
    outliers = _query_outliers(provider).marked()
    if not has_builds:
        return ~Q(pk__in=outliers.filter(build__voice__in=voices).values("recording"))
    ids = sorted(outliers.filter(build__voice__in=voices).values_list("recording", flat=True))
    return ~Q(pk__in=ids) if ids else Q()


def not_refused_by(provider: str) -> Q:
    """Condition on recordings: this provider has not refused them."""
    return ~Q(Exists(query_refusals(provider))) if provider in list_refusing_providers() else Q()


def find_refused(voices: Collection[UUID], provider: str) -> frozenset[UUID]:
    """The ids of the recordings of these voices that this provider refuses."""
    refused = _query_outliers(provider).marked().filter(build__voice__in=voices)
    return frozenset(refused.values_list("recording", flat=True))


def list_refused(voice: Voice, provider: str) -> list[tuple[UUID, str]]:
    """The ids and names of the included recordings of a voice that this provider refuses, in the order of the voice.

    The marked rows are few. To ask about each recording would cost more with each that the provider accepts.
    """
    included = Q(recording__status=RecordingStatus.ACCEPTED, recording__active=True)
    refused = _query_outliers(provider).marked().filter(included, build__voice=voice)
    rows = refused.order_by("recording__file_name", "recording__created_at")
    return list(dict.fromkeys(rows.values_list("recording", "recording__file_name")))


def note_refusals(recordings: Iterable[Recording]) -> None:
    """Set `refusal_text` and `is_refused_everywhere` on these rows, for pages and for `set_active`."""
    rows = {recording.pk: recording for recording in recordings}
    for provider in list_refusing_providers() if rows else ():
        refused = set(
            _query_outliers(provider).marked().filter(recording__in=list(rows)).values_list("recording", flat=True)
        )
        is_only_provider = bool(refused) and not Account.objects.exclude(provider=provider).exists()
        for pk in refused:
            rows[pk].refusal_text = REFUSED_TEXT.format(label=registry.get_provider_label(provider))
            rows[pk].is_refused_everywhere = is_only_provider
