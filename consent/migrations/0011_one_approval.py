"""A newer approval replaces the older one, and contracts can be suspended.

There is one consent in force or suspended per talent, provider and purpose.
Of several in one database, the one approved last stays. Each older one gets the status Replaced, and an entry in its
audit log. Reversed, it gets its status back and loses that entry, unless a later entry already refers to it. The
version before knows no suspended contract: reversed, each contract is in force by its dates.
"""

import hashlib
import json
from itertools import groupby
from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.utils import timezone

APPROVED_STATUSES = ["approved", "suspended"]
ACTOR_NAME = "VoiceHub"


def replace_older_approvals(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    approved = apps.get_model("consent", "Consent").objects.filter(status__in=APPROVED_STATUSES)
    rows = approved.order_by("talent_id", "provider", "purpose", "-approved_at", "-created_at", "-pk")
    for _subject, group in groupby(rows, key=lambda row: (row.talent_id, row.provider, row.purpose)):
        newest, *older = group
        for consent in older:
            status, consent.status, consent.replaced_by = consent.status, "replaced", newest
            consent.save(update_fields=["status", "replaced_by"])
            _record_event(apps, consent, {"newer": str(newest.pk), "status": status})
    editor.connection.check_constraints()  # PostgreSQL changes no table while checks of foreign keys are pending


def _record_event(apps: StateApps, consent: Any, payload: dict[str, str]) -> None:
    last = consent.events.order_by("-sequence").first()
    event = apps.get_model("consent", "Event")(
        consent=consent,
        sequence=last.sequence + 1 if last else 1,
        actor=None,
        actor_name=ACTOR_NAME,
        at=timezone.now(),
        kind="replaced",
        payload=payload,
        previous_hash=last.hash if last else "",
    )
    event.hash = _hash_event(event)
    event.save(force_insert=True)


def _hash_event(event: Any) -> str:
    content = {
        "consent": str(event.consent_id),
        "sequence": event.sequence,
        "actor": event.actor_id,
        "actor_name": event.actor_name,
        "at": event.at.isoformat(),
        "kind": event.kind,
        "payload": event.payload,
        "previous": event.previous_hash,
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def restore_older_approvals(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    consents = apps.get_model("consent", "Consent").objects.filter(status="replaced")
    for consent in consents:
        last = consent.events.order_by("-sequence").first()
        if last is None or (last.kind, last.actor_id, last.actor_name) != ("replaced", None, ACTOR_NAME):
            continue
        consent.status, consent.replaced_by = last.payload["status"], None
        consent.save(update_fields=["status", "replaced_by"])
        last.delete()
    editor.connection.check_constraints()


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0010_evidence_checks"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ContractSuspension",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("suspended_at", models.DateTimeField(auto_now_add=True)),
                ("reason", models.TextField()),
                ("resumed_at", models.DateTimeField(blank=True, null=True)),
                ("resume_reason", models.TextField(blank=True)),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="suspensions",
                        to="consent.contract",
                    ),
                ),
                (
                    "resumed_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "suspended_by",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["suspended_at"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("resumed_at__isnull", True)),
                        fields=("contract",),
                        name="contract_suspended_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("resumed_at__isnull", True), ("resumed_by__isnull", True))
                        | models.Q(("resumed_at__isnull", False), ("resumed_by__isnull", False)),
                        name="contract_resumed_is_complete",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="consent",
            name="replaced_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="replaced_consents",
                to="consent.consent",
            ),
        ),
        migrations.RunPython(replace_older_approvals, restore_older_approvals),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", APPROVED_STATUSES)),
                fields=("talent", "provider", "purpose"),
                name="consent_one_approved",
            ),
        ),
    ]
