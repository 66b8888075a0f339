"""Querysets for the pages of this app, and what of a talent is closed after a withdrawal."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, F, OuterRef, Prefetch, Q, QuerySet
from django.http import Http404

from consent.extension_points import UsingVoice
from consent.models import WORLDWIDE, Consent, ConsentStatus, Contract, ContractSuspension, Talent
from voicehub.models import User
from voicehub.row_counts import count_rows
from voices.models import (
    Account,
    Build,
    BuildRecording,
    OfflineProof,
    Recording,
    RecordingStatus,
    RemoteVoice,
    Voice,
)
from voices.models.build import MARKS, BuildQuerySet

CLOSED = "Closed: the consent was withdrawn"
REVIEW_PERMISSION = "consent.review_consent"
VIEW_SPEND = "voices.view_spend"


def query_voices() -> QuerySet[Voice]:
    return Voice.objects.select_related("talent")


def query_counted_voices(talent: Talent) -> QuerySet[Voice]:
    """The voices of a talent, each with its number of recordings, of usable ones, and of builds.

    They are counted apart: a join of both would read each recording once for each build.
    """
    usable = Recording.objects.filter(voice=OuterRef("pk"), status=RecordingStatus.ACCEPTED, active=True)
    return talent.voices.annotate(
        usable=count_rows(usable),
        recording_count=count_rows(Recording.objects.filter(voice=OuterRef("pk"))),
        built=count_rows(Build.objects.filter(voice=OuterRef("pk"))),
    ).order_by("name")


def list_voice_languages(consent: Consent) -> list[str]:
    """The languages of the voices that this consent is for, as BCP 47 tags."""
    voices = Voice.objects.filter(talent=consent.talent_id, purpose=consent.purpose)
    return list(voices.order_by("language").values_list("language", flat=True).distinct())


def list_using_voices(consent: Consent) -> list[UsingVoice]:
    voices = Voice.objects.filter(pk__in=Build.objects.filter(consent=consent).values("voice")).order_by("name", "pk")
    return [UsingVoice(voice.name, voice.get_absolute_url()) for voice in voices]


def query_recordings() -> QuerySet[Recording]:
    """Recordings without their waveforms, which have URLs of their own."""
    return Recording.objects.select_related("voice").defer("peaks", "fine_peaks", "sound_features").order_by()


def load_recording_rows(ids: Sequence[UUID]) -> list[Recording]:
    """The recordings with these ids, in this order, with what the table shows of each.

    `flagged_silent`, `flagged_outlier` and `flagged_discarded` say what the provider reported, in the newest build with
    a report on the recording. `source_name` is the file that the recording was split from. `segment_count` is the
    number of segments that were split from the recording. Only these few rows are looked up in builds: PostgreSQL
    may read every row that a subquery allows, and then look up those of one recording. They have their `peaks`.
    """
    build_rows = BuildRecording.objects.filter(recording__in=ids, recording=OuterRef("pk"))
    flagged_rows = build_rows.still_flagged()
    rows = (
        query_recordings()
        .defer(None)
        .defer("fine_peaks", "sound_features")
        .annotate(
            was_built=Exists(build_rows),
            flagged_silent=Exists(flagged_rows.filter(MARKS["silent"])),
            flagged_outlier=Exists(flagged_rows.filter(MARKS["outlier"])),
            flagged_discarded=Exists(flagged_rows.filter(MARKS["discarded"])),
            source_name=F("source__file_name"),
            segment_count=count_rows(Recording.objects.filter(source=OuterRef("pk"))),
        )
    )
    by_id = rows.in_bulk(ids)
    return [by_id[pk] for pk in ids if pk in by_id]


def get_recording_or_404(pk: UUID) -> Recording:
    """A recording with what the table shows of it."""
    rows = load_recording_rows([pk])
    if not rows:
        raise Http404("No such recording.")
    return rows[0]


def is_flagged(voice: Voice) -> Q:
    """Condition on recordings of the voice: the newest build with a report on them marked them."""
    flagged_rows = BuildRecording.objects.still_flagged().filter(recording__voice=voice)
    return Q(pk__in=flagged_rows.values("recording"))


def query_open_recordings(user: User) -> QuerySet[Recording]:
    """Recordings without those that are closed to this user after a withdrawal (see `are_recordings_closed`)."""
    if user.has_perm(REVIEW_PERMISSION):
        return Recording.objects.all()
    same_subject = Consent.objects.filter(talent=OuterRef("talent"), purpose=OuterRef("purpose"))
    withdrawn = same_subject.filter(status=ConsentStatus.WITHDRAWN)
    closed_voices = Voice.objects.filter(Exists(withdrawn), ~Exists(same_subject.in_force_or_suspended()))
    return Recording.objects.exclude(voice__in=closed_voices)


def query_builds() -> BuildQuerySet:
    voices = ("voice__talent", "remote_voice__account", "remote_voice__voice__talent")
    users = ("started_by", "resolved_by", "seen_by")
    return Build.objects.select_related(*voices, "consent", "contract", *users).defer("raw_response")


def has_suspension() -> Q:
    """Condition on builds: a consent for their talent, provider and purpose, or a contract of the talent, is suspended.

    The gate decides whether the voice of such a build is held.
    """
    consents = Consent.objects.filter(
        talent=OuterRef("voice__talent"),
        provider=OuterRef("remote_voice__account__provider"),
        purpose=OuterRef("voice__purpose"),
        status=ConsentStatus.SUSPENDED,
    )
    suspensions = ContractSuspension.objects.filter(contract__talent=OuterRef("voice__talent"), resumed_at__isnull=True)
    return Q(Exists(consents)) | Q(Exists(suspensions))


def query_offline_proofs(consent: Consent) -> QuerySet[OfflineProof]:
    """The proofs of this consent, and of those that it replaced, newest first."""
    replaced, ids = [consent.pk], {consent.pk}
    while replaced:
        replaced = list(Consent.objects.filter(replaced_by__in=replaced).values_list("pk", flat=True))
        ids.update(replaced)
    return OfflineProof.objects.filter(consent__in=ids).select_related("account", "recorded_by", "confirmed_by")


def is_certainly_allowed() -> Q:
    """Condition on builds that the gate allows. It judges every other voice itself, as other terms may fit too."""
    is_in_force = Q(consent__in=Consent.objects.in_force(), contract__in=Contract.objects.in_force())
    has_same_terms = Q(
        consent__talent_name=F("voice__talent__name"),
        consent__company=F("contract__company"),
        consent__language=F("voice__language"),
        contract__countries=[WORLDWIDE],
    )
    exclusive = Contract.objects.in_force().filter(talent=OuterRef("voice__talent"), exclusive=True)
    return is_in_force & has_same_terms & ~Q(Exists(exclusive))


def query_paused_accounts() -> QuerySet[Account]:
    return Account.objects.filter(paused_at__isnull=False).order_by("paused_at")


def query_remote_voices() -> QuerySet[RemoteVoice]:
    """Remote voices with their builds, both newest first.

    Of the builds, only the status, the issue and the dates are loaded.
    """
    shown = ("status", "issue", "remote_voice", "created_at", "training_at", "finished_at")
    builds = Build.objects.only(*shown).order_by("-created_at")
    user_fields = ("made_public_by", "adopted_by", "deletion_requested_by", "deletion_assigned_to")
    related = ("account", "voice__talent__legal_hold_by", *user_fields)
    remote_voices = RemoteVoice.objects.select_related(*related).defer("raw_response")
    return remote_voices.prefetch_related(Prefetch("builds", builds)).order_by("-created_at", "pk")


def query_shown_remote_voices(voice: Voice) -> QuerySet[RemoteVoice]:
    """The remote voices of a voice, without those that were never made and are not retired."""
    return RemoteVoice.objects.filter(voice=voice).exclude(remote_id="", retired_at=None)


def list_remote_voices(voice: Voice) -> list[RemoteVoice]:
    """The newest of the remote voices that the page of the voice shows."""
    return list(query_remote_voices().filter(pk__in=query_shown_remote_voices(voice))[:50])


def are_recordings_closed(voice: Voice, user: User) -> bool:
    """Whether the recordings of the voice are closed to this user, because the talent withdrew the consent."""
    return _is_closed(user, talent=voice.talent_id, purpose=voice.purpose)


def are_previews_closed(remote: RemoteVoice, user: User) -> bool:
    """Whether the previews of the voice are closed to this user, because the talent withdrew the consent."""
    if remote.voice is None:
        return False
    subject = {"talent": remote.voice.talent_id, "purpose": remote.voice.purpose}
    return _is_closed(user, **subject, provider=remote.account.provider)


def _is_closed(user: User, **subject: Any) -> bool:
    """Whether a consent for this subject was withdrawn, none is in force or suspended, and the user reviews none."""
    if user.has_perm(REVIEW_PERMISSION):
        return False
    consents = Consent.objects.filter(**subject)
    return consents.filter(status=ConsentStatus.WITHDRAWN).exists() and not consents.in_force_or_suspended().exists()


def require_open_recordings(voice: Voice, user: User) -> None:
    """Raise PermissionDenied if the recordings of the voice are closed to this user."""
    if are_recordings_closed(voice, user):
        raise PermissionDenied(f"{CLOSED}. Only producers and admins can open these recordings.")


def require_open_previews(remote: RemoteVoice, user: User) -> None:
    """Raise PermissionDenied if the previews of the voice are closed to this user."""
    if are_previews_closed(remote, user):
        raise PermissionDenied(f"{CLOSED}. Only producers and admins can open these previews.")
