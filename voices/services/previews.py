"""Previews: a remote voice speaks a sentence, once, and the audio is stored with the build."""

from datetime import timedelta
from io import BytesIO
from typing import Any

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from consent.models import Talent
from providers import registry
from providers.errors import CallFailure
from providers.types import Sound
from voicehub import outbox
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import HELD_SAMPLE_RETRY, PAUSED_ACCOUNT_RETRY
from voicehub.transitions import move
from voices.models import Build, BuildStatus, Preview, PreviewStatus, RemoteVoice
from voices.services.accounts import open_session
from voices.services.builds.recheck import find_hold, find_reasons_against_use
from voices.services.preview_sounds import measure_sound
from voices.services.remote_state import DELETION_STATES, find_remote_state

DEFAULT_TEXT_CHARACTERS = 500  # where the provider states no limit: a preview is one or two sentences
# Content types that a page may play, with their file extensions. Other types are only offered as a download.
PLAYABLE_TYPES = {"audio/wav": "wav", "audio/mpeg": "mp3", "audio/ogg": "ogg", "audio/flac": "flac"}
LOCKED = "The provider has locked this voice. Ask the provider why, and what unlocks it."
MAX_PER_HOUR = 60  # previews for each account
HOUR = timedelta(hours=1)
PENDING_STATUSES = (PreviewStatus.QUEUED, PreviewStatus.GENERATING)
INTERRUPTED = "The preview was interrupted. The provider may have charged for it. Request it again if you need it."


def request_preview(remote: RemoteVoice, text: str, by: User) -> Preview:
    """Have the voice speak `text`, in the background. Raises ActionRefused if that is not allowed or not possible."""
    text = " ".join(text.split())
    if reasons := find_reasons_against_preview(remote):
        raise ActionRefused(" ".join(reasons))
    longest = get_longest_preview(remote)
    if not text or len(text) > longest:
        raise ActionRefused(f"Enter a text of at most {longest:,} characters.")
    build = Build.objects.filter(remote_voice=remote, status=BuildStatus.READY).first()
    with transaction.atomic():
        RemoteVoice.objects.select_for_update().get(pk=remote.pk)  # concurrent requests: exactly one is accepted
        if remote.previews.filter(text=text, url="", status__in=PENDING_STATUSES).exists():
            raise ActionRefused("This preview is already on its way. Wait until it is ready.")
        _check_rate_limit(remote)
        preview = Preview.objects.create(remote_voice=remote, build=build, text=text, requested_by=by)
        outbox.enqueue_task("make_preview", preview.pk)
    return preview


def get_longest_preview(remote: RemoteVoice) -> int:
    """The most characters that one preview may have: the provider's limit if it states one."""
    limit = remote.limits.get("longest_preview") if remote.find_capabilities() else None
    return int(limit.value) if limit else DEFAULT_TEXT_CHARACTERS


def _check_rate_limit(remote: RemoteVoice) -> None:
    """Raise ActionRefused above MAX_PER_HOUR, because previews cost money."""
    requested_previews = Preview.objects.filter(remote_voice__account=remote.account_id, url="")
    if requested_previews.filter(created_at__gt=timezone.now() - HOUR).count() >= MAX_PER_HOUR:
        raise ActionRefused(f"This account has reached its limit of {MAX_PER_HOUR} previews per hour. Try again later.")


def find_reasons_against_preview(remote: RemoteVoice) -> list[str]:
    """Why the voice cannot make a preview now. Previews need the same consent and contract as builds."""
    if not remote.capabilities.can_preview:
        return [f"{registry.get_provider_label(remote.account.provider)} has no previews in its API."]
    state = find_remote_state(remote)
    if state.kind in DELETION_STATES or not remote.remote_id:
        return ["The provider does not have this voice, or it is being deleted."]
    if remote.is_locked:
        return [LOCKED]
    if not state.is_usable:
        return list(state.texts)
    return list(find_reasons_against_use(remote))


def make_preview(preview_id: str) -> timedelta | None:
    """Request the audio of a preview, once. A failed request is never retried, because it may have been charged."""
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
    if preview.url and find_hold(preview.remote_voice):
        return HELD_SAMPLE_RETRY
    # The audio of a sample exists already. To speak a new sentence, the voice must exist and not await deletion.
    if (
        reasons := find_reasons_against_use(preview.remote_voice)
        if preview.url
        else find_reasons_against_preview(preview.remote_voice)
    ):
        _mark_failed(preview, " ".join(reasons))
    elif move(preview, PreviewStatus.GENERATING):
        _fetch_sound(preview)
    return None


def resume_samples(talent: Talent) -> None:
    """Continue the downloads of samples that waited while a consent or a contract of the talent was suspended."""
    waiting = Preview.objects.filter(remote_voice__voice__talent=talent, status=PreviewStatus.QUEUED).exclude(url="")
    for pk in waiting.values_list("pk", flat=True):
        outbox.enqueue_task("make_preview", pk)


def _fetch_sound(preview: Preview) -> None:
    remote = preview.remote_voice
    try:
        with open_session(remote.account) as provider:
            is_sample = bool(preview.url)  # made by the provider without a request
            sound = (
                provider.download_sound(preview.url)
                if is_sample
                else provider.generate_preview(remote.remote_id, preview.text)
            )
    except CallFailure as failure:
        _mark_failed(preview, failure.staff_message)
    else:
        _store_sound(preview, sound)


def _store_sound(preview: Preview, sound: Sound) -> None:
    preview.file.save("", ContentFile(sound.content), save=False)
    name = str(preview.file.name)
    fields: dict[str, Any] = {"file": name, "content_type": sound.content_type, "issue": ""}
    fields |= measure_sound(BytesIO(sound.content))
    if not move(preview, PreviewStatus.READY, **fields, finished_at=timezone.now()):
        preview.file.storage.delete(name)


def _mark_failed(preview: Preview, issue: str) -> None:
    move(preview, PreviewStatus.FAILED, issue=issue, finished_at=timezone.now())


def handle_preview_failure(preview_id: str) -> None:
    """Called when the task failed repeatedly because of an error in VoiceHub."""
    if preview := Preview.objects.filter(pk=preview_id).first():
        _mark_failed(preview, INTERRUPTED)
