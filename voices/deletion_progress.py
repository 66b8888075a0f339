"""The progress of deletions at providers: how many files are deleted, and how long a deletion usually takes."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils import timezone

from voices.models import RemoteVoice, WorkKind
from voices.services.estimates import PastWork, estimate_uncounted, format_rough
from voices.services.work_samples import PastByKey, load_past_work, make_account_key
from voices.work_progress import WorkProgress, make_counted_progress

REPEATS = "VoiceHub repeats the deletion until the provider confirms it."


def load_past_deletions(remotes: Iterable[RemoteVoice]) -> PastByKey:
    """How long earlier deletions at these accounts took, in one query. None if there are no voices."""
    accounts = [remote.account for remote in remotes]
    kinds = (WorkKind.DELETION, WorkKind.FILES)
    return load_past_work((kind, make_account_key(account)) for account in accounts for kind in kinds)


def make_listed_deletion_progress(remote: RemoteVoice, past: PastByKey) -> WorkProgress | None:
    """The same without the sentence that stands above the list: what is usual, or what is wrong. None for neither."""
    progress = make_voice_deletion_progress(remote, past)
    if progress is None or progress.text != REPEATS:
        return progress
    usual = progress.end[:1].upper() + progress.end[1:]
    return _make_progress(remote, f"{usual}.") if usual else None


def make_voice_deletion_progress(remote: RemoteVoice, past: PastByKey) -> WorkProgress | None:
    """The progress of a deletion that VoiceHub makes itself. None if it makes none now."""
    if not remote.is_being_deleted or remote.needs_manual_deletion or remote.is_on_hold:
        return None
    account = remote.account
    if account.paused_at:
        return _make_progress(remote, "Waiting until the account is resumed.", is_stopped=True)
    if remote.is_still_visible or remote.alert:
        return _make_progress(remote, "VoiceHub keeps trying until the voice is deleted.")
    if account.last_error:
        return _make_progress(remote, f"The last try failed: {account.last_error} VoiceHub keeps trying.")
    learned = past.get((WorkKind.DELETION, make_account_key(account)))
    end = _describe_usual(learned, remote.deletion_requested_at)
    return _make_progress(remote, REPEATS, end=end)


def make_file_deletion_progress(
    remote: RemoteVoice, past: PastByKey, done: int, total: int, requested_at: datetime | None
) -> WorkProgress | None:
    """“3 of 5 files deleted, usually 2 s”. None if no file waits for its deletion, or if a legal hold stops it."""
    if done >= total or remote.is_on_hold:
        return None
    learned = past.get((WorkKind.FILES, make_account_key(remote.account)))
    end = _describe_usual(learned, requested_at)
    text = f"{done} of {total} files deleted" if total > 1 else "1 file is being deleted"
    if remote.account.paused_at:
        end = "waiting until the account is resumed"
    elif remote.account.last_error:
        end = f"the last try failed: {remote.account.last_error} VoiceHub keeps trying"
    return _make_progress(
        remote, text, key="files", end=end, done=done, total=total, is_stopped=bool(remote.account.paused_at)
    )


def _describe_usual(past: PastWork | None, requested_at: datetime | None) -> str:
    """A deletion has no expected end: it is repeated until the provider confirms it."""
    if past is None or requested_at is None:
        return ""
    is_slow = estimate_uncounted(past, (timezone.now() - requested_at).total_seconds()).is_slow
    usual = f"usually {format_rough(past.usual)}"
    return f"takes longer than usual ({usual})" if is_slow else usual


def _make_progress(remote: RemoteVoice, text: str, key: str = "voice", **amounts: Any) -> WorkProgress:
    subject = remote.voice.name if remote.voice else remote.name or "a voice"
    return make_counted_progress(f"deletion-{key}-{remote.pk}", "Deleting", subject, text, **amounts)
