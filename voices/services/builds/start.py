import secrets

from django.db import IntegrityError, transaction
from django.utils import timezone

from consent.models import EventKind
from consent.services.audit_log import record_event
from consent.services.gate import Permission, check_permission
from providers import registry
from providers.types import Handover, Tier
from voicehub import outbox
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.tokens import derive_token, hash_token
from voices.models import (
    Account,
    Build,
    BuildRecording,
    BuildStatus,
    Recording,
    RecordingStatus,
    RemoteVoice,
    Voice,
)
from voices.services.builds import lifecycle
from voices.services.builds.readiness import SELECTING_HANDOVERS, check_readiness
from voices.services.builds.selection import describe_shortage, load_clip_rows, select_clips


class BuildRefused(ActionRefused):
    """The build may not start; `reasons` says each thing that is in the way."""


def start_build(voice: Voice, account: Account, tier: Tier | str, handover: Handover | str, by: User) -> Build:
    """Start a build from the recordings as they stand now. Of two people who press at once, one starts it.

    The gate is asked in the transaction that writes the build. Raises BuildRefused with every reason.
    """
    label = registry.get_provider_label(account.provider)
    try:
        with transaction.atomic():
            Voice.objects.select_for_update().get(pk=voice.pk)
            allowed = check_permission(voice.talent, account.provider, voice.purpose, provider_label=label, lock=True)
            if reasons := find_blockers(voice, account, tier, handover, allowed):
                raise BuildRefused(*reasons)
            build = _create_build(voice, _get_or_create_remote_voice(voice, account, tier), handover, allowed, by)
            outbox.enqueue_task("submit_build", build.pk)
    except IntegrityError:
        raise BuildRefused("A build of this voice has been started already.") from None
    return build


def find_blockers(
    voice: Voice, account: Account, tier: Tier | str, handover: Handover | str, allowed: Permission | None = None
) -> list[str]:
    """Why such a build would be refused now; empty when it may start. `allowed` is the gate's answer, if known.

    Raises NotPossible for a provider or tier that VoiceHub does not have.
    """
    state = check_readiness(voice, account, tier)
    lacks = state.gaps_by_handover.get(Handover(handover), ())
    reasons = [*(allowed or state.permission).reasons, *(lack.text for lack in lacks)]
    if not lacks and handover in SELECTING_HANDOVERS:
        limits = account.get_limits(tier)
        reasons += filter(
            None, [describe_shortage(select_clips(load_clip_rows(voice), state.capabilities, limits, handover), limits)]
        )
    if account.paused_at:
        reasons.append(f"The account {account.name} is paused. {account.pause_reason}".strip())
    if state.active_build:
        reasons.append(f"{state.active_build.started_by} has started a build already; it is still going on.")
    if handover == Handover.RECORDINGS and _has_used_dataset(voice, account, tier):
        reasons.append("The provider has a dataset of this voice and trains on that. Give it a new dataset instead.")
    if handover not in state.capabilities.handover:
        reasons.append("The provider does not take recordings in this way.")
    return reasons


def _has_used_dataset(voice: Voice, account: Account, tier: Tier | str) -> bool:
    """Whether the remote voice that is trained again was given a dataset; no page says how to take one away."""
    in_use = RemoteVoice.objects.filter(voice=voice, account=account, tier=str(tier), retired_at=None)
    return in_use.exclude(remote_id="").filter(builds__handover=Handover.DATASET_URL).exists()


def _get_or_create_remote_voice(voice: Voice, account: Account, tier: Tier | str) -> RemoteVoice:
    """The remote voice that this build trains; its name says nothing about the talent.

    Where a provider makes a new voice of each build, one that exists over there is left as it is, for another to come.
    """
    if not account.get_capabilities(tier).can_retrain:
        made = RemoteVoice.objects.filter(voice=voice, account=account, tier=str(tier), retired_at=None)
        made.exclude(remote_id="").update(retired_at=timezone.now())
    found, _created = RemoteVoice.objects.get_or_create(
        voice=voice,
        account=account,
        tier=str(tier),
        retired_at=None,
        defaults={"reference": f"vh-{secrets.token_hex(6)}"},
    )
    if not found.remote_id:
        # Files that were sent for a voice that never came to be may be gone over there.
        found.recordings.all().delete()
    return found


def _create_build(voice: Voice, remote: RemoteVoice, handover: Handover | str, allowed: Permission, by: User) -> Build:
    assert allowed.consent and allowed.contract  # noqa: S101 - reasons_against has refused anything else
    build = Build(
        voice=voice,
        remote_voice=remote,
        consent=allowed.consent,
        contract=allowed.contract,
        handover=handover,
        started_by=by,
    )
    build.callback_digest = hash_token(derive_token("callback", build.pk))
    if handover == Handover.DATASET_URL:
        build.dataset_digest = hash_token(derive_token("dataset", build.pk))
    clips = _select_recordings(voice, remote, handover)
    build.progress_total = len(clips)
    build.save(force_insert=True)
    BuildRecording.objects.bulk_create(
        BuildRecording(build=build, recording=clip, sha256=clip.sound_sha256, transcript=clip.transcript)
        for clip in clips
    )
    record_event(
        allowed.consent, EventKind.USED, by, build=str(build.pk), voice=str(voice.pk), contract=str(build.contract_id)
    )
    return build


def _select_recordings(voice: Voice, remote: RemoteVoice, handover: Handover | str) -> list[Recording]:
    """The recordings that are frozen for the build, in their order: those that would be sent."""
    chosen = {row.id for row in select_clips(load_clip_rows(voice), remote.capabilities, remote.limits, handover).rows}
    usable = voice.recordings.filter(active=True, status=RecordingStatus.ACCEPTED)
    return [clip for clip in usable.defer("peaks", "fine_peaks", "levels") if clip.pk in chosen]


def cancel_build(build: Build, by: User) -> None:
    """Stop a build that has not been sent yet."""
    remote = RemoteVoice.objects.select_related("account").get(pk=build.remote_voice_id)
    if remote.remote_id and not remote.capabilities.can_retrain and build.status == BuildStatus.QUEUED:
        raise ActionRefused("A voice has been made for it already, and may have been paid for. Wait until it is over.")
    if not lifecycle.mark_cancelled(build, by):
        raise ActionRefused("The build is being sent already and cannot be stopped from here.")
