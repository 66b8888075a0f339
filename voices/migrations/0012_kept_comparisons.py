"""What the comparison of recordings keeps of each, so that it need not read the audio again.

Recordings of the version before have neither features nor a speaker result: the next comparison of their voice adds
both. Until now a row changed on its page when it was analyzed.
"""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def copy_analysis_time(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    recordings = apps.get_model("voices", "Recording").objects.filter(analyzed_at__isnull=False)
    recordings.update(checked_at=models.F("analyzed_at"))


class Migration(migrations.Migration):
    dependencies = [("voices", "0011_inclusion")]

    operations = [
        migrations.AddField(
            model_name="recording",
            name="sound_features",
            field=models.JSONField(default=dict, editable=False),
        ),
        migrations.AddField(
            model_name="recording",
            name="speaker_result",
            field=models.JSONField(default=dict, editable=False),
        ),
        migrations.AddField(
            model_name="recording",
            name="checked_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.RunPython(copy_analysis_time, migrations.RunPython.noop),
    ]
