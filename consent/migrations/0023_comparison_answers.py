"""Whether talents allow that their voice is compared, and by what a take is found again that is sent a second time.

Until now takes were compared without asking. Those results are deleted.
"""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def delete_results(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("consent", "TakeCheck").objects.exclude(speaker={}).update(speaker={})


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0022_one_sitting"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ComparisonAnswer",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.PositiveIntegerField()),
                ("is_allowed", models.BooleanField()),
                ("version", models.PositiveSmallIntegerField()),
                ("content", models.JSONField(default=dict)),
                ("sha256", models.CharField(max_length=64)),
                ("reason", models.TextField(blank=True, help_text="How staff got the answer.")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "invitation",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="consent.invitation",
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        blank=True,
                        help_text=(
                            "Staff who recorded it, or who were signed in where the link was opened; empty if the "
                            "talent did it."
                        ),
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "talent",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="comparison_answers",
                        to="consent.talent",
                    ),
                ),
            ],
            options={"ordering": ["talent", "-number"]},
        ),
        migrations.CreateModel(
            name="TakeSound",
            fields=[
                (
                    "take",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="sound_index",
                        serialize=False,
                        to="consent.take",
                    ),
                ),
                (
                    "fingerprint",
                    models.TextField(blank=True, help_text="Empty for a sound that is too short or too quiet for one."),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="TakeSoundKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("value", models.PositiveIntegerField()),
                ("position", models.PositiveSmallIntegerField()),
                (
                    "sound",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="keys",
                        to="consent.takesound",
                    ),
                ),
            ],
        ),
        migrations.AlterField(
            model_name="event",
            name="kind",
            field=models.CharField(
                choices=[
                    ("requested", "Consent requested"),
                    ("invited", "Invitation emailed"),
                    ("link_copied", "Private link created by staff"),
                    ("link_ended", "Private link revoked"),
                    ("reminded", "Reminder emailed"),
                    ("opened", "Talent opened the recording page"),
                    ("notice_read", "Notice read in the studio"),
                    ("take", "Statement recorded"),
                    ("asked_again", "Retake requested"),
                    ("approved", "Approved"),
                    ("declined", "Declined by the talent"),
                    ("voided", "Canceled"),
                    ("suspended", "Suspended"),
                    ("resumed", "Resumed"),
                    ("withdrawn", "Withdrawn"),
                    ("expired", "Expired"),
                    ("used", "Sent to the provider for a build"),
                    ("replaced", "Replaced by a newer approval"),
                    ("language_allowed", "Another language allowed"),
                    ("mailed", "Mail sent to the talent"),
                    ("disputed", "Reported by the talent as not their own act"),
                    ("dispute_closed", "Report of the talent answered"),
                    ("hold_set", "Legal hold set"),
                    ("hold_released", "Legal hold released"),
                    ("deletion_requested", "Deletion at the provider requested"),
                    ("deleted", "Deletion at the provider confirmed"),
                    ("comparison_allowed", "Voice comparison allowed"),
                    ("comparison_refused", "Voice comparison not allowed"),
                    ("comparison_ended", "Voice comparison no longer allowed"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddIndex(
            model_name="take",
            index=models.Index(fields=["sha256"], name="take_by_hash"),
        ),
        migrations.AddIndex(
            model_name="take",
            index=models.Index(
                condition=models.Q(("wav_sha256", ""), _negated=True), fields=["wav_sha256"], name="take_by_wav_hash"
            ),
        ),
        migrations.AddConstraint(
            model_name="comparisonanswer",
            constraint=models.UniqueConstraint(fields=("talent", "number"), name="comparison_answer_once"),
        ),
        migrations.AddIndex(
            model_name="takesoundkey",
            index=models.Index(fields=["value", "position", "sound"], name="take_sound_by_value"),
        ),
        migrations.AddConstraint(
            model_name="takesoundkey",
            constraint=models.UniqueConstraint(fields=("sound", "position"), name="take_sound_position_once"),
        ),
        migrations.RunPython(delete_results, migrations.RunPython.noop),
    ]
