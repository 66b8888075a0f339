"""Unknown voices: voices that an account has and VoiceHub does not know. Staff adopt or delete an unknown voice."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from providers import registry
from providers.base import Provider
from providers.errors import CallFailure
from providers.types import BuildReport, RemoteStatus, Tier
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voices.models import Account, Build, RemoteVoice, Voice
from voices.services.accounts import open_session
from voices.services.builds.lifecycle import record_observation
from voices.services.deletion import request_deletion
from voices.services.permission import check_voice_permission
from voices.services.remote_voices import ProviderCallFailed

# An id that is longer is cut one character above MAX_ID_CHARACTERS, so that it is refused when staff choose it.
MAX_ID_CHARACTERS, MAX_NAME_CHARACTERS = 100, 256
MAX_LISTED_VOICES = 200


@dataclass(frozen=True, slots=True)
class UnknownVoice:
    """A voice in an account that VoiceHub does not know. `created_at` is None if the provider does not state it."""

    remote_id: str
    name: str
    status: RemoteStatus
    created_at: datetime | None = None


def list_unknown_voices(account: Account) -> list[UnknownVoice]:
    """The voices that the provider lists now and VoiceHub does not know. Raises ActionRefused."""
    tiers = registry.get_provider_class(account.provider).tiers.values()
    if not any(tier.can_list for tier in tiers):
        raise ActionRefused(f"{registry.get_provider_label(account.provider)} has no list of an account's voices.")
    try:
        with open_session(account) as provider:
            listed = list(_list_voices(provider))
    except CallFailure as failure:
        raise ProviderCallFailed(failure.staff_message) from None
    # Query after the list was read, so that voices created meanwhile are known. A voice that is being created has no
    # remote id yet, but its name at the provider is VoiceHub's reference.
    known_ids = set(account.remote_voices.exclude(remote_id="").values_list("remote_id", flat=True))
    references = set(_find_voices_without_id(account).values_list("reference", flat=True))
    return [voice for voice in listed if voice.remote_id not in known_ids and voice.name not in references]


def _is_being_created(account: Account, name: str) -> bool:
    """Whether a build is creating this voice now. Without a name, it may be the voice of any pending call."""
    voices_without_id = _find_voices_without_id(account)
    if name:
        return voices_without_id.filter(reference=name).exists()
    return voices_without_id.filter(builds__in=Build.objects.active().exclude(pending_call="")).exists()


def _find_voices_without_id(account: Account) -> QuerySet[RemoteVoice]:
    return account.remote_voices.filter(remote_id="")


def _list_voices(provider: Provider) -> Iterator[UnknownVoice]:
    for index, report in enumerate(provider.list_voices()):
        if index == MAX_LISTED_VOICES:
            return
        yield UnknownVoice(
            report.remote_id[: MAX_ID_CHARACTERS + 1],
            report.name[:MAX_NAME_CHARACTERS],
            report.status,
            report.created_at,
        )


def adopt_voice(account: Account, remote_id: str, tier: Tier | str, voice: Voice, by: User) -> RemoteVoice:
    """Assign an unknown voice of the account to `voice`. It is never trained again. Raises ActionRefused."""
    report = _fetch_report(account, remote_id)
    with transaction.atomic():
        Voice.objects.select_for_update().get(pk=voice.pk)
        # Locked, so that a withdrawal at the same time either refuses the adoption or deletes the voice.
        if reasons := check_voice_permission(voice, account.provider, lock=True).reasons:
            raise ActionRefused(" ".join(reasons))
        return _create_remote_voice(account, remote_id, tier, report, voice=voice, adopted_by=by)


def delete_unknown_voice(account: Account, remote_id: str, tier: Tier | str, by: User, reason: str) -> RemoteVoice:
    """Delete an unknown voice at the provider. A new row stores the proof of deletion. Raises ActionRefused."""
    report = _fetch_report(account, remote_id)
    with transaction.atomic():
        remote = _create_remote_voice(account, remote_id, tier, report, voice=None)
        request_deletion(remote, by, reason)
    return remote


def _fetch_report(account: Account, remote_id: str) -> BuildReport:
    """The provider's report about a voice.

    `remote_id` comes from a form. It may be invented, or another spelling of a known id. Raises ActionRefused.
    """
    try:
        with open_session(account) as provider:
            report = provider.fetch_build(remote_id)
    except CallFailure as failure:
        raise ProviderCallFailed(failure.staff_message) from None
    if not report.raw:
        raise ActionRefused("The provider has no voice with this ID. Check the ID.")
    if report.remote_id != remote_id:
        raise ActionRefused("The provider lists this voice under another ID. Adopt or delete the voice with that ID.")
    return report


def _create_remote_voice(
    account: Account, remote_id: str, tier: Tier | str, report: BuildReport, **fields: object
) -> RemoteVoice:
    if _is_being_created(account, report.name):
        raise ActionRefused("A build is creating this voice now. Wait until the build has finished.")
    remote = RemoteVoice(account=account, tier=str(tier), remote_id=remote_id, retired_at=timezone.now(), **fields)
    remote.reference = f"held-{remote.pk.hex}"
    try:
        with transaction.atomic():
            remote.save(force_insert=True)
    except IntegrityError:
        raise ActionRefused("VoiceHub already knows this voice.") from None
    record_observation(remote, report)
    return remote
