"""Planned deletions after the end of a consent or contract, and the list of what had ended before.

An upgrade deletes nothing: every voice whose consent or contract has ended by now waits for a person's decision. The
rule is repeated here, because the services change later.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.utils import timezone

ENDED = {
    "withdrawn": "The consent was withdrawn.",
    "declined": "The talent declined.",
    "expired": "The consent ended.",
}
ACTIVE_BUILDS = ("queued", "submitting", "unconfirmed", "training")


def mark_ended_voices(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Files that were sent for a voice count also if the voice is deleted or was never created."""
    remotes = apps.get_model("voices", "RemoteVoice").objects.filter(voice__isnull=False)
    remotes = remotes.exclude(deletion_requested_at__isnull=False, deleted_at=None)
    builds = apps.get_model("voices", "Build").objects.filter(
        models.Q(status__in=ACTIVE_BUILDS) | models.Q(pending_call="create"), remote_voice=models.OuterRef("pk")
    )
    files = apps.get_model("voices", "RemoteFile").objects.filter(deleted_at=None, remote_voice=models.OuterRef("pk"))
    may_exist = models.Q(deleted_at=None) & (~models.Q(remote_id="") | models.Exists(builds))
    rows = remotes.filter(may_exist | models.Exists(files)).select_related("account", "voice")
    for remote in list(rows.defer("raw_response")):
        if end := find_end(apps, remote):
            last_day, reason = end
            remotes.filter(pk=remote.pk).update(
                deletion_needs_confirmation=True, coverage_ended_on=last_day, coverage_end_reason=reason
            )


def find_end(apps: StateApps, remote: Any) -> tuple[date, str] | None:
    """The day on which the consent or the contract of this voice ended, and what ended. None if neither did."""
    consents = apps.get_model("consent", "Consent").objects.filter(
        talent=remote.voice.talent_id, provider=remote.account.provider, purpose=remote.voice.purpose
    )
    today = timezone.localdate()
    given = consents.filter(status__in=["approved", "suspended"])
    if not given.filter(models.Q(valid_until__isnull=True) | models.Q(valid_until__gte=today)).exists():
        return find_consent_end(apps, consents, today)
    if given.filter(status="suspended").exists():
        return None
    contracts = apps.get_model("consent", "Contract").objects.filter(talent=remote.voice.talent_id)
    allowing = [
        contract
        for contract in contracts.select_related("superseded_by")
        if remote.account.provider in contract.providers and remote.voice.purpose in contract.purposes
    ]
    return find_contract_end(allowing, today)


def find_consent_end(apps: StateApps, consents: Any, today: date) -> tuple[date, str] | None:
    over_by_date = models.Q(status__in=["approved", "suspended"], valid_until__lt=today)
    consent = consents.filter(over_by_date | models.Q(status__in=ENDED)).order_by("-created_at").first()
    if consent is None:
        return None
    events = apps.get_model("consent", "Event").objects.filter(consent=consent, kind=consent.status)
    event = events.order_by("sequence").last()
    last_day = consent.valid_until if consent.status not in ("withdrawn", "declined") else None
    if last_day is None:
        last_day = timezone.localdate(event.at) if event else today
    return last_day, ENDED.get(consent.status, ENDED["expired"])


def find_contract_end(contracts: Iterable[Any], today: date) -> tuple[date, str] | None:
    """The end of the contract that ended last, if it says that the voice is deleted then."""
    spans = [(get_last_day(contract), get_first_day(contract), contract.delete_at_end) for contract in contracts]
    if any(first_day <= today <= last_day for last_day, first_day, _is_deleted in spans):
        return None
    ended = [(last_day, is_deleted) for last_day, first_day, is_deleted in spans if first_day <= last_day < today]
    last_day, is_deleted = max(ended, default=(today, False))
    return (last_day, "The contract ended.") if is_deleted else None


def get_first_day(contract: Any) -> date:
    first_day: date = max(contract.starts_on, contract.signed_on)
    return first_day


def get_last_day(contract: Any) -> date:
    last_day: date = contract.ends_on or date.max
    replacement = getattr(contract, "superseded_by", None)
    return min(last_day, get_first_day(replacement) - timedelta(days=1)) if replacement else last_day


class Migration(migrations.Migration):
    dependencies = [
        ("voices", "0009_voice_countries"),
        ("consent", "0009_replaced_status"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="remotevoice",
            name="coverage_ended_on",
            field=models.DateField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="remotevoice",
            name="coverage_end_reason",
            field=models.CharField(blank=True, editable=False, max_length=300),
        ),
        migrations.AddField(
            model_name="remotevoice",
            name="deletion_planned_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="remotevoice",
            name="deletion_due_on",
            field=models.DateField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="remotevoice",
            name="deletion_needs_confirmation",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddField(
            model_name="remotevoice",
            name="kept_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="remotevoice",
            name="kept_by",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="remotevoice",
            name="kept_reason",
            field=models.CharField(blank=True, editable=False, max_length=300),
        ),
        migrations.RunPython(mark_ended_voices, migrations.RunPython.noop),
    ]
