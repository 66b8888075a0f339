import secrets
from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from consent.services.evidence_checks import check_evidence_for_build
from consent.services.gate import BuildPermission
from providers.options import OptionValue
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
from voices.services.builds.lengths import SELECTING_HANDOVERS
from voices.services.builds.options import freeze_emotion, freeze_options
from voices.services.builds.readiness import Readiness, check_readiness
from voices.services.builds.recheck import record_used_consent
from voices.services.builds.selection import describe_shortage, load_clip_rows, select_clips
from voices.services.permission import check_voice_permission, make_build_purpose
from voices.services.recordings.inclusion import list_warning_codes
from voices.services.refused_recordings import not_refused_by
from voices.services.remote_state import find_retrainings

ALREADY_STARTED = "A build of this voice has already been started."
DELETED_MEANWHILE = "Recordings of this build were deleted at the same moment. Nothing was started. Try again."


class BuildRefused(ActionRefused):
    """The build may not start. `reasons` lists every obstacle."""


def start_build(
    voice: Voice,
    account: Account,
    tier: Tier | str,
    handover: Handover | str,
    by: User,
    options: Mapping[str, object] | None = None,
    *,
    new_voice: bool = False,
) -> Build:
    """Start a build from the current recordings. Of concurrent requests, exactly one starts a build.

    With `new_voice`, the build makes a new remote voice although the existing one could be trained again.
    An option of the tier without a value in `options` has its default. Raises BuildRefused with every reason.
    """
    values = prepare_build(voice, account, tier, options or {})
    return start_prepared_build(voice, account, tier, handover, by, values, new_voice=new_voice)


def prepare_build(
    voice: Voice, account: Account, tier: Tier | str, options: Mapping[str, object]
) -> dict[str, OptionValue]:
    """Check the evidence, whose result stays if the build is then refused. Returns the options of the build."""
    values = freeze_options(account.get_capabilities(tier), options)
    check_evidence_for_build(make_build_purpose(voice, account.provider))
    return values


def start_prepared_build(
    voice: Voice,
    account: Account,
    tier: Tier | str,
    handover: Handover | str,
    by: User,
    values: Mapping[str, OptionValue],
    *,
    new_voice: bool = False,
) -> Build:
    """As `start_build`, with the result of `prepare_build`.

    The gate is checked in the transaction that creates the build.
    """
    try:
        with transaction.atomic():
            Voice.objects.select_for_update().get(pk=voice.pk)
            permission = check_voice_permission(voice, account.provider, lock=True)
            if reasons := find_blockers(voice, account, tier, handover, permission, new_voice=new_voice):
                raise BuildRefused(*reasons)
            remote = _get_or_create_remote_voice(voice, account, tier, new_voice=new_voice)
            build = _create_build(voice, remote, handover, permission, by, values)
            outbox.enqueue_task("submit_build", build.pk)
    except IntegrityError:
        is_started = Build.objects.active().filter(voice=voice).exists()
        raise BuildRefused(ALREADY_STARTED if is_started else DELETED_MEANWHILE) from None
    return build


def find_blockers(
    voice: Voice,
    account: Account,
    tier: Tier | str,
    handover: Handover | str,
    permission: BuildPermission | None = None,
    *,
    new_voice: bool = False,
    state: Readiness | None = None,
    without: QuerySet[Recording] | None = None,
) -> list[str]:
    """Why this build would be refused now. Empty if it may start. `permission` is the gate's result, if known.

    `without` are recordings that would be left out first, and `state` is the readiness without them, if known.
    Raises ActionRefused if VoiceHub does not support the provider or tier.
    """
    state = state or check_readiness(voice, account, tier, without=without)
    gaps = state.gaps_by_handover.get(Handover(handover), ())
    reasons = [*(permission or state.permission).reasons, *(gap.text for gap in gaps)]
    if not gaps and handover in SELECTING_HANDOVERS:
        limits, rows = account.get_limits(tier), load_clip_rows(voice, without=without)
        reasons += filter(None, [describe_shortage(select_clips(rows, state.capabilities, limits, handover), limits)])
    if account.paused_at:
        reasons.append(f"The account {account.name} is paused. {account.pause_reason}".strip())
    if state.active_build:
        reasons.append(f"{state.active_build.started_by} has already started a build that is still in progress.")
    if not new_voice and _is_locked(voice, account, tier):
        reasons.append("The provider has locked this voice, so it cannot be trained again. Ask the provider why.")
    if handover == Handover.RECORDINGS and not new_voice and _has_used_dataset(voice, account, tier):
        reasons.append("The provider trains this voice on a dataset. Send a new dataset instead.")
    if handover not in state.capabilities.handover:
        reasons.append("The provider does not accept recordings in this way. Choose another way.")
    return reasons


