"""Next steps about voices at providers: alerts, deletions, what a person must decide, and legal holds."""

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from consent.models import Talent
from providers import registry
from voicehub.retry_policy import MANUAL_DELETION_ALARM_AFTER
from voicehub.text import format_count, format_date
from voices.models import RemoteVoice
from voices.services.builds.lifecycle import VOICE_WAS_PUBLIC
from voices.services.deletion_lists import load_open_deletions
from voices.views.next_step import MAX_ROWS, NextStep, Talents

DELETE = "voices.delete_remotevoice"


def list_remote_voice_steps(talents: Talents = None) -> Iterator[NextStep]:
    """Voices with an alert, open deletions, and ended consents and contracts, whatever newer builds say.

    Rows that do not fit are counted in a last row with a link to the page of deletions, so that none is hidden.
    """
    deletions = load_open_deletions(talents)
    yield from (_make_alert_step(remote, remote.alert) for remote in deletions.alerts if remote.alert)
    yield from (_make_alert_step(remote, remote.file_alert) for remote in deletions.alerts if remote.file_alert)
    open_rows = [*deletions.to_decide, *deletions.manual, *deletions.planned, *deletions.running, *deletions.on_hold]
    remotes = [remote for remote in open_rows if not remote.alert]
    files = [remote for remote in deletions.files if not remote.file_alert]
    yield from (_make_open_step(remote) for remote in remotes[:MAX_ROWS])
    yield from (_make_file_step(remote) for remote in files[:MAX_ROWS])
    if hidden := len(remotes[MAX_ROWS:]) + len(files[MAX_ROWS:]):
        yield _make_count_step(format_count(hidden, "more deletion", "more deletions"), "wait", "Open")
    if deletions.kept:
        count = format_count(len(deletions.kept), "voice is kept", "voices are kept")
        yield _make_count_step(f"{count} after the end", "over", "Kept")


def _make_open_step(remote: RemoteVoice) -> NextStep:
    if remote.is_being_deleted:
        return _make_deletion_step(remote)
    if remote.is_on_hold:
        return _make_on_hold_step(remote)
    return _make_decision_step(remote) if remote.deletion_needs_confirmation else _make_planned_step(remote)


def _make_alert_step(remote: RemoteVoice, alert: str) -> NextStep:
    """A voice that became public, still exists after its deletion, or whose state is unknown; or files that remain."""
    is_kept = remote.is_still_visible or alert == remote.file_alert
    was_public = remote.alert == VOICE_WAS_PUBLIC
    status = "Not deleted" if is_kept else "Public" if remote.is_public else "Was public" if was_public else "Unknown"
    subject = str(remote.voice or remote.name or remote)
    url = remote.get_absolute_url() + "#files" * (alert == remote.file_alert)
    return _make_step(remote, "bad", status, (alert,), url, "Check voice", remote.checked_at, subject=subject)


def _make_deletion_step(remote: RemoteVoice) -> NextStep:
    label, url = registry.get_provider_label(remote.account.provider), f"{remote.get_absolute_url()}#deletion"
    since = remote.deletion_requested_at
    if remote.is_on_hold:
        severity, status, action, text = "over", "Legal hold", "See deletion", "A legal hold keeps it."
    elif remote.needs_manual_deletion:
        is_late = since is not None and timezone.now() - since > MANUAL_DELETION_ALARM_AFTER
        person = remote.deletion_assigned_to
        severity, action = "bad" if is_late else "wait", "Confirm the deletion"
        status = f"To delete: {person}" if person else "To delete"
        text = f"Delete it on the website of {label}, which has no API call for this, and confirm it here."
    else:
        severity, status, action, text = "busy", "Being deleted", "See deletion", "VoiceHub deletes it at the provider."
    return _make_step(remote, severity, status, (f"{remote.deletion_reason} {text}",), url, action, since)


def _make_file_step(remote: RemoteVoice) -> NextStep:
    since = remote.deletion_requested_at or remote.retired_at
    if remote.is_on_hold:
        severity, status, text = "over", "Legal hold", "A legal hold keeps the files that were sent for this voice."
    else:
        severity, status = "busy", "Files being deleted"
        text = "VoiceHub deletes the files that were sent for this voice."
    url = f"{remote.get_absolute_url()}#files"
    return _make_step(remote, severity, status, (text,), url, "See deletion", since)


def _describe_place(remote: RemoteVoice) -> str:
    """Whose voice it is, and where."""
    label = registry.get_provider_label(remote.account.provider)
    return f"{remote.voice.talent.shown_name}, at {label}" if remote.voice else f"at {label}"


def make_hold_step(talent: Talent) -> NextStep:
    reasons = (f"{talent.legal_hold_by}: {talent.legal_hold_reason}", "Nothing is deleted.")
    url = f"{talent.get_absolute_url()}#legal-hold-title"
    return NextStep(
        talent.shown_name,
        "",
        "over",
        "Legal hold",
        reasons,
        url,
        "Open talent",
        talent.legal_hold_at,
        talent_id=talent.pk,
    )


def _make_decision_step(remote: RemoteVoice) -> NextStep:
    subject = "the files that were sent for it" if remote.deleted_at else "the voice"
    reasons = (_describe_end(remote), f"It ended before the upgrade. Delete or keep {subject}.")
    return _make_listed_step(remote, "bad", "To decide", reasons, "Decide", DELETE)


def _make_planned_step(remote: RemoteVoice) -> NextStep:
    day = date_format(remote.deletion_due_on, "M j") if remote.deletion_due_on else ""
    reasons = (remote.coverage_end_reason, "A new consent and contract keep the voice.")
    return _make_listed_step(remote, "wait", f"Deletion on {day}", reasons, "See deletions", "")


def _make_on_hold_step(remote: RemoteVoice) -> NextStep:
    return _make_listed_step(
        remote, "over", "Legal hold", (_describe_end(remote), "A legal hold keeps it."), "See deletions", ""
    )


def _describe_end(remote: RemoteVoice) -> str:
    """What ended, and the last day, if the text does not name it."""
    reason, day = remote.coverage_end_reason, format_date(remote.coverage_ended_on) if remote.coverage_ended_on else ""
    return reason if day in reason else f"{reason} Last day: {day}."


def _make_listed_step(
    remote: RemoteVoice, severity: str, status: str, reasons: tuple[str, ...], action: str, permission: str
) -> NextStep:
    """A row that leads to the voice on the page of deletions."""
    url, page = f"{reverse('voices:deletion_list')}#voice-{remote.pk}", remote.get_absolute_url()
    since = remote.deletion_planned_at
    return _make_step(remote, severity, status, reasons, url, action, since, permission=permission, subject_url=page)


def _make_step(
    remote: RemoteVoice,
    severity: str,
    status: str,
    reasons: tuple[str, ...],
    url: str,
    action: str,
    since: datetime | None,
    *,
    subject: str = "",
    permission: str = "",
    subject_url: str = "",
) -> NextStep:
    return NextStep(
        subject or str(remote.voice or remote),
        _describe_place(remote),
        severity,
        status,
        reasons,
        url,
        action,
        since,
        permission,
        subject_url=subject_url,
        voice_id=remote.voice_id,
        talent_id=remote.voice.talent_id if remote.voice else None,
    )


def _make_count_step(subject: str, severity: str, status: str) -> NextStep:
    return NextStep(subject, "Deletions", severity, status, (), reverse("voices:deletion_list"), "See deletions")
