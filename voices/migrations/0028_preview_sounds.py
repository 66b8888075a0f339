"""Previews get their length and waveform. A recurring task measures the existing ones, because it reads their files."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("voices", "0027_forget_speakers")]

    operations = [
        migrations.AddField("preview", "seconds", models.FloatField(blank=True, editable=False, null=True)),
        migrations.AddField("preview", "peaks", models.JSONField(default=list, editable=False)),
    ]