def _has_used_dataset(voice: Voice, account: Account, tier: Tier | str) -> bool:
    """Whether the remote voice to train again has a dataset. No vendor documents how to remove a dataset."""
    in_use = RemoteVoice.objects.filter(voice=voice, account=account, tier=str(tier), retired_at=None)
    return in_use.exclude(remote_id="").filter(builds__handover=Handover.DATASET_URL).exists()


def _is_locked(voice: Voice, account: Account, tier: Tier | str) -> bool:
    retraining = find_retrainings(voice).get((account.pk, str(tier)))
    return retraining is not None and retraining.is_locked


def _get_or_create_remote_voice(
    voice: Voice, account: Account, tier: Tier | str, *, new_voice: bool = False
) -> RemoteVoice:
    """The remote voice that this build trains. Its name reveals nothing about the talent.

    If the build makes a new voice, the existing remote voice is retired and stays at the provider.
    """
    if new_voice or not account.get_capabilities(tier).can_retrain:
        previous = RemoteVoice.objects.filter(voice=voice, account=account, tier=str(tier), retired_at=None)
        previous.exclude(remote_id="").update(retired_at=timezone.now())
    remote, _created = RemoteVoice.objects.get_or_create(
        voice=voice,
        account=account,
        tier=str(tier),
        retired_at=None,
        defaults={"reference": f"vh-{secrets.token_hex(6)}"},
    )
    if not remote.remote_id:
        # Files sent for a voice that was never created may no longer exist at the provider.
        remote.recordings.all().delete()
    return remote


def _create_build(
    voice: Voice,
    remote: RemoteVoice,
    handover: Handover | str,
    permission: BuildPermission,
    by: User,
    options: Mapping[str, OptionValue],
) -> Build:
    assert permission.consent and permission.contract  # noqa: S101 - find_blockers refuses a build without them
    build = Build(
        voice=voice,
        remote_voice=remote,
        consent=permission.consent,
        contract=permission.contract,
        handover=handover,
        options=dict(options),
        started_by=by,
    )
    build.callback_digest = hash_token(derive_token("callback", build.pk))
    if handover == Handover.DATASET_URL:
        build.dataset_digest = hash_token(derive_token("dataset", build.pk))
    clips = _select_recordings(voice, remote, handover)
    build.progress_total = len(clips)
    build.save(force_insert=True)
    BuildRecording.objects.bulk_create(
        BuildRecording(
            build=build,
            recording=clip,
            sha256=clip.sound_sha256,
            transcript=clip.transcript,
            emotion=freeze_emotion(remote.capabilities, clip, voice),
            finding_codes=list_warning_codes(clip.findings, clip.set_findings),
        )
        for clip in clips
    )
    record_used_consent(build, permission.consent, permission.contract)
    return build


def _select_recordings(voice: Voice, remote: RemoteVoice, handover: Handover | str) -> list[Recording]:
    """The recordings to freeze for the build, in the order of the voice."""
    chosen = {row.id for row in select_clips(load_clip_rows(voice), remote.capabilities, remote.limits, handover).rows}
    usable = voice.recordings.filter(
        not_refused_by(remote.account.provider), active=True, status=RecordingStatus.ACCEPTED
    )
    return [clip for clip in usable.defer("peaks", "fine_peaks", "levels", "sound_features") if clip.pk in chosen]


def cancel_build(build: Build, by: User) -> None:
    """Stop a build that has not been sent yet."""
    remote = RemoteVoice.objects.select_related("account").get(pk=build.remote_voice_id)
    if remote.remote_id and not remote.capabilities.can_retrain and build.status == BuildStatus.QUEUED:
        raise ActionRefused(
            "The provider has already made a voice and may have charged for it. Wait until the build ends."
        )
    if not lifecycle.mark_canceled(build, by):
        raise ActionRefused("The build is already being sent, so it can no longer be canceled.")
