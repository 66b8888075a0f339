"""Short names of talents, permissions for what is confidential, and who opened which file."""

import re
from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

BATCH_SIZE = 500


def make_short_name(name: str) -> str:
    """As `consent.names` made it in this version."""
    last, _comma, first = re.sub(r"\(.*?\)|\[.*?\]", " ", name).partition(",")
    words = [word for word in f"{first} {last}".split() if len(word) < 3 or word[-1] != "."] or name.split()
    if not words:
        return "Talent"
    if len(words) == 1:
        return f"{words[0][0].upper()}."
    return f"{words[0][:57]} {words[-1][0].upper()}."


def fill_short_names(apps: Any, _schema_editor: Any) -> None:
    talents = apps.get_model("consent", "Talent").objects
    batch = []
    for talent in talents.filter(short_name="").only("name").order_by("pk").iterator(BATCH_SIZE):
        talent.short_name = make_short_name(talent.name)
        batch.append(talent)
        if len(batch) == BATCH_SIZE:
            talents.bulk_update(batch, ["short_name"])
            batch = []
    talents.bulk_update(batch, ["short_name"])


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0026_talent_desk"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="contract",
            options={
                "ordering": ["-starts_on", "-filed_at"],
                "permissions": [("read_contract", "Can open contracts, with their fees and files")],
            },
        ),
        migrations.AlterModelOptions(
            name="take",
            options={
                "ordering": ["-created_at"],
                "permissions": [("hear_take", "Can play and download recordings of consents")],
            },
        ),
        migrations.AlterModelOptions(
            name="talent",
            options={
                "ordering": ["name"],
                "permissions": [
                    ("view_names", "Can see the real names of talents"),
                    ("view_contacts", "Can see email addresses, phone numbers and notes of talents"),
                ],
            },
        ),
        migrations.AddField(
            model_name="talent",
            name="short_name",
            field=models.CharField(
                blank=True,
                help_text="What users see who may not see real names. Empty: the first name and the first letter of the last.",
                max_length=60,
            ),
        ),
        migrations.RunPython(fill_short_names, migrations.RunPython.noop),
        migrations.CreateModel(
            name="FileAccess",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reader", models.CharField(editable=False, max_length=60)),
                ("reader_name", models.CharField(max_length=200, verbose_name="by")),
                ("kind", models.CharField(max_length=20)),
                ("object_id", models.UUIDField()),
                ("label", models.CharField(max_length=200, verbose_name="file")),
                ("hour", models.DateTimeField(help_text="The hour in which it began.")),
                ("last_at", models.DateTimeField(verbose_name="last time")),
                ("count", models.PositiveIntegerField(default=1, verbose_name="requests")),
                (
                    "talent",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="file_accesses",
                        to="consent.talent",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "access to a file",
                "verbose_name_plural": "access to files",
                "ordering": ["-hour", "-pk"],
                "indexes": [models.Index(fields=["talent", "-hour"], name="file_access_of_talent")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("reader", "kind", "object_id", "hour"), name="file_access_once_an_hour"
                    )
                ],
            },
        ),
    ]
