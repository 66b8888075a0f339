"""What the tab At providers says of each voice: its newest preview, and the overall score of its newest build."""

from collections.abc import Collection, Sequence
from uuid import UUID

from django.db.models import OuterRef, Subquery

from providers import registry
from voicehub.models import User
from voices import access
from voices.models import Account, Build, Preview, PreviewStatus, RemoteVoice
from voices.services.builds.scores import SCORES

OVERALL = SCORES[0].key


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


def load_overall_scores(remotes: Sequence[RemoteVoice]) -> dict[UUID, float]:
    """The overall score of the newest build of each of these voices, by the id of the voice, if it has one."""
    newest = [build.pk for remote in remotes for build in remote.builds.all()[:1]]
    rows = Build.objects.filter(pk__in=newest).values_list("remote_voice", "scores")
    return {pk: float(scores[OVERALL]) for pk, scores in rows if scores.get(OVERALL) is not None}


def list_other_providers(remotes: Sequence[RemoteVoice]) -> list[str]:
    """The providers at which the studio has an account, and this voice is not."""
    present = {remote.account.provider for remote in remotes if remote.deleted_at is None}
    providers = set(Account.objects.order_by().values_list("provider", flat=True).distinct())
    return sorted(map(registry.get_provider_label, providers - present))
