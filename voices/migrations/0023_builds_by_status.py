"""An index for the number of builds that run, which every page shows."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("voices", "0022_bulk_changes")]

    operations = [
        migrations.AddIndex(model_name="build", index=models.Index(fields=["status"], name="build_by_status")),
    ]
