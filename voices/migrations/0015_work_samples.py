"""How long earlier work took, and the progress of archive uploads.

The durations of the builds so far are learnt at once, so that an upgraded studio knows when a build is expected to end.
"""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

SAMPLES_PER_KEY = 50
FINISHED = ("ready", "dataset_issue")
ACTIVITIES = [("reading", "Reading"), ("adding", "Adding")]
KINDS = [
    ("reading", "Reading an archive"),
    ("adding", "Adding the files of an archive"),
    ("analysis", "Analyzing recordings"),
    ("comparison", "Comparing recordings"),
    ("sending", "Sending a build"),
    ("training", "Training a voice"),
    ("deletion", "Deleting a voice"),
    ("files", "Deleting files"),
]


def learn_from_builds(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    samples = apps.get_model("voices", "WorkSample").objects
    builds = apps.get_model("voices", "Build").objects.filter(status__in=FINISHED, training_at__isnull=False)
    counts: dict[str, int] = {}
    new = []
    for build in builds.select_related("remote_voice__account").order_by("-finished_at").iterator(chunk_size=500):
        remote = build.remote_voice
        key = f"{remote.account.provider}:{remote.tier}:{remote.account.mode}"
        counts[key] = counts.get(key, 0) + 1
        seconds = (build.finished_at - build.training_at).total_seconds()
        if seconds > 0 and counts[key] <= SAMPLES_PER_KEY:
            new.append(samples.model(kind="training", key=key, seconds=seconds, finished_at=build.finished_at))
    samples.bulk_create(new)


class Migration(migrations.Migration):
    dependencies = [
        ("voices", "0014_remote_state"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="WorkSample",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=KINDS, max_length=12)),
                ("key", models.CharField(blank=True, max_length=90)),
                ("units", models.PositiveIntegerField(default=0)),
                ("seconds", models.FloatField()),
                ("finished_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["-finished_at", "-pk"],
                "indexes": [models.Index(fields=["kind", "key", "-finished_at"], name="work_sample_newest")],
            },
        ),
        migrations.CreateModel(
            name="UploadProgress",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("activity", models.CharField(choices=ACTIVITIES, default="reading", max_length=8)),
                ("done", models.PositiveIntegerField(default=0)),
                ("total", models.PositiveIntegerField(default=0)),
                ("started_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={"verbose_name_plural": "upload progress"},
        ),
        migrations.RunPython(learn_from_builds, migrations.RunPython.noop),
    ]
