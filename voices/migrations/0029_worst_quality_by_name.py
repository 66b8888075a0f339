"""Recordings of one quality, and those without one, come by their names."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("voices", "0028_preview_sounds"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="recording",
            name="recording_by_worst_quality",
        ),
        migrations.AddIndex(
            model_name="recording",
            index=models.Index(
                models.F("voice"),
                models.Func(models.F("quality"), template="COALESCE(%(expressions)s, 1000)"),
                models.F("file_name"),
                models.F("id"),
                name="recording_by_worst_quality",
            ),
        ),
    ]
