"""A voice as it stands at its provider: its state, name, visibility and end, and voices that nobody here knows."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from providers import registry
from providers.base import Provider
from providers.errors import CallFailure, NotFound, ProviderAuthError, ProviderRejected
from providers.parsing import trim_response
from providers.types import BuildReport, Tier, Visibility
from voicehub import outbox
from voicehub.models import User
from voicehub.refusals import NotPossible
from voicehub.retry_policy import DELETION_RETRY, PAUSED_ACCOUNT_RETRY
from voices.models import Account, Build, RemoteVoice, Voice
from voices.services.accounts import AccountPaused, conversation
from voices.services.builds.lifecycle import STILL_THERE, seen
from voices.services.builds.recheck import reasons_against_use

LONGEST_ID, LONGEST_NAME = 100, 256  # characters that are kept; an id that is longer is told as such
UNKNOWN_HERE = 200  # voices of one account that are looked through for those that nobody here knows
GONE_WORDS = ("deleted", "removed")
FORBIDDEN = 403
NO_SUCH_VOICE = "404"  # what a look that finds nothing is noted as
OTHER_KEY = (
    "The account's key was changed since this voice was last seen, and the new key does not show it. It may be another "
    "account's key: look on the provider's own page, and note it here when the voice is gone."
)


class NotAnswered(NotPossible):
    """The provider could not be asked, or said no; the text says why."""


@dataclass(frozen=True, slots=True)
class Orphan:
    """A voice that an account holds and VoiceHub does not know."""

    remote_id: str
    name: str
    raw_status: str


def look(remote: RemoteVoice) -> None:
    """Ask the provider how the voice stands now, and write it down. Raises NotPossible."""
    _ = remote.capabilities  # raises NotPossible for a provider that VoiceHub does not know
    _there(remote)
    _change(remote, lambda _provider: None)


def _not_seen(remote: RemoteVoice) -> None:
    if _key_is_newer(remote):
        raise NotAnswered(OTHER_KEY)
    _is_gone(remote)


def _key_is_newer(remote: RemoteVoice) -> bool:
    """Whether the account got another key since the voice was seen: that it is not there now proves nothing."""
    changed = remote.account.key_changed_at
    return changed is not None and changed > (remote.seen_at or remote.created_at)


def _seen(remote: RemoteVoice, report: BuildReport) -> None:
    if report.raw_status.lower() in GONE_WORDS:
        _is_gone(remote, report.raw_status)
    else:
        seen(remote, report)


def _is_gone(remote: RemoteVoice, look: str = NO_SUCH_VOICE) -> None:
    """Somebody deleted it over there, or our own deletion, which it did not show at first, has come to pass."""
    now = timezone.now()
    remote.raw_status, remote.seen_at, remote.alarm = "", now, ""
    remote.deleted_at, remote.deletion = now, remote.deletion | {"look": look, "at": now.isoformat()}
    remote.retired_at = remote.retired_at or now
    remote.save(update_fields=["raw_status", "seen_at", "alarm", "deleted_at", "deletion", "retired_at"])


def _there(remote: RemoteVoice) -> None:
    if not remote.remote_id or remote.deleted_at:
        raise NotPossible("The provider does not have this voice.")


def rename(remote: RemoteVoice, name: str) -> None:
    """Give it another name at the provider. Raises NotPossible."""
    _can(remote, remote.capabilities.can_rename, "rename a voice")
    _may_use(remote)
    _nothing_goes_on(remote)  # that something has changed over there would be taken for a sign of the build
    _change(remote, lambda provider: provider.rename_voice(remote.remote_id, name))


def set_visibility(remote: RemoteVoice, visibility: Visibility, by: User) -> None:
    """Say who may use it over there; a voice that somebody here made public raises no alarm. Raises NotPossible.

    To make it private is allowed without a consent in force: it takes away, and gives nothing.
    """
    _can(remote, remote.capabilities.can_set_visibility, "change who may use a voice")
    if visibility is not Visibility.PRIVATE:
        _may_use(remote)

    def change(provider: Provider) -> None:
        provider.set_visibility(remote.remote_id, visibility)
        remote.made_public_by = by if visibility is Visibility.PUBLIC else None
        remote.save(update_fields=["made_public_by"])

    _change(remote, change)


def _may_use(remote: RemoteVoice) -> None:
    if reasons := reasons_against_use(remote):
        raise NotPossible(" ".join(reasons))


def _can(remote: RemoteVoice, can: bool, what: str) -> None:
    _there(remote)
    if not can:
        raise NotPossible(
            f"{registry.get_provider_label(remote.account.provider)} has no way to {what}. Do it on its own page."
        )


def _change(remote: RemoteVoice, change: Callable[[Provider], None]) -> None:
    """Make a change, and look what came of it."""
    try:
        with conversation(remote.account) as provider:
            change(provider)
            report = provider.fetch_build(remote.remote_id)
    except NotFound:
        _not_seen(remote)
    except CallFailure as failure:
        raise NotAnswered(failure.staff_message) from None
    else:
        _seen(remote, report)


def ask_deletion(remote: RemoteVoice, by: User, reason: str) -> None:
    """Have it deleted over there, as often as that has to be tried. Raises NotPossible."""
    _can(remote, remote.capabilities.can_delete, "delete a voice")
    with transaction.atomic():
        _asked(remote, by, reason)
        outbox.add("delete_remote_voice", remote.pk)


def note_deletion(remote: RemoteVoice, by: User, reason: str) -> None:
    """A person has deleted it on the provider's own page, or has seen that it is gone. Raises NotPossible."""
    _there(remote)
    now = timezone.now()
    with transaction.atomic():
        _asked(remote, by, reason)
        remote.deleted_at, remote.deletion, remote.alarm = now, {"by_hand": str(by), "at": now.isoformat()}, ""
        remote.save(update_fields=["deleted_at", "deletion", "alarm"])


