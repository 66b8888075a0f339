from collections.abc import Callable

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

RECORDING = {"cutting": "splitting", "cut": "split"}
PREVIEW = {"waiting": "queued", "asking": "generating"}


def rename_statuses(model: str, names: dict[str, str]) -> Callable[[Apps, BaseDatabaseSchemaEditor], None]:
    def rename(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
        for old, new in names.items():
            apps.get_model("voices", model).objects.filter(status=old).update(status=new)

    return rename


def reverse(names: dict[str, str]) -> dict[str, str]:
    return {new: old for old, new in names.items()}


class Migration(migrations.Migration):
    dependencies = [("voices", "0004_key_changed"), ("consent", "0006_plain_names")]

    operations = [
        migrations.RenameField("account", "sealed_key", "encrypted_key"),
        migrations.RenameField("accountcall", "said", "response_text"),
        migrations.RenameField("build", "step", "pending_call"),
        migrations.RenameField("build", "mark", "previous_version"),
        migrations.RenameField("build", "kept", "resume_state"),
        migrations.RenameField("build", "looked_up", "lookup_attempts"),
        migrations.RenameField("build", "word_unknown", "has_unknown_status"),
        migrations.RenameField("build", "raw_answer", "raw_response"),
        migrations.RenameField("build", "settled_by", "resolved_by"),
        migrations.RenameField("build", "settled_why", "resolution_reason"),
        migrations.RenameField("build", "done", "progress_done"),
        migrations.RenameField("build", "total", "progress_total"),
        migrations.RenameField("build", "doing", "progress_message"),
        migrations.RenameField("buildrecording", "reported", "has_report"),
        migrations.RenameField("buildrecording", "discarded", "discard_reason"),
        migrations.RenameField("remotevoice", "raw_answer", "raw_response"),
        migrations.RenameField("remotevoice", "seen_at", "checked_at"),
        migrations.RenameField("remotevoice", "alarm", "alert"),
        migrations.RenameField("remotevoice", "delete_asked_at", "deletion_requested_at"),
        migrations.RenameField("remotevoice", "delete_asked_by", "deletion_requested_by"),
        migrations.RenameField("remotevoice", "delete_reason", "deletion_reason"),
        migrations.RenameField("remotevoice", "deletion", "deletion_proof"),
        migrations.RenameField("preview", "asked_by", "requested_by"),
        migrations.RenameField("recording", "examined_at", "analyzed_at"),
        migrations.RemoveConstraint("recording", "recording_status_known"),
        migrations.RemoveConstraint("preview", "preview_status_known"),
        migrations.RunPython(rename_statuses("Recording", RECORDING), rename_statuses("Recording", reverse(RECORDING))),
        migrations.RunPython(rename_statuses("Preview", PREVIEW), rename_statuses("Preview", reverse(PREVIEW))),
        migrations.AlterField(
            "recording",
            "status",
            models.CharField(
                choices=[
                    ("accepted", "Usable"),
                    ("refused", "Not usable"),
                    ("splitting", "Being split"),
                    ("split", "Split into clips"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            "preview",
            "status",
            models.CharField(
                choices=[
                    ("queued", "Queued"),
                    ("generating", "Being generated"),
                    ("ready", "Ready to listen"),
                    ("failed", "Failed"),
                ],
                default="queued",
                max_length=16,
            ),
        ),
        migrations.AddConstraint(
            "recording",
            models.CheckConstraint(
                condition=models.Q(("status__in", ["accepted", "refused", "splitting", "split"])),
                name="recording_status_known",
            ),
        ),
        migrations.AddConstraint(
            "preview",
            models.CheckConstraint(
                condition=models.Q(("status__in", ["queued", "generating", "ready", "failed"])),
                name="preview_status_known",
            ),
        ),
    ]
