"""Write the name of Voice.ai in its statement as the provider does. A statement that a consent used stays as it is."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

OLD, NEW = "Voice AI.", "Voice.ai."


def correct_name(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    statements = apps.get_model("consent", "Statement").objects
    first = statements.filter(provider="voiceai", language="en-US", version=1, text__endswith=OLD).first()
    if first is None:
        return
    text = first.text.removesuffix(OLD) + NEW
    if not apps.get_model("consent", "Consent").objects.filter(statement=first).exists():
        statements.filter(pk=first.pk).update(text=text)
    elif not first.retired:
        version = 1 + max(statements.filter(provider="voiceai", language="en-US").values_list("version", flat=True))
        statements.create(
            provider="voiceai",
            language="en-US",
            version=version,
            text=text,
            source=first.source,
            source_date=first.source_date,
        )
        statements.filter(pk=first.pk).update(retired=True)


class Migration(migrations.Migration):
    dependencies = [("consent", "0007_help_texts")]

    operations = [migrations.RunPython(correct_name, migrations.RunPython.noop)]
