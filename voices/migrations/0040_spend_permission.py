"""The permission for spend. Reasons that were stored with the name of a talent get the short name."""

from typing import Any

from django.db import migrations


def shorten_names(apps: Any, _schema_editor: Any) -> None:
    for model, field in (("Build", "issue"), ("RemoteVoice", "coverage_end_reason")):
        rows = apps.get_model("voices", model).objects.exclude(**{field: ""}).exclude(voice=None)
        for row in rows.select_related("voice__talent").only(field, "voice__talent__name", "voice__talent__short_name"):
            talent, text = row.voice.talent, getattr(row, field)
            if talent.name in text:
                shortened = text.replace(talent.name, talent.short_name)
                type(row).objects.filter(pk=row.pk).update(**{field: shortened})


class Migration(migrations.Migration):
    dependencies = [
        ("voices", "0039_waveforms_last"),
        ("consent", "0027_short_names"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="account",
            options={
                "ordering": ["provider", "name"],
                "permissions": [
                    ("test_account", "Can test an account"),
                    ("view_spend", "Can see usage and costs of providers"),
                ],
            },
        ),
        migrations.RunPython(shorten_names, migrations.RunPython.noop),
    ]
