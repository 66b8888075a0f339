"""The deletions of a consent that has ended, as the table that the talent and staff see."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from django.utils import timezone
from django.utils.translation import gettext

from consent.extension_points import Deletion
from consent.models import Consent, ConsentStatus
from consent.services.coverage import Coverage, CoverageEnd, VoiceUse
from consent.services.legal_hold import KEPT_BY_HOLD
from providers import registry
from voicehub.talent_languages import SOURCE_LANGUAGE, get_talent_language
from voicehub.text import format_date
from voices.models import RemoteFile, RemoteVoice, WorkKind
from voices.services.deletion_log import describe_files, describe_voice
from voices.services.estimates import format_rough
from voices.services.withdrawal import query_remote_voices
from voices.services.work_samples import PastByKey, WorkKey, load_past_work, make_account_key

ENDED_STATUSES = (ConsentStatus.WITHDRAWN, ConsentStatus.EXPIRED, ConsentStatus.REPLACED)


def list_deletions(consent: Consent) -> list[Deletion]:
    """The deletions of voices and files after the end of a consent or its contract, oldest voice first.

    Planned deletions are in it while nothing covers the voice.
    """
    if consent.approved_at is None:
        return []
    remotes = query_remote_voices(consent).select_related("account", "voice__talent", "deletion_assigned_to")
    if consent.status not in ENDED_STATUSES:
        remotes = remotes.filter(coverage_ended_on__isnull=False)
    has_ended = find_end(consent) is not None
    rows = list(remotes.prefetch_related("files").order_by("created_at"))
    past = load_past_work(key for remote in rows for key in _list_work_keys(remote))
    return [
        replace(deletion, url=remote.get_absolute_url())
        for remote in rows
        for deletion in _list_rows(remote, has_ended, past)
    ]


def _list_work_keys(remote: RemoteVoice) -> Iterator[WorkKey]:
    """The kinds of deletion that are open. Their usual times are shown."""
    if remote.is_being_deleted:
        yield WorkKind.DELETION, make_account_key(remote.account)
    if any(file.deletion_requested_at and not file.deleted_at for file in remote.files.all()):
        yield WorkKind.FILES, make_account_key(remote.account)


def find_end(consent: Consent) -> CoverageEnd | None:
    """The end by date of the use that this consent allowed, if nothing covers it now."""
    return Coverage([consent.talent_id]).find_end(VoiceUse(consent.talent_id, consent.provider, consent.purpose))


def _list_rows(remote: RemoteVoice, has_ended: bool, past: PastByKey) -> Iterator[Deletion]:
    label = registry.get_provider_label(remote.account.provider)
    if has_ended and remote.deletion_planned_at and not (remote.deletion_requested_at or remote.deleted_at):
        yield Deletion(label, describe_voice(remote), remote.deletion_planned_at, None, _describe_plan(remote))
    if remote.deletion_requested_at or remote.deleted_at:
        requested_at = remote.deletion_requested_at or remote.retired_at or remote.created_at
        how = _describe_voice_confirmation(remote, label, past)
        needs_person = remote.needs_manual_deletion and not (remote.deleted_at or remote.is_on_hold)
        website = remote.deletion_website if needs_person else ""
        yield Deletion(
            label,
            describe_voice(remote),
            requested_at,
            remote.deleted_at,
            how,
            needs_person=needs_person,
            website=website,
        )
    if deletion := find_file_deletion(remote, past):
        yield deletion


def _describe_plan(remote: RemoteVoice) -> str:
    if remote.is_on_hold:
        return str(KEPT_BY_HOLD)
    day = gettext("Planned for {day}").format(day=format_date(remote.deletion_due_on or timezone.localdate()))
    planned = day if remote.deletion_due_on else gettext("Planned")
    # The reason is stored in English.
    is_english = get_talent_language() == SOURCE_LANGUAGE
    return f"{planned}. {remote.coverage_end_reason.rstrip('.')}" if is_english else planned


def find_file_deletion(remote: RemoteVoice, past: PastByKey | None = None) -> Deletion | None:
    """The deletion of the files that were sent for a voice. None if it was not requested."""
    files = [file for file in remote.files.all() if file.deletion_requested_at]
    if not files:
        return None
    label = registry.get_provider_label(remote.account.provider)
    repeated = str(KEPT_BY_HOLD) if remote.is_on_hold else _describe_repeats(remote, WorkKind.FILES, past or {})
    return _describe_file_deletion(files, label, repeated)


def _describe_repeats(remote: RemoteVoice, kind: WorkKind, past: PastByKey) -> str:
    learned = past.get((kind, make_account_key(remote.account)))
    if not learned:
        return gettext("VoiceHub repeats the deletion until the provider confirms it")
    text = gettext("VoiceHub repeats the deletion until the provider confirms it, usually within {time}")
    return text.format(time=format_rough(learned.usual))


def _describe_voice_confirmation(remote: RemoteVoice, label: str, past: PastByKey) -> str:
    if remote.deleted_at and "by_hand" in remote.deletion_proof:
        return gettext("Confirmed by {person}").format(person=remote.deletion_proof["by_hand"])
    if remote.deleted_at:
        return gettext("{provider} no longer has it").format(provider=label)
    if remote.is_on_hold:
        return str(KEPT_BY_HOLD)
    if remote.needs_manual_deletion and remote.deletion_assigned_to:
        return gettext("{person} deletes it on the provider's website").format(person=remote.deletion_assigned_to)
    if remote.needs_manual_deletion:
        return gettext("The studio deletes it on the provider's website")
    return _describe_repeats(remote, WorkKind.DELETION, past)


def _describe_file_deletion(files: Sequence[RemoteFile], label: str, repeated: str) -> Deletion:
    requested_at = min(file.deletion_requested_at or timezone.now() for file in files)
    times = [file.deleted_at for file in files if file.deleted_at]
    missing = len(files) - len(times)
    person = next((file.deletion_proof["by_hand"] for file in files if "by_hand" in file.deletion_proof), "")
    if missing:
        some = gettext("{count} of {total} are deleted.").format(count=len(times), total=len(files))
        how = f"{some} {repeated}" if times else repeated
    elif person:
        how = gettext("Confirmed by {person}").format(person=person)
    else:
        how = gettext("{provider} no longer has them").format(provider=label)
    return Deletion(label, describe_files(files), requested_at, None if missing else max(times), how)
