from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("voices", "0003_providers")]

    operations = [
        migrations.AddField(
            model_name="account",
            name="key_changed_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
