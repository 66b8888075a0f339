"""Previews: a remote voice says a sentence, once, and the sound is kept with the build."""

from datetime import timedelta

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from providers import registry
from providers.errors import CallFailure
from providers.types import Sound
from voicehub import outbox
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import PAUSED_ACCOUNT_RETRY
from voicehub.transitions import move
from voices.models import Build, BuildStatus, Preview, PreviewStatus, RemoteVoice
from voices.services.accounts import open_session
from voices.services.builds.recheck import find_reasons_against_use

MAX_TEXT_CHARACTERS = 500  # characters; a preview is a sentence or two, and may be charged for by its length
MAX_PER_HOUR = 60  # sentences that one account may be asked for
HOUR = timedelta(hours=1)
PENDING_STATUSES = (PreviewStatus.QUEUED, PreviewStatus.GENERATING)
INTERRUPTED = "It was interrupted. The provider may have charged for it; ask again if you need it."


def request_preview(remote: RemoteVoice, text: str, by: User) -> Preview:
    """Have the voice say `text`, in the background. Raises NotPossible when that is not allowed, or cannot be."""
    text = " ".join(text.split())
    if reasons := find_reasons_against_preview(remote):
        raise ActionRefused(" ".join(reasons))
    if not text or len(text) > MAX_TEXT_CHARACTERS:
        raise ActionRefused(f"Type a sentence of at most {MAX_TEXT_CHARACTERS} characters.")
    build = Build.objects.filter(remote_voice=remote, status=BuildStatus.READY).first()
    with transaction.atomic():
        RemoteVoice.objects.select_for_update().get(pk=remote.pk)  # of two who press at once, one asks
        if remote.previews.filter(text=text, url="", status__in=PENDING_STATUSES).exists():
            raise ActionRefused("The voice is asked to say this already.")
        _check_rate_limit(remote)
        preview = Preview.objects.create(remote_voice=remote, build=build, text=text, requested_by=by)
        outbox.enqueue_task("make_preview", preview.pk)
    return preview


def _check_rate_limit(remote: RemoteVoice) -> None:
    """Somebody's finger, or a script of theirs, must not empty the account."""
    asked = Preview.objects.filter(remote_voice__account=remote.account_id, url="")
    if asked.filter(created_at__gt=timezone.now() - HOUR).count() >= MAX_PER_HOUR:
        raise ActionRefused(f"This account was asked for {MAX_PER_HOUR} sentences within an hour. Wait a while.")


def find_reasons_against_preview(remote: RemoteVoice) -> list[str]:
    """Why the voice may not, or cannot, speak now; what speaks with a talent's voice passes the gate as builds do."""
    if not remote.capabilities.can_preview:
        return [f"{registry.get_provider_label(remote.account.provider)} cannot let a voice speak by its API."]
    if not remote.remote_id or remote.deleted_at or remote.deletion_requested_at:
        return ["The provider does not have this voice, or not for much longer."]
    if not remote.adopted_by_id and not Build.objects.filter(remote_voice=remote, status=BuildStatus.READY).exists():
        return ["The voice is not ready yet."]
    return list(find_reasons_against_use(remote))


def make_preview(preview_id: str) -> timedelta | None:
    """Ask the provider once. Whatever goes wrong, it is not asked again by itself: it may have been charged for."""
    related = ("remote_voice__account", "remote_voice__voice__talent")
    preview = Preview.objects.select_related(*related).filter(pk=preview_id).first()
    if preview is None:
        return None
    if preview.status == PreviewStatus.GENERATING:
        _mark_failed(preview, INTERRUPTED)
        return None
    account = preview.remote_voice.account
    account.refresh_from_db(fields=["paused_at"])
    if account.paused_at:
        return PAUSED_ACCOUNT_RETRY
    # A sample is there already; to speak, the voice must be there still, and not on its way out.
    if (
        reasons := find_reasons_against_use(preview.remote_voice)
        if preview.url
        else find_reasons_against_preview(preview.remote_voice)
    ):
        _mark_failed(preview, " ".join(reasons))
    elif move(preview, PreviewStatus.GENERATING):
        _fetch_sound(preview)
    return None


def _fetch_sound(preview: Preview) -> None:
    remote = preview.remote_voice
    try:
        with open_session(remote.account) as provider:
            made = bool(preview.url)  # by the provider, of its own accord
            sound = (
                provider.download_sound(preview.url)
                if made
                else provider.generate_preview(remote.remote_id, preview.text)
            )
    except CallFailure as failure:
        _mark_failed(preview, failure.staff_message)
    else:
        _store_sound(preview, sound)


def _store_sound(preview: Preview, sound: Sound) -> None:
    preview.file.save("", ContentFile(sound.content), save=False)
    name = str(preview.file.name)
    how = sound.content_type
    if not move(preview, PreviewStatus.READY, file=name, content_type=how, issue="", finished_at=timezone.now()):
        preview.file.storage.delete(name)


def _mark_failed(preview: Preview, issue: str) -> None:
    move(preview, PreviewStatus.FAILED, issue=issue, finished_at=timezone.now())


def handle_preview_failure(preview_id: str) -> None:
    """It failed again and again on our side."""
    if preview := Preview.objects.filter(pk=preview_id).first():
        _mark_failed(preview, INTERRUPTED)
