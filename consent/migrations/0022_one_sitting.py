"""The ticks of a talent for each purpose, and one recording for several consents. Earlier takes are for one consent."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("consent", "0021_reminders")]

    operations = [
        migrations.AddField(
            model_name="consent",
            name="ticked_at",
            field=models.DateTimeField(
                editable=False,
                help_text="When the talent ticked the purpose on the private link. Empty if it has no tick now.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="take",
            name="sitting",
            field=models.UUIDField(
                db_index=True,
                editable=False,
                help_text="The same for all takes of one recording, if it is for several consents. Each has its own file.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="talentmail",
            name="others",
            field=models.ManyToManyField(
                blank=True,
                help_text="Other consents that it reports, such as for one recording.",
                related_name="+",
                to="consent.consent",
            ),
        ),
        migrations.AlterField(
            model_name="event",
            name="kind",
            field=models.CharField(
                choices=[
                    ("requested", "Consent requested"),
                    ("invited", "Invitation emailed"),
                    ("link_copied", "Private link created by staff"),
                    ("link_ended", "Private link revoked"),
                    ("reminded", "Reminder emailed"),
                    ("opened", "Talent opened the recording page"),
                    ("ticked", "Purpose ticked by the talent"),
                    ("not_ticked", "Purpose left without a tick by the talent"),
                    ("take", "Statement recorded"),
                    ("asked_again", "Retake requested"),
                    ("approved", "Approved"),
                    ("declined", "Declined by the talent"),
                    ("voided", "Canceled"),
                    ("suspended", "Suspended"),
                    ("resumed", "Resumed"),
                    ("withdrawn", "Withdrawn"),
                    ("expired", "Expired"),
                    ("used", "Sent to the provider for a build"),
                    ("replaced", "Replaced by a newer approval"),
                    ("language_allowed", "Another language allowed"),
                    ("mailed", "Mail sent to the talent"),
                    ("disputed", "Reported by the talent as not their own act"),
                    ("dispute_closed", "Report of the talent answered"),
                    ("hold_set", "Legal hold set"),
                    ("hold_released", "Legal hold released"),
                    ("deletion_requested", "Deletion at the provider requested"),
                    ("deleted", "Deletion at the provider confirmed"),
                ],
                max_length=20,
            ),
        ),
    ]
