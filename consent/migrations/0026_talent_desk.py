"""Questions of talents, changes of their details, one-time codes, and takes that say whether a code was entered."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

NEW_KINDS = ["question", "answer"]


def delete_new_mails(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    """The version before does not know these mails, and would refuse two of a kind. The audit log keeps their entries."""
    apps.get_model("consent", "TalentMail").objects.filter(kind__in=NEW_KINDS).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0024_talent_languages"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AccessCode",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("digest", models.CharField(editable=False, max_length=64)),
                ("sent_to", models.EmailField(max_length=254)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "invitation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="codes", to="consent.invitation"
                    ),
                ),
            ],
            options={"ordering": ["-created_at"]},
        ),
        migrations.CreateModel(
            name="Question",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("text", models.TextField()),
                ("asked_at", models.DateTimeField(auto_now_add=True)),
                ("answer", models.TextField(blank=True)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                (
                    "answered_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "consent",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="questions", to="consent.consent"
                    ),
                ),
                (
                    "invitation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="questions", to="consent.invitation"
                    ),
                ),
            ],
            options={"ordering": ["-asked_at"]},
        ),
        migrations.CreateModel(
            name="TalentChange",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("is_name_changed", models.BooleanField(default=False, verbose_name="name changed")),
                ("is_email_changed", models.BooleanField(default=False, verbose_name="email address changed")),
                ("sent_to", models.EmailField(blank=True, max_length=254)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                (
                    "changed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "talent",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="changes", to="consent.talent"
                    ),
                ),
            ],
            options={"ordering": ["-created_at"]},
        ),
        migrations.RemoveConstraint(model_name="talentmail", name="talent_mail_once"),
        migrations.AddField(
            model_name="take",
            name="address_check",
            field=models.CharField(
                blank=True,
                choices=[
                    ("code", "Confirmed by a one-time code"),
                    ("no_address", "Without a one-time code, because the talent has no email address"),
                ],
                max_length=10,
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
                    ("ticked", "Purpose ticked by the talent"),
                    ("not_ticked", "Purpose left without a tick by the talent"),
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
                    ("extended", "Last day of the private link changed"),
                    ("talent_changed", "Details of the talent changed"),
                    ("question_asked", "Question asked by the talent"),
                    ("question_answered", "Question of the talent answered"),
                    ("disputed", "Reported by the talent as not their own act"),
                    ("dispute_closed", "Report of the talent answered"),
                    ("hold_set", "Legal hold set"),
                    ("hold_released", "Legal hold released"),
                    ("language_chosen", "Language of pages and mails changed"),
                    ("deletion_requested", "Deletion at the provider requested"),
                    ("deleted", "Deletion at the provider confirmed"),
                    ("comparison_allowed", "Voice comparison allowed"),
                    ("comparison_refused", "Voice comparison not allowed"),
                    ("comparison_ended", "Voice comparison no longer allowed"),
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
                    ("question", "Question of the talent"),
                    ("answer", "Answer to a question"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="talentmail",
            name="question",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="mails",
                to="consent.question",
            ),
        ),
        migrations.RunPython(migrations.RunPython.noop, delete_new_mails),
        migrations.AddConstraint(
            model_name="talentmail",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("kind__in", ["received", "answered", "retake", "question", "answer"]), _negated=True
                ),
                fields=("consent", "kind", "recipient"),
                name="talent_mail_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="question",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("answer", ""), ("answered_at__isnull", True), ("answered_by__isnull", True)),
                    models.Q(
                        ("answered_at__isnull", False),
                        ("answered_by__isnull", False),
                        models.Q(("answer", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="question_answer_is_complete",
            ),
        ),
    ]
