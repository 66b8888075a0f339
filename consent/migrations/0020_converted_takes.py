"""The WAV converted from a take in another format, and the result of the check of the stored files. No take has one."""

from django.db import migrations, models

import consent.models.take
import voicehub.storage


class Migration(migrations.Migration):
    dependencies = [("consent", "0019_notices")]

    operations = [
        migrations.AddField(
            model_name="take",
            name="wav",
            field=models.FileField(
                blank=True,
                max_length=200,
                storage=voicehub.storage.private,
                upload_to=consent.models.take.take_wav_path,
            ),
        ),
        migrations.AddField(
            model_name="take",
            name="wav_sha256",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="take",
            name="recipe",
            field=models.JSONField(default=dict),
        ),
        migrations.AlterField(
            model_name="take",
            name="acceptable",
            field=models.BooleanField(help_text="It, or the WAV converted from it, can be sent to the provider."),
        ),
        migrations.AddField(
            model_name="takecheck",
            name="file_problem",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="takecheck",
            name="file_checked_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
