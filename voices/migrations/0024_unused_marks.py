"""The indexes of marked recordings hold those that the provider calls inactive, too: it did not use them."""

from django.db import migrations, models

MARKED = (
    models.Q(is_silent=True) | models.Q(is_outlier=True) | (~models.Q(discard_reason="") | models.Q(is_active=False))
)
INDEXES = {"build_recording_marked": "recording", "build_recording_build_marked": "build"}


class Migration(migrations.Migration):
    dependencies = [("voices", "0023_builds_by_status")]

    operations = [
        *(migrations.RemoveIndex(model_name="buildrecording", name=name) for name in INDEXES),
        *(
            migrations.AddIndex(
                model_name="buildrecording",
                index=models.Index(condition=MARKED & models.Q(has_report=True), fields=[field], name=name),
            )
            for name, field in INDEXES.items()
        ),
    ]
