"""Reminders of invitations, mails to talents about the review, and notices before a contract ends."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

NEW_KINDS = ["answered", "approved", "retake", "unanswered"]


def delete_new_mails(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    """The version before does not know these mails, and would refuse two of a kind. The audit log keeps their entries."""
    apps.get_model("consent", "TalentMail").objects.filter(kind__in=NEW_KINDS).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0020_converted_takes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ContractNotice",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("days", models.PositiveSmallIntegerField()),
                ("sent_to", models.EmailField(max_length=254)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-created_at"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="talentmail",
            name="talent_mail_once",
        ),
        migrations.AddField(
            model_name="invitation",
            name="reminded_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="invitation",
            name="reminded_by",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                help_text="Who asked for the last reminder. Empty if VoiceHub sent it by itself.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="reminder_count",
            field=models.PositiveSmallIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name="talent",
            name="agent_email",
            field=models.EmailField(
                blank=True,
                help_text="Their email address. They get a copy of reminders, without the private link.",
                max_length=254,
                verbose_name="agent's email",
            ),
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
                    ("deletion_requested", "Deletion at the provider requested"),
                    ("deleted", "Deletion at the provider confirmed"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="talentmail",
            name="kind",
            field=models.CharField(
                choices=[
                    ("received", "Recording received"),
                    ("declined", "Declined"),
                    ("withdrawn", "Withdrawn"),
                    ("deleted", "Everything is deleted"),
                    ("disputed", "Reported: this was not me"),
                    ("answered", "Answered"),
                    ("approved", "Approved"),
                    ("retake", "Retake requested"),
                    ("unanswered", "Not answered in time"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="talentmail",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind__in", ["received", "answered", "retake"]), _negated=True),
                fields=("consent", "kind", "recipient"),
                name="talent_mail_once",
            ),
        ),
        migrations.AddField(
            model_name="contractnotice",
            name="contract",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="notices", to="consent.contract"
            ),
        ),
        migrations.AddConstraint(
            model_name="contractnotice",
            constraint=models.UniqueConstraint(fields=("contract", "days"), name="contract_notice_once"),
        ),
        migrations.RunPython(migrations.RunPython.noop, delete_new_mails),
    ]
