"""Who marked a failed build as seen, and the failed builds that Today did not show before.

Until now, Today listed only the newest build of each voice. Failed builds that were newest stay on it, as no person has
dealt with them. The older ones had left it although no person had said so. To show years of them at once would bury
what is new, so they are marked. No person is named, the time is when the newer build took their place, and a note says
why.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

FAILED = ["dataset_issue", "consent_rejected", "failed"]
NOTE = "Before the upgrade, Today left it out, because a newer build of the voice existed."


def mark_hidden_failures(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    builds = apps.get_model("voices", "Build").objects
    newer = builds.filter(voice=models.OuterRef("voice"), created_at__gt=models.OuterRef("created_at"))
    took_place_at = models.Subquery(newer.order_by("created_at").values("created_at")[:1])
    builds.filter(models.Exists(newer), status__in=FAILED).update(seen_at=took_place_at, seen_note=NOTE)


class Migration(migrations.Migration):
    dependencies = [
        ("voices", "0012_kept_comparisons"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="build", name="seen_at", field=models.DateTimeField(blank=True, editable=False, null=True)
        ),
        migrations.AddField(
            model_name="build",
            name="seen_by",
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
            model_name="build",
            name="seen_note",
            field=models.CharField(blank=True, editable=False, max_length=300),
        ),
        migrations.AddIndex(
            model_name="build",
            index=models.Index(
                fields=["created_at"],
                condition=models.Q(seen_at=None, status__in=FAILED),
                name="build_failed_unseen",
            ),
        ),
        migrations.RunPython(mark_hidden_failures, migrations.RunPython.noop),
    ]
