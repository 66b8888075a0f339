"""A large table of transcripts has several rows, which name the first one. Until now, each table had one row."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("voices", "0025_set_times"),
    ]

    operations = [
        migrations.AddField(
            model_name="bulkchange",
            name="first_part",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="voices.bulkchange",
            ),
        ),
    ]
