"""Who decided whether a recording is in builds, and the findings of each recording when its build started.

A recording that is out of builds was left out by a person: the version before had no other way. The migration judges no
recording. Each one is judged when it is next analyzed or compared.
"""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def keep_choices_of_people(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    recordings = apps.get_model("voices", "Recording").objects
    recordings.filter(status="accepted", active=False).update(active_by="person")


def put_back_what_checks_left_out(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    """In the version before, only a person left a recording out."""
    recordings = apps.get_model("voices", "Recording").objects
    recordings.filter(active_by="check").update(active=True, active_by="", exclusion_code="")


class Migration(migrations.Migration):
    dependencies = [("voices", "0010_scheduled_deletions")]

    operations = [
        migrations.AddField(
            model_name="recording",
            name="active_by",
            field=models.CharField(
                blank=True,
                choices=[("", "Not decided"), ("check", "A check"), ("person", "A person")],
                help_text="Empty if undecided.",
                max_length=10,
                verbose_name="in builds decided by",
            ),
        ),
        migrations.AddField(
            model_name="recording",
            name="exclusion_code",
            field=models.CharField(
                blank=True, help_text="The finding for which a check left it out of builds.", max_length=40
            ),
        ),
        migrations.AddField(
            model_name="buildrecording",
            name="finding_codes",
            field=models.JSONField(default=list, help_text="VoiceHub's own findings when the build started."),
        ),
        migrations.RunPython(keep_choices_of_people, put_back_what_checks_left_out),
        migrations.AddConstraint(
            model_name="recording",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("active", False), ("active_by", "check"), models.Q(("exclusion_code", ""), _negated=True)
                    ),
                    models.Q(models.Q(("active_by", "check"), _negated=True), ("exclusion_code", "")),
                    _connector="OR",
                ),
                name="recording_exclusion_has_code",
            ),
        ),
    ]