def _nothing_goes_on(remote: RemoteVoice) -> None:
    if Build.objects.active().filter(remote_voice=remote).exists():
        raise NotPossible("A build of this voice is still on its way. Wait until it is over.")


def _asked(remote: RemoteVoice, by: User, reason: str) -> None:
    if remote.voice_id:
        Voice.objects.select_for_update().get(pk=remote.voice_id)  # as a build that is started does
    _nothing_goes_on(remote)
    remote.delete_asked_at, remote.delete_asked_by, remote.delete_reason = timezone.now(), by, reason[:300]
    remote.retired_at = remote.retired_at or timezone.now()
    remote.save(update_fields=["delete_asked_at", "delete_asked_by", "delete_reason", "retired_at"])


def delete_remote_voice(remote_voice_id: str) -> timedelta | None:
    """Delete a retired remote voice at its provider, however often that has to be tried, and look that it is gone."""
    remote = RemoteVoice.objects.select_related("account").filter(pk=remote_voice_id, deleted_at=None).first()
    if remote is None or not remote.remote_id or not remote.capabilities.can_delete:
        return None
    if Build.objects.active().filter(remote_voice=remote).exists():
        return DELETION_RETRY
    try:
        with conversation(remote.account) as provider:
            if _key_is_newer(remote):
                _seen(remote, provider.fetch_build(remote.remote_id))
            answer = _deleted(provider, remote.remote_id)
            after = _after(provider, remote.remote_id)
    except AccountPaused:
        return PAUSED_ACCOUNT_RETRY
    except NotFound:
        RemoteVoice.objects.filter(pk=remote.pk).update(alarm=OTHER_KEY)
        return DELETION_RETRY
    except CallFailure:
        return DELETION_RETRY
    return _proved(remote, {"answer": trim_response(answer), "look": after, "at": timezone.now().isoformat()})


def _deleted(provider: Provider, remote_id: str) -> Mapping[str, Any]:
    try:
        return provider.delete_voice(remote_id)
    except ProviderAuthError as error:
        if error.status != FORBIDDEN:
            raise
        # Said of this voice, of which it is asked again and again; the account works, and must not be paused for it.
        raise ProviderRejected(error.operation, error.detail, status=error.status) from None


def _after(provider: Provider, remote_id: str) -> str:
    """What a look shows after a deletion: NO_SUCH_VOICE, or the provider's word for how it stands."""
    try:
        return provider.fetch_build(remote_id).raw_status
    except NotFound:
        return NO_SUCH_VOICE


