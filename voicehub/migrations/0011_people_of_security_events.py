from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import F

MAX_NAME = 200
REVERSED = ("sessions_ended", "factor_removed")
BY = "By "


def name_user(user: models.Model) -> str:
    return f"{user.first_name} {user.last_name}".strip() or user.username  # type: ignore[attr-defined]  # a model of the migration


def correct_reversed_events(apps: StateApps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Earlier versions wrote the user concerned as the actor, and the name of the admin into the details."""
    events = apps.get_model("voicehub", "SecurityEvent").objects
    for event in events.filter(kind__in=REVERSED, detail__startswith=BY, person=None).iterator():
        event.person_id, event.person_name = event.actor_id, event.actor_name
        event.actor_id, event.actor_name, event.detail = None, event.detail.removeprefix(BY)[:MAX_NAME], ""
        if event.kind == "sessions_ended":
            event.subject = "1"
        event.save()


def add_names(apps: StateApps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """`person` is only there if someone else is the actor."""
    events = apps.get_model("voicehub", "SecurityEvent").objects
    events.filter(person=F("actor")).update(person=None)
    for event in events.filter(person__isnull=False, person_name="").select_related("person").iterator():
        event.person_name = name_user(event.person)[:MAX_NAME]
        event.save(update_fields=["person_name"])


class Migration(migrations.Migration):
    dependencies = [
        ("voicehub", "0010_person_of_security_events"),
    ]

    operations = [
        migrations.AddField(
            model_name="securityevent",
            name="person_name",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="user",
            name="access_version",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.RunPython(correct_reversed_events, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(add_names, migrations.RunPython.noop, elidable=True),
    ]
