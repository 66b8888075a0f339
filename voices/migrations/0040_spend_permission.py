"""The permission for spend. Reasons that were stored with the name of a talent get the short name."""

from typing import Any

from django.db import migrations

# Model, its field with a reason, and the way to the talent.
REASONS = (
    ("Build", "issue", "voice__talent"),
    ("Preview", "issue", "remote_voice__voice__talent"),
    ("RemoteVoice", "coverage_end_reason", "voice__talent"),
)


def shorten_names(apps: Any, _schema_editor: Any) -> None:
    earlier_names: dict[Any, set[str]] = {}
    consents = apps.get_model("consent", "Consent").objects.exclude(talent_name="")
    for talent_id, name in consents.values_list("talent_id", "talent_name").distinct():
        earlier_names.setdefault(talent_id, set()).add(name)
    for model, field, path in REASONS:
        rows = apps.get_model("voices", model).objects.exclude(**{field: ""}).exclude(**{path: None})
        columns = [f"{path}__{name}" for name in ("id", "name", "short_name")]
        for pk, text, talent_id, name, short_name in rows.values_list("pk", field, *columns):
            shortened = text
            for known in sorted({name, *earlier_names.get(talent_id, ())}, key=len, reverse=True):
                shortened = shortened.replace(known, short_name)
            if shortened != text:
                rows.filter(pk=pk).update(**{field: shortened})


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
