"""How an account, or a voice at its provider, stands: the colour and the words that every page has for it."""

from dataclasses import dataclass

from voices.models import Account, BuildStatus, RemoteVoice
from voices.models.build import ACTIVE
from voices.providers import registry
from voices.providers.types import Tier


@dataclass(frozen=True, slots=True)
class Standing:
    tone: str
    word: str


def of_account(account: Account) -> Standing:
    if account.paused_at:
        return Standing("wait" if account.paused_by_id else "bad", "Paused")
    if account.last_error:
        return Standing("bad", "Not working")
    return Standing("good", "Working") if account.checked_at else Standing("over", "Never tested")


def of_remote(remote: RemoteVoice) -> Standing:
    """In our words; what the provider calls it stands beside. Its builds should be fetched (`access.remote_voices`)."""
    statuses = {BuildStatus(build.status) for build in remote.builds.all()}
    moving = [status for status in ACTIVE if status in statuses]
    if remote.deleted_at:
        return Standing("over", "Deleted")
    if remote.delete_asked_at:
        return Standing("busy", "Being deleted")
    if moving:
        return Standing("busy", moving[0].label)
    if not remote.remote_id:
        return Standing("over", "Was not made")
    if remote.adopted_by_id:
        return Standing("good", "Adopted")
    if BuildStatus.READY in statuses:
        return Standing("good", "Ready")
    return Standing("over", "Not usable")


def kind(remote: RemoteVoice) -> str:
    """What its provider calls this kind of voice, such as "Clone"; our own word where we do not know it any more."""
    try:
        return registry.provider_class(remote.account.provider).tiers[Tier(remote.tier)].label
    except (KeyError, ValueError):
        return remote.tier.capitalize()
