"""Adds the results of the checks of contract files and audit logs. Rows of today count as not checked yet."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("consent", "0009_replaced_status")]

    operations = [
        migrations.AddField(
            "consent",
            "broken_event",
            models.PositiveIntegerField(
                null=True,
                editable=False,
                help_text="The first audit log entry that did not match the chain in the last check. Empty if all matched.",
            ),
        ),
        migrations.AddField("consent", "history_checked_at", models.DateTimeField(null=True, editable=False)),
        migrations.AddField(
            "contract",
            "file_warnings",
            models.JSONField(
                default=list, editable=False, help_text="Findings about risky content of the PDF, such as scripts."
            ),
        ),
        migrations.AddField(
            "contract",
            "file_problem",
            models.CharField(
                max_length=200,
                blank=True,
                default="",
                editable=False,
                help_text="Why the last check could not confirm the stored file. Empty if the file is as it was filed.",
            ),
            preserve_default=False,
        ),
        migrations.AddField("contract", "file_checked_at", models.DateTimeField(null=True, editable=False)),
    ]
