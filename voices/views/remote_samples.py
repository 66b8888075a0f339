"""What the tab At providers plays: the newest preview of each voice at a provider."""

from collections.abc import Collection, Sequence
from uuid import UUID

from django.db.models import OuterRef, Subquery

from providers import registry
from voicehub.models import User
from voices import access
from voices.models import Account, Preview, PreviewStatus, RemoteVoice


def load_samples(remotes: Sequence[RemoteVoice], held: Collection[UUID], user: User) -> dict[UUID, Preview]:
    """Of each of these remote voices of one voice, the newest preview that this user may play now, by its id."""
    providers = {remote.account.provider: remote for remote in remotes}
    closed = {provider for provider, remote in providers.items() if access.are_previews_closed(remote, user)}
    shown = [
        remote.pk
        for remote in remotes
        if remote.account.provider not in closed and remote.pk not in held and remote.deletion_requested_at is None
    ]
    ready = Preview.objects.filter(status=PreviewStatus.READY)
    newest = ready.filter(remote_voice=OuterRef("remote_voice")).order_by("-created_at", "pk").values("pk")
    previews = ready.filter(remote_voice__in=shown, pk=Subquery(newest[:1]))
    return {preview.remote_voice_id: preview for preview in previews}


def list_other_providers(remotes: Sequence[RemoteVoice]) -> list[str]:
    """The providers at which the studio has an account, and this voice is not."""
    present = {remote.account.provider for remote in remotes if remote.deleted_at is None}
    providers = set(Account.objects.order_by().values_list("provider", flat=True).distinct())
    return sorted(map(registry.get_provider_label, providers - present))
