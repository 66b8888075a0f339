"""An index that finds the tasks of one voice, recording or build. It changes no row."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("voicehub", "0007_seen_tasks")]

    operations = [
        migrations.AddIndex(model_name="task", index=models.Index(fields=["object_id", "kind"], name="task_of_object")),
    ]
