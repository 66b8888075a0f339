"""When a person last set the transcript of a recording, or whether it is in builds: unknown (NULL) until then.

Both columns are added without a rewrite of the table and without reading a row.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("voices", "0024_unused_marks")]

    operations = [
        migrations.AddField(
            model_name="recording",
            name="active_set_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="recording",
            name="transcript_set_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
