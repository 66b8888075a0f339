"""Who marked a failed task as seen. The failed tasks of before stay on the page Today, as it has always shown them."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("voicehub", "0006_mail_switches")]

    operations = [
        migrations.AddField(model_name="task", name="seen_at", field=models.DateTimeField(blank=True, null=True)),
        migrations.AddField(
            model_name="task",
            name="seen_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(
                fields=["finished_at"],
                condition=models.Q(seen_at=None, status="failed"),
                name="task_failed_unseen",
            ),
        ),
    ]
