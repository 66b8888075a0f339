"""The waveforms of clips move behind the columns that are counted: SQLite reads a row from its start.

A new column stands last, so each one is made again, filled from the old one, and takes its name.
"""

from typing import Any

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import F


def copy_to_the_end(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    clips: Any = apps.get_model("voices", "ImportClip").objects
    clips.update(last_peaks=F("peaks"), last_fine_peaks=F("fine_peaks"))


def copy_back(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    clips: Any = apps.get_model("voices", "ImportClip").objects
    clips.update(peaks=F("last_peaks"), fine_peaks=F("last_fine_peaks"))


class Migration(migrations.Migration):
    dependencies = [("voices", "0038_long_recordings")]

    operations = [
        migrations.AddField("importclip", "last_peaks", models.JSONField(default=list)),
        migrations.AddField("importclip", "last_fine_peaks", models.JSONField(default=list)),
        migrations.RunPython(copy_to_the_end, copy_back),
        migrations.RemoveField("importclip", "peaks"),
        migrations.RemoveField("importclip", "fine_peaks"),
        migrations.RenameField("importclip", "last_peaks", "peaks"),
        migrations.RenameField("importclip", "last_fine_peaks", "fine_peaks"),
    ]
