"""The language of a talent's pages and mails, and the languages that an admin has released for them."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

LANGUAGES = [
    ("en", "English"),
    ("de", "German"),
    ("fr", "French"),
    ("es", "Spanish"),
    ("pt-br", "Portuguese (Brazil)"),
    ("ja", "Japanese"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0023_comparison_answers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="talent",
            name="language",
            field=models.CharField(
                choices=LANGUAGES,
                default="en",
                help_text="The talent can change it on the private page.",
                max_length=8,
                verbose_name="language of pages and mails",
            ),
        ),
        migrations.CreateModel(
            name="LanguageRelease",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("language", models.CharField(choices=LANGUAGES[1:], max_length=8)),
                (
                    "catalog_sha256",
                    models.CharField(editable=False, max_length=64, verbose_name="fingerprint of the translations"),
                ),
                ("released_at", models.DateTimeField(auto_now_add=True)),
                ("ended_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "ended_by",
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
                    "released_by",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-released_at"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=("language",),
                        name="language_released_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", True), ("ended_by__isnull", True)),
                            models.Q(("ended_at__isnull", False), ("ended_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="language_release_end_is_complete",
                    ),
                ],
            },
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
                    ("language_chosen", "Language of pages and mails changed"),
                    ("deletion_requested", "Deletion at the provider requested"),
                    ("deleted", "Deletion at the provider confirmed"),
                ],
                max_length=20,
            ),
        ),
    ]
