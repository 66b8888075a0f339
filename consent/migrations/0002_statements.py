"""The statements that providers' pages give word for word."""

from datetime import date

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

RESEMBLE = {
    "provider": "resemble_v2",
    "language": "en-US",
    "version": 1,
    "text": "I am aware that recordings of my voice will be used by {company} to train and create a synthetic "
    "version of my voice by Resemble AI.",
    "source": "Resemble AI API documentation 2.0.0, “Create a voice”, section Voice Consent",
    "source_date": date(2026, 11, 20),
}


def add_statements(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("consent", "Statement").objects.get_or_create(
        provider=RESEMBLE["provider"], language=RESEMBLE["language"], version=1, defaults=RESEMBLE
    )


class Migration(migrations.Migration):
    dependencies = [("consent", "0001_initial")]

    operations = [migrations.RunPython(add_statements, migrations.RunPython.noop)]
