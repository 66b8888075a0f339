"""The words of two statuses, as all pages say them. Nothing in the database changes."""

from django.db import migrations, models

STATUSES = [
    ("requested", "Waiting for talent"),
    ("submitted", "To review"),
    ("approved", "In force"),
    ("suspended", "Suspended"),
    ("declined", "Declined"),
    ("voided", "Canceled"),
    ("withdrawn", "Withdrawn"),
    ("expired", "Expired"),
    ("replaced", "Replaced"),
]


class Migration(migrations.Migration):
    dependencies = [("consent", "0016_consents_by_status")]

    operations = [
        migrations.AlterField(
            model_name="consent",
            name="status",
            field=models.CharField(choices=STATUSES, default="requested", max_length=12),
        ),
    ]