def _proved(remote: RemoteVoice, deletion: dict[str, object]) -> timedelta | None:
    """Only a voice that cannot be seen any more is deleted; else somebody is told, and it is tried again."""
    gone = deletion["look"] == NO_SUCH_VOICE or str(deletion["look"]).lower() in GONE_WORDS
    remote.deletion, remote.alarm = deletion, "" if gone else STILL_THERE
    remote.deleted_at = timezone.now() if gone else None
    remote.save(update_fields=["deletion", "alarm", "deleted_at"])
    return None if gone else DELETION_RETRY


def orphans(account: Account) -> list[Orphan]:
    """What the account holds and VoiceHub does not know, asked of the provider now. Raises NotPossible."""
    tiers = registry.get_provider_class(account.provider).tiers.values()
    if not any(tier.can_list for tier in tiers):
        raise NotPossible(f"{registry.get_provider_label(account.provider)} has no list of an account's voices.")
    try:
        with conversation(account) as provider:
            listed = list(_listed(provider))
    except CallFailure as failure:
        raise NotAnswered(failure.staff_message) from None
    # Asked for after the list was read, so that what was made meanwhile is known. One that is being made has no id
    # here yet, but a name of ours.
    known = set(account.remote_voices.exclude(remote_id="").values_list("remote_id", flat=True))
    names = set(_in_the_making(account).values_list("reference", flat=True))
    return [one for one in listed if one.remote_id not in known and one.name not in names]


def _may_be_ours(account: Account, name: str) -> bool:
    """Whether it is a voice that is being made from here; without a name it may be any of those in doubt."""
    making = _in_the_making(account)
    if name:
        return making.filter(reference=name).exists()
    return making.filter(builds__in=Build.objects.active().exclude(step="")).exists()


def _in_the_making(account: Account) -> QuerySet[RemoteVoice]:
    return account.remote_voices.filter(remote_id="")


def _listed(provider: Provider) -> Iterator[Orphan]:
    for count, report in enumerate(provider.list_voices()):
        if count == UNKNOWN_HERE:
            return
        yield Orphan(report.remote_id[: LONGEST_ID + 1], report.name[:LONGEST_NAME], report.raw_status)


def adopt(account: Account, remote_id: str, tier: Tier | str, voice: Voice, by: User) -> RemoteVoice:
    """Know a voice that the account holds as one of `voice`. It is not trained again from here. Raises NotPossible."""
    report = _seen_there(account, remote_id)
    _may_use(RemoteVoice(account=account, voice=voice))
    return _taken(account, remote_id, tier, report, voice=voice, adopted_by=by)


def delete_orphan(account: Account, remote_id: str, tier: Tier | str, by: User, reason: str) -> RemoteVoice:
    """Delete a voice that nobody here knows; its row keeps the proof. Raises NotPossible."""
    report = _seen_there(account, remote_id)
    with transaction.atomic():
        remote = _taken(account, remote_id, tier, report, voice=None)
        ask_deletion(remote, by, reason)
    return remote


def _seen_there(account: Account, remote_id: str) -> BuildReport:
    """What the provider shows of it: the id comes from a form, and may be made up, or a known one spelt otherwise."""
    try:
        with conversation(account) as provider:
            report = provider.fetch_build(remote_id)
    except CallFailure as failure:
        raise NotAnswered(failure.staff_message) from None
    if not report.raw:
        raise NotPossible("The provider does not show a voice of this id.")
    if report.remote_id != remote_id:
        raise NotPossible("The provider shows this voice under another id. Adopt or delete that one.")
    return report


def _taken(account: Account, remote_id: str, tier: Tier | str, report: BuildReport, **more: object) -> RemoteVoice:
    if _may_be_ours(account, report.name):
        raise NotPossible("This voice is being made from here just now. Wait until its build is over.")
    remote = RemoteVoice(account=account, tier=str(tier), remote_id=remote_id, retired_at=timezone.now(), **more)
    remote.reference = f"held-{remote.pk.hex}"
    try:
        with transaction.atomic():
            remote.save(force_insert=True)
    except IntegrityError:
        raise NotPossible("VoiceHub knows this voice already.") from None
    seen(remote, report)
    return remote
