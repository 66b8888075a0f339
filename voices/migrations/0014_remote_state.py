"""What the provider reported last about each voice, in VoiceHub's terms, and refusals because of an account's plan.

The result of the last build is used if it was stored together with the status that the provider reported last. The
status of every other voice stays empty, until the provider is asked again.
"""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

REPORTED_RESULTS = ("ready", "dataset_issue", "consent_rejected", "failed")
CHOICES = [
    ("awaiting_data", "Waiting for recordings"),
    ("training", "Training"),
    ("ready", "Ready"),
    ("dataset_issue", "Not usable because of its recordings"),
    ("consent_rejected", "Consent rejected"),
    ("failed", "Training failed"),
    ("unknown", "Not known"),
]


def derive_observed_status(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    remotes = apps.get_model("voices", "RemoteVoice").objects.exclude(raw_status="")
    builds = apps.get_model("voices", "Build").objects.filter(training_at__isnull=False)
    for pk, raw_status in list(remotes.values_list("pk", "raw_status")):
        last = builds.filter(remote_voice=pk).order_by("-created_at").values("status", "raw_status").first()
        if last and last["raw_status"] == raw_status and last["status"] in REPORTED_RESULTS:
            remotes.filter(pk=pk).update(observed_status=last["status"])


class Migration(migrations.Migration):
    dependencies = [("voices", "0013_seen_builds")]

    operations = [
        migrations.AddField(
            model_name="remotevoice",
            name="observed_status",
            field=models.CharField(blank=True, choices=CHOICES, editable=False, max_length=16),
        ),
        migrations.AddField(
            model_name="account",
            name="plan_refusals",
            field=models.JSONField(default=dict, editable=False),
        ),
        migrations.RunPython(derive_observed_status, migrations.RunPython.noop),
    ]
