"""The countries in which a voice is used. A voice without a choice is worldwide."""

from django.db import migrations, models

from voices.models.voice import get_default_countries


class Migration(migrations.Migration):
    dependencies = [("voices", "0008_remote_files")]

    operations = [
        migrations.AddField(
            model_name="voice",
            name="countries",
            field=models.JSONField(
                default=get_default_countries,
                help_text="Where the voice is used: ISO 3166-1 codes, or only “worldwide”.",
            ),
        ),
    ]
