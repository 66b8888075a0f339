"""A status for a consent that a newer approval replaced, and more kinds of audit log entries.

The version before knows a replaced consent as expired: it is not in force there either.
"""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

STATUSES = [
    ("requested", "Requested"),
    ("submitted", "In review"),
    ("approved", "In force"),
    ("suspended", "Suspended"),
    ("declined", "Declined"),
    ("voided", "Canceled"),
    ("withdrawn", "Withdrawn"),
    ("expired", "Expired"),
    ("replaced", "Replaced"),
]
EVENT_KINDS = [
    ("requested", "Consent requested"),
    ("invited", "Invitation emailed"),
    ("link_copied", "Private link created by staff"),
    ("link_ended", "Private link revoked"),
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
]


def mark_expired(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("consent", "Consent").objects.filter(status="replaced").update(status="expired")


class Migration(migrations.Migration):
    dependencies = [("consent", "0008_voiceai_statement")]

    operations = [
        migrations.RemoveConstraint(model_name="consent", name="consent_status_known"),
        migrations.RunPython(migrations.RunPython.noop, mark_expired),
        migrations.AlterField(
            model_name="consent",
            name="status",
            field=models.CharField(choices=STATUSES, default="requested", max_length=12),
        ),
        migrations.AlterField(
            model_name="event",
            name="kind",
            field=models.CharField(choices=EVENT_KINDS, max_length=20),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", [status for status, _label in STATUSES])), name="consent_status_known"
            ),
        ),
    ]
