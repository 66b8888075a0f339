"""The terms of a contract that the gate reads, the talent's name in a consent, and exceptions for languages.

What was written as free text stays unconfirmed, except "Worldwide" alone. A person confirms the rest once per contract.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

PURPOSES = [
    ("narration", "Narration and audiobooks"),
    ("advertising", "Advertising"),
    ("assistant", "Assistants and phone lines"),
    ("entertainment", "Games, film and animation"),
    ("internal", "Internal use and training courses"),
]


def read_countries(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    contracts = apps.get_model("consent", "Contract").objects
    for contract in contracts.filter(territory__icontains="worldwide"):
        if contract.territory.strip().lower() == "worldwide":
            contracts.filter(pk=contract.pk).update(countries=["worldwide"])


def read_talent_names(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Keep the talent's present name if the statement with this name is the text that was shown.

    A statement without a name fits every name. In any other case, the talent was renamed since, and the name stays
    empty: the gate then asks for a new consent.
    """
    consents = apps.get_model("consent", "Consent").objects
    for consent in consents.select_related("talent", "statement"):
        name, template = consent.talent.name, consent.statement.text
        text = template.replace("{company}", consent.company).replace("{talent}", name)
        if text == consent.text or "{talent}" not in template:
            consents.filter(pk=consent.pk).update(talent_name=name)


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0012_talent_mails"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="contract",
            name="company",
            field=models.CharField(
                blank=True,
                default="",
                help_text="The studio's legal name in the contract. Empty: not confirmed.",
                max_length=120,
                verbose_name="party",
            ),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="contract",
            name="territory",
            field=models.CharField(default="Worldwide", help_text="In the words of the contract.", max_length=200),
        ),
        migrations.AddField(
            model_name="contract",
            name="countries",
            field=models.JSONField(
                blank=True, default=list, help_text="ISO 3166-1 codes, or only “worldwide”. Empty: not confirmed."
            ),
        ),
        migrations.AddField(
            model_name="contract",
            name="terms_confirmed_by",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="contract",
            name="terms_confirmed_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="consent",
            name="talent_name",
            field=models.CharField(
                blank=True,
                default="",
                help_text="The talent's name when the consent was requested.",
                max_length=120,
            ),
            preserve_default=False,
        ),
        migrations.CreateModel(
            name="ContractConfirmation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("purpose", models.CharField(choices=PURPOSES, max_length=20)),
                ("confirmed_at", models.DateTimeField(auto_now_add=True)),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="confirmations", to="consent.contract"
                    ),
                ),
            ],
            options={
                "ordering": ["contract", "confirmed_at"],
                "constraints": [
                    models.UniqueConstraint(fields=("contract", "purpose"), name="contract_purpose_confirmed_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="LanguageException",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("language", models.CharField(help_text="A primary language subtag, such as de.", max_length=8)),
                ("reason", models.TextField()),
                ("allowed_at", models.DateTimeField(auto_now_add=True)),
                (
                    "allowed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "consent",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="language_exceptions",
                        to="consent.consent",
                    ),
                ),
            ],
            options={
                "ordering": ["consent", "allowed_at"],
                "constraints": [models.UniqueConstraint(fields=("consent", "language"), name="language_allowed_once")],
            },
        ),
        migrations.RunPython(read_countries, migrations.RunPython.noop),
        migrations.RunPython(read_talent_names, migrations.RunPython.noop),
    ]
