"""Previews get their length and waveform. A background task measures the existing ones, because it reads their files."""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

MEASURE_TASK = "measure_previews"


def enqueue_measurement(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    if apps.get_model("voices", "Preview").objects.filter(status="ready").exists():
        tasks = apps.get_model("voicehub", "Task").objects
        tasks.get_or_create(kind=MEASURE_TASK, object_id="all", status="waiting")


class Migration(migrations.Migration):
    dependencies = [("voices", "0027_forget_speakers"), ("voicehub", "0008_task_of_object")]

    operations = [
        migrations.AddField("preview", "seconds", models.FloatField(blank=True, editable=False, null=True)),
        migrations.AddField("preview", "peaks", models.JSONField(default=list, editable=False)),
        migrations.RunPython(enqueue_measurement, migrations.RunPython.noop),
    ]
