"""A status of its own for a build whose consent was withdrawn. The version before knows it as failed."""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

OLD_STATUSES = [
    ("queued", "Queued"),
    ("submitting", "Submitting"),
    ("unconfirmed", "Unconfirmed"),
    ("training", "Training"),
    ("ready", "Ready"),
    ("dataset_issue", "Needs work"),
    ("consent_rejected", "Consent rejected"),
    ("failed", "Failed"),
    ("cancelled", "Canceled"),
]
STATUSES = [*OLD_STATUSES, ("withdrawn", "Withdrawn")]


def mark_failed(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("voices", "Build").objects.filter(status="withdrawn").update(status="failed")


class Migration(migrations.Migration):
    dependencies = [("voices", "0006_help_texts")]

    operations = [
        migrations.RemoveConstraint(model_name="build", name="build_status_known"),
        migrations.RunPython(migrations.RunPython.noop, mark_failed),
        migrations.AlterField(
            model_name="build",
            name="status",
            field=models.CharField(choices=STATUSES, default="queued", max_length=16),
        ),
        migrations.AddConstraint(
            model_name="build",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", [status for status, _label in STATUSES])), name="build_status_known"
            ),
        ),
    ]
