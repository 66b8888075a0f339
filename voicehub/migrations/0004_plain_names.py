from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def rename_status(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("voicehub", "Task").objects.filter(status="given_up").update(status="failed")


def restore_status(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("voicehub", "Task").objects.filter(status="failed").update(status="given_up")


class Migration(migrations.Migration):
    dependencies = [("voicehub", "0003_listening")]

    operations = [
        migrations.RenameModel("SignInTries", "SignInAttempts"),
        migrations.RenameField("task", "rung_at", "notified_at"),
        migrations.RemoveConstraint("task", "task_status_known"),
        migrations.RunPython(rename_status, restore_status),
        migrations.AlterField(
            "task",
            "status",
            models.CharField(
                choices=[("waiting", "Waiting"), ("done", "Done"), ("failed", "Failed")],
                default="waiting",
                max_length=12,
            ),
        ),
        migrations.AddConstraint(
            "task",
            models.CheckConstraint(
                condition=models.Q(("status__in", ["waiting", "done", "failed"])), name="task_status_known"
            ),
        ),
    ]
