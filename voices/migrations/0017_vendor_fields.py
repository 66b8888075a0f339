"""What the vendors' pages name besides the calls: proof sent by mail, options of a build, emotions, and more scores.

Every new field has a value for existing rows. Reversing deletes the proofs that were recorded.
"""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import voicehub.storage
import voices.models.offline_proof


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0014_legal_hold"),
        ("voices", "0016_vendor_limits"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="OfflineProof",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "file",
                    models.FileField(
                        max_length=200,
                        storage=voicehub.storage.private,
                        upload_to=voices.models.offline_proof.proof_path,
                    ),
                ),
                ("file_name", models.CharField(max_length=200)),
                ("content_type", models.CharField(max_length=40)),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.PositiveBigIntegerField()),
                ("file_warnings", models.JSONField(default=list, help_text="Findings about risky content of a PDF.")),
                ("sent_on", models.DateField()),
                ("sent_to", models.CharField(help_text="The address or the person at the provider.", max_length=200)),
                ("sent_by", models.CharField(help_text="Who sent it.", max_length=150)),
                ("confirmed_on", models.DateField(blank=True, null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="offline_proofs", to="voices.account"
                    ),
                ),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="Who recorded it.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "consent",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="offline_proofs", to="consent.consent"
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("note", models.TextField(blank=True)),
                ("recorded_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["-recorded_at"],
            },
        ),
        migrations.AddField(
            model_name="account",
            name="is_authorized_uploader",
            field=models.BooleanField(
                default=False, editable=False, help_text="The provider asks for no proof of consent with its uploads."
            ),
        ),
        migrations.AddField(
            model_name="account",
            name="uploader_reason",
            field=models.CharField(blank=True, editable=False, max_length=300),
        ),
        migrations.AddField(
            model_name="account",
            name="uploader_set_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="account",
            name="uploader_set_by",
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
            model_name="account",
            name="uploader_source",
            field=models.CharField(blank=True, editable=False, help_text="Who confirmed it.", max_length=300),
        ),
        migrations.AddField(
            model_name="build",
            name="options",
            field=models.JSONField(
                default=dict, help_text="The options of the provider, as they were when the build started."
            ),
        ),
        migrations.AddField(
            model_name="buildrecording",
            name="emotion",
            field=models.CharField(blank=True, help_text="Empty: the default of the provider.", max_length=64),
        ),
        migrations.AddField(
            model_name="buildrecording",
            name="loudness_grade",
            field=models.CharField(blank=True, max_length=20),
        ),
        migrations.AddField(
            model_name="buildrecording",
            name="signal_to_noise_ratio",
            field=models.FloatField(blank=True, help_text="In decibels.", null=True),
        ),
        migrations.AddField(
            model_name="recording",
            name="emotion",
            field=models.CharField(blank=True, help_text="Empty: that of the voice.", max_length=64),
        ),
        migrations.AddField(
            model_name="voice",
            name="emotion",
            field=models.CharField(
                blank=True,
                help_text="Of its recordings, unless a recording has its own. Empty: the default.",
                max_length=64,
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_authorized_uploader", False),
                    models.Q(models.Q(("uploader_source", ""), _negated=True), ("uploader_set_by__isnull", False)),
                    _connector="OR",
                ),
                name="account_uploader_has_source",
            ),
        ),
        migrations.AddConstraint(
            model_name="offlineproof",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("confirmed_on__isnull", True), ("confirmed_on__gte", models.F("sent_on")), _connector="OR"
                ),
                name="offline_proof_confirmed_after_sent",
            ),
        ),
    ]
