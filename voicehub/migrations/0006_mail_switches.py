"""A switch for each kind of mail to staff about their own work. All are on, as new users expect."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("voicehub", "0005_help_texts"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="mails_account_paused",
            field=models.BooleanField(default=True, verbose_name="An account is paused"),
        ),
        migrations.AddField(
            model_name="user",
            name="mails_build_needs_work",
            field=models.BooleanField(default=True, verbose_name="A build needs work"),
        ),
        migrations.AddField(
            model_name="user",
            name="mails_build_ready",
            field=models.BooleanField(default=True, verbose_name="A voice is ready"),
        ),
        migrations.AddField(
            model_name="user",
            name="mails_voice_public",
            field=models.BooleanField(default=True, verbose_name="A voice is public"),
        ),
    ]
