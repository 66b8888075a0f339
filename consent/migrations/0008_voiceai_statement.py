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


def restore_name(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    statements = apps.get_model("consent", "Statement").objects.filter(provider="voiceai", language="en-US")
    first = statements.filter(version=1).first()
    used = set(apps.get_model("consent", "Consent").objects.values_list("statement_id", flat=True))
    if first is None or any(row.pk in used for row in statements.filter(text__endswith=NEW)):
        return
    text = first.text.removesuffix(NEW).removesuffix(OLD) + OLD
    statements.filter(pk=first.pk).update(text=text, retired=False)
    statements.filter(version__gt=1, text=text.removesuffix(OLD) + NEW).delete()


class Migration(migrations.Migration):
    dependencies = [("consent", "0007_help_texts")]

    operations = [migrations.RunPython(correct_name, restore_name)]
