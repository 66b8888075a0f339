"""Next steps about accounts and remote voices: alerts, deletions, paused accounts."""

from collections.abc import Iterator

from django.db.models import Count, Q
from django.urls import reverse

from providers import registry
from voicehub.text import format_count
from voices import access
from voices.models import RemoteVoice
from voices.models.build import ACTIVE_STATUSES
from voices.views.next_step import MAX_ROWS, NextStep


def list_remote_voice_steps() -> Iterator[NextStep]:
    """Voices with an alert, then voices that are being deleted or that staff must delete, whatever newer builds say."""
    is_open = Q(deletion_requested_at__isnull=False) | ~Q(alert="")
    rows = RemoteVoice.objects.filter(is_open, deleted_at=None).select_related("account", "voice__talent")
    remotes = list(rows.order_by("deletion_requested_at", "checked_at")[:MAX_ROWS])
    yield from (_make_alert_step(remote) for remote in remotes if remote.alert)
    yield from (_make_deletion_step(remote) for remote in remotes if not remote.alert)


def _make_alert_step(remote: RemoteVoice) -> NextStep:
    """A voice that became public, still exists after its deletion, or whose state is unknown."""
    description = f"at {registry.get_provider_label(remote.account.provider)}"
    status = "Not deleted" if remote.is_still_visible else "Public" if remote.is_public else "Unknown"
    subject, url = str(remote.voice or remote.name or remote), remote.get_absolute_url()
    return NextStep(subject, description, "bad", status, (remote.alert,), url, "Open voice", remote.checked_at)


def _make_deletion_step(remote: RemoteVoice) -> NextStep:
    label, url = registry.get_provider_label(remote.account.provider), f"{remote.get_absolute_url()}#deletion"
    if remote.needs_manual_deletion:
        severity, status, action = "bad", "To delete", "Delete and confirm"
        text = f"Delete it on the website of {label}, which has no API call for this, and confirm it here."
    else:
        severity, status, action, text = "busy", "Being deleted", "Open voice", "VoiceHub deletes it at the provider."
    reasons, since = (f"{remote.deletion_reason} {text}",), remote.deletion_requested_at
    return NextStep(str(remote.voice or remote), f"at {label}", severity, status, reasons, url, action, since)


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
