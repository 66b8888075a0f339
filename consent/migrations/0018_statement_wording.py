"""Who wrote each statement, and when a person compares it with its source again."""

from datetime import date

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

VENDOR_SOURCE = "Resemble AI API documentation"
# The texts of the earlier migrations were read in November 2026.
FIRST_CHECK = date(2027, 11, 21)


def set_wording(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Only the text of Resemble AI's own page is the provider's. Nothing is known of texts that a studio added."""
    statements = apps.get_model("consent", "Statement").objects
    statements.filter(provider="resemble_v2", language="en-US", source__startswith=VENDOR_SOURCE).update(
        wording="vendor"
    )
    statements.filter(retired=False).update(check_on=FIRST_CHECK)


class Migration(migrations.Migration):
    dependencies = [("consent", "0017_status_words")]

    operations = [
        migrations.AddField(
            model_name="statement",
            name="check_on",
            field=models.DateField(
                blank=True,
                help_text="Today reminds an admin after this day. Empty: in a year.",
                null=True,
                verbose_name="check again on",
            ),
        ),
        migrations.AddField(
            model_name="statement",
            name="wording",
            field=models.CharField(
                choices=[("vendor", "Provider's words"), ("studio", "Studio's words")], default="studio", max_length=6
            ),
        ),
        migrations.AlterField(
            model_name="statement",
            name="text",
            field=models.TextField(
                help_text="With {company} where the studio's name belongs, and {talent} for the talent's."
            ),
        ),
        migrations.AddConstraint(
            model_name="statement",
            constraint=models.CheckConstraint(
                condition=models.Q(("wording__in", ["vendor", "studio"])), name="statement_wording_known"
            ),
        ),
        migrations.RunPython(set_wording, migrations.RunPython.noop),
    ]
