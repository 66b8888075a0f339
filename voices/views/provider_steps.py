"""Next steps about accounts and remote voices: alerts, deletions, paused accounts."""

from collections.abc import Iterator

from django.db.models import Count, Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

from providers import registry
from voicehub.retry_policy import MANUAL_DELETION_ALARM_AFTER
from voicehub.text import format_count
from voices import access
from voices.models import RemoteFile, RemoteVoice
from voices.models.build import ACTIVE_STATUSES
from voices.views.next_step import MAX_ROWS, NextStep


def list_remote_voice_steps() -> Iterator[NextStep]:
    """Voices with an alert, then voices and files that are being deleted or that staff must delete.

    They are listed whatever newer builds say. Files of a voice that is already deleted, or was never created, count.
    """
    is_open = (Q(deletion_requested_at__isnull=False) | ~Q(alert="")) & Q(deleted_at=None)
    has_files = Exists(RemoteFile.objects.requested().filter(remote_voice=OuterRef("pk")))
    rows = RemoteVoice.objects.annotate(has_open_files=has_files).filter(is_open | Q(has_open_files=True))
    rows = rows.select_related("account", "voice__talent", "deletion_assigned_to")
    remotes = list(rows.order_by("deletion_requested_at", "checked_at")[:MAX_ROWS])
    yield from (_make_alert_step(remote, remote.alert) for remote in remotes if remote.alert)
    yield from (_make_alert_step(remote, remote.file_alert) for remote in remotes if remote.file_alert)
    yield from (_make_deletion_step(remote) for remote in remotes if remote.is_being_deleted and not remote.alert)
    yield from (_make_file_step(remote) for remote in remotes if remote.has_open_files and not remote.file_alert)


def _make_alert_step(remote: RemoteVoice, alert: str) -> NextStep:
    """A voice that became public, still exists after its deletion, or whose state is unknown; or files that remain."""
    description = f"at {registry.get_provider_label(remote.account.provider)}"
    is_kept = remote.is_still_visible or alert == remote.file_alert
    status = "Not deleted" if is_kept else "Public" if remote.is_public else "Unknown"
    subject, url = str(remote.voice or remote.name or remote), remote.get_absolute_url()
    return NextStep(subject, description, "bad", status, (alert,), url, "Open voice", remote.checked_at)


def _make_deletion_step(remote: RemoteVoice) -> NextStep:
    label, url = registry.get_provider_label(remote.account.provider), f"{remote.get_absolute_url()}#deletion"
    since = remote.deletion_requested_at
    if remote.needs_manual_deletion:
        is_late = since is not None and timezone.now() - since > MANUAL_DELETION_ALARM_AFTER
        person = remote.deletion_assigned_to
        severity, status, action = "bad" if is_late else "wait", "To delete", "Delete and confirm"
        status = f"{status}: {person}" if person else status
        text = f"Delete it on the website of {label}, which has no API call for this, and confirm it here."
    else:
        severity, status, action, text = "busy", "Being deleted", "Open voice", "VoiceHub deletes it at the provider."
    reasons = (f"{remote.deletion_reason} {text}",)
    return NextStep(str(remote.voice or remote), f"at {label}", severity, status, reasons, url, action, since)


def _make_file_step(remote: RemoteVoice) -> NextStep:
    label, url = registry.get_provider_label(remote.account.provider), f"{remote.get_absolute_url()}#files"
    reasons = ("VoiceHub deletes the files that were sent for this voice.",)
    since = remote.deletion_requested_at or remote.retired_at
    return NextStep(
        str(remote.voice or remote), f"at {label}", "busy", "Files being deleted", reasons, url, "Open voice", since
    )


def list_paused_accounts() -> Iterator[NextStep]:
    waiting = Count("remote_voices__builds", Q(remote_voices__builds__status__in=ACTIVE_STATUSES))
    for account in access.query_paused_accounts().annotate(waiting=waiting)[:MAX_ROWS]:
        is_paused_by_person = account.paused_by_id is not None
        reasons = [account.pause_reason]
        if account.waiting:
            end = "until it is resumed" if is_paused_by_person else "for a working key"
            reasons.append(f"{format_count(account.waiting, 'build waits', 'builds wait')} {end}.")
        url = reverse("voices:account", args=[account.pk])
        yield NextStep(
            account.name,
            f"Account at {registry.get_provider_label(account.provider)}",
            "wait" if is_paused_by_person else "bad",
            "Paused",
            tuple(reasons),
            url,
            "Resume account" if is_paused_by_person else "Enter a new key",
            account.paused_at,
            "voices.change_account",
            subject_permission="voices.view_account",
        )
