"""Mails to talents and producers about a consent, with the talent's report "this was not me" and its answer.

Reversing drops the rows and their tasks, as the version before sends no such mails. The audit log keeps its entries.
"""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def delete_tasks(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("voicehub", "Task").objects.filter(kind="send_talent_mail").delete()


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("voicehub", "0005_help_texts"),
        ("consent", "0011_one_approval"),
    ]

    operations = [
        migrations.CreateModel(
            name="TalentMail",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("received", "Recording received"),
                            ("declined", "Declined"),
                            ("withdrawn", "Withdrawn"),
                            ("deleted", "Everything is deleted"),
                            ("disputed", "Reported: this was not me"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "recipient",
                    models.CharField(choices=[("talent", "Talent"), ("producer", "Producer")], max_length=8),
                ),
                ("sent_to", models.EmailField(max_length=254)),
                ("token_digest", models.CharField(blank=True, editable=False, max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("disputed_at", models.DateTimeField(blank=True, null=True)),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
                ("resolution", models.TextField(blank=True)),
                (
                    "consent",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="mails", to="consent.consent"
                    ),
                ),
                (
                    "resolved_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "received"), _negated=True),
                        fields=("consent", "kind", "recipient"),
                        name="talent_mail_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("token_digest", ""), _negated=True),
                        fields=("token_digest",),
                        name="talent_mail_token_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("resolution", ""), ("resolved_at__isnull", True), ("resolved_by__isnull", True)),
                            models.Q(
                                ("disputed_at__isnull", False),
                                ("resolved_at__isnull", False),
                                ("resolved_by__isnull", False),
                                models.Q(("resolution", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="talent_mail_resolution_is_complete",
                    ),
                ],
            },
        ),
        migrations.RunPython(migrations.RunPython.noop, delete_tasks),
    ]
