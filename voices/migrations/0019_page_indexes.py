"""Indexes for the pages of a voice: the orders and the filters of its table, its counts, its builds.

They change no row. On PostgreSQL, uploads wait while the indexes of the recordings are made: seconds for a million.
"""

from django.db import migrations, models
from django.db.models.functions import Cast
from django.db.models.lookups import Contains

MARKED = models.Q(is_silent=True) | models.Q(is_outlier=True) | ~models.Q(discard_reason="")
HAS_WARNING = models.Q(Contains(Cast(models.F("findings"), models.TextField()), '"look"'))
FILTERS = {
    "recording_refused": models.Q(status="refused"),
    "recording_excluded": models.Q(active=False),
    "recording_without_text": models.Q(transcript=""),
    "recording_to_review": HAS_WARNING | ~models.Q(set_findings=[]),
}
ORDERS = {
    "recording_by_name": ["voice", "file_name", "id"],
    "recording_by_time": ["voice", "-created_at", "id"],
    "recording_by_length": ["voice", "seconds", "id"],
    "recording_counts": ["voice", "status", "active", "analyzed_at", "checked_at", "seconds", "sample_rate"],
}


class Migration(migrations.Migration):
    dependencies = [("voices", "0018_seen_alerts")]

    operations = [
        migrations.RemoveIndex(model_name="recording", name="recording_by_name"),
        *(
            migrations.AddIndex(model_name="recording", index=models.Index(fields=fields, name=name))
            for name, fields in ORDERS.items()
        ),
        *(
            migrations.AddIndex(
                model_name="recording",
                index=models.Index(fields=["voice", "file_name", "id"], condition=condition, name=name),
            )
            for name, condition in FILTERS.items()
        ),
        migrations.AddIndex(
            model_name="buildrecording",
            index=models.Index(
                fields=["recording"], condition=MARKED & models.Q(has_report=True), name="build_recording_marked"
            ),
        ),
        migrations.AddIndex(
            model_name="buildrecording",
            index=models.Index(
                fields=["id"],
                condition=models.Q(has_report=True) & ~models.Q(finding_codes=[]),
                name="build_recording_predicts",
            ),
        ),
        migrations.AddIndex(
            model_name="build", index=models.Index(fields=["voice", "-created_at"], name="build_by_time")
        ),
    ]
