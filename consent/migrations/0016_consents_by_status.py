"""An index for the number of consents to review, which every page shows."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("consent", "0015_contract_drafts")]

    operations = [
        migrations.AddIndex(model_name="consent", index=models.Index(fields=["status"], name="consent_by_status")),
    ]
