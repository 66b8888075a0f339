"""What providers report about accounts, trainings and voices: usage, an expected end, uses of a voice, its abilities."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("voices", "0015_work_samples")]

    operations = [
        migrations.AddField(
            model_name="account",
            name="usage",
            field=models.JSONField(default=dict, editable=False),
        ),
        migrations.AddField(
            model_name="account",
            name="usage_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="usage as of"),
        ),
        migrations.AddField(
            model_name="build",
            name="expected_at",
            field=models.DateTimeField(blank=True, help_text="When the provider expects the end.", null=True),
        ),
        migrations.AddField(
            model_name="remotevoice",
            name="usage_count",
            field=models.PositiveIntegerField(blank=True, help_text="How often the provider used it.", null=True),
        ),
        migrations.AddField(
            model_name="remotevoice",
            name="is_locked",
            field=models.BooleanField(default=False, help_text="The provider does not let the voice be used."),
        ),
        migrations.AddField(
            model_name="remotevoice",
            name="components",
            field=models.JSONField(default=dict, help_text="The provider's status of each ability of the voice."),
        ),
    ]
