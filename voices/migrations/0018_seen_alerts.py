"""Who has seen that a voice was public, and whether a provider asked for no consent with a build.

Of earlier builds it is not known whether the provider asked for the consent, so they say nothing about it.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("voices", "0017_vendor_fields"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="build",
            name="is_consent_exempt",
            field=models.BooleanField(
                default=False,
                help_text="The provider asked for no proof of consent of this account when the build was sent.",
            ),
        ),
        migrations.AddField(
            model_name="remotevoice",
            name="alert_seen_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="remotevoice",
            name="alert_seen_by",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
