"""Statements for the providers whose pages give no wording of their own, or the same as that of another one."""

from datetime import date

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

READ = date(2026, 11, 21)
RESEMBLE = (
    "I am aware that recordings of my voice will be used by {company} to train and create a synthetic version of my "
    "voice by Resemble AI."
)
AWARE = "I am aware that recordings of my voice will be used by {company} to train and create a synthetic version of my voice by "
NO_WORDING = "VoiceHub, in the words that Resemble AI asks for, as the provider asks for "
STATEMENTS = [
    {
        "provider": "resemble_v1",
        "text": RESEMBLE,
        "source": "Resemble AI API documentation 2.0.0, “Create a voice”; the page of version 1 asks for proof by mail",
    },
    {
        "provider": "audiostack",
        "text": AWARE + "AudioStack. I agree to have my voice cloned by AudioStack.",
        "source": NO_WORDING + "a recording in which the speaker agrees to have their voice cloned by AudioStack",
    },
    {"provider": "speechgen", "text": AWARE + "Speechgen.", "source": NO_WORDING + "no statement"},
    {"provider": "voiceai", "text": AWARE + "Voice AI.", "source": NO_WORDING + "no statement"},
]


def add_statements(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    statement = apps.get_model("consent", "Statement")
    for one in STATEMENTS:
        statement.objects.get_or_create(
            provider=one["provider"], language="en-US", version=1, defaults={**one, "source_date": READ}
        )


class Migration(migrations.Migration):
    dependencies = [("consent", "0004_listening")]

    operations = [migrations.RunPython(add_statements, migrations.RunPython.noop)]
