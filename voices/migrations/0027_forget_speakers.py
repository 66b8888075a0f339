"""Until now recordings were compared by voiceprints without asking the talent. Those results are deleted.

Each voice is compared again without them, which also removes the findings that named another speaker.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

COMPARE_TASK = "compare_recordings"


def forget_speakers(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    judged = apps.get_model("voices", "Recording").objects.exclude(speaker_result={})
    tasks = apps.get_model("voicehub", "Task").objects
    for voice in list(judged.order_by().values_list("voice_id", flat=True).distinct()):
        tasks.get_or_create(kind=COMPARE_TASK, object_id=str(voice), status="waiting")
    judged.update(speaker_result={})


class Migration(migrations.Migration):
    dependencies = [("voices", "0026_table_parts"), ("voicehub", "0008_task_of_object")]

    operations = [migrations.RunPython(forget_speakers, migrations.RunPython.noop)]
