"""Files at AudioStack with ids of their own, recordings marked as deleted, and the user who deletes a voice by hand.

What VoiceHub knows of earlier uploads becomes rows of RemoteFile: the recordings that were sent, the upload that a
build may resume, and the files in the log of the last responses. Nothing is deleted because of this migration. The
reverse removes the rows; another run finds them again.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import django.db.models.deletion
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from voicehub.encryption import DecryptionError, decrypt

PROVIDER = "audiostack"
CONSENT = "consent"


def create_files(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    account_model, remote_model = apps.get_model("voices", "Account"), apps.get_model("voices", "RemoteVoice")
    for account in account_model.objects.filter(provider=PROVIDER):
        remotes = {remote.reference: remote for remote in remote_model.objects.filter(account=account)}
        for reference, key, file_id in _list_known_files(apps, account):
            if remote := remotes.get(reference):
                _create_file(apps, remote, key, file_id)


def _list_known_files(apps: StateApps, account: Any) -> Iterator[tuple[str, str, str]]:
    """The reference of the voice, the key (of a recording, or "consent") and the id of each known file."""
    sent = apps.get_model("voices", "RemoteRecording").objects.filter(remote_voice__account=account)
    for reference, recording, file_id in sent.values_list("remote_voice__reference", "recording_id", "remote_id"):
        yield reference, str(recording), file_id
    builds = apps.get_model("voices", "Build").objects.filter(remote_voice__account=account).exclude(resume_state="")
    for pk, state in builds.values_list("pk", "resume_state"):
        yield from _read_resume_state(pk, state)
    calls = apps.get_model("voices", "AccountCall").objects.filter(account=account, response_text__contains="fileId")
    for text in calls.values_list("response_text", flat=True):
        yield from _read_logged_file(text)


def _read_resume_state(pk: UUID, state: str) -> Iterator[tuple[str, str, str]]:
    """The file of a pending upload. Nothing if the encryption key is not available or the state is of another form."""
    with suppress(DecryptionError, ImproperlyConfigured, ValueError, TypeError, KeyError):
        pending = json.loads(decrypt(state, f"build:{pk}"))
        yield str(pending["reference"]), str(pending["key"]), str(pending["file_id"])


def _read_logged_file(text: str) -> Iterator[tuple[str, str, str]]:
    """The file in a logged response. Its name is "reference-key.wav"; a reference has the form vh-0123456789ab."""
    with suppress(ValueError, TypeError, KeyError):
        response = json.loads(text)
        prefix, reference, key = str(response["fileName"]).rpartition(".")[0].split("-", 2)
        yield f"{prefix}-{reference}", key, str(response["fileId"])


def _create_file(apps: StateApps, remote: Any, key: str, file_id: str) -> None:
    recording = None
    if key != CONSENT:
        with suppress(ValueError):
            recording = apps.get_model("voices", "Recording").objects.filter(pk=UUID(key)).first()
    apps.get_model("voices", "RemoteFile").objects.get_or_create(
        account_id=remote.account_id,
        remote_id=file_id[:100],
        defaults={
            "remote_voice": remote,
            "recording": recording,
            "kind": CONSENT if key == CONSENT else "recording",
            "announced_at": remote.created_at,
        },
    )


def mark_recordings(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    """The recordings of a deleted voice were deleted with it, except where they are files."""
    remotes = apps.get_model("voices", "RemoteVoice").objects.filter(deleted_at__isnull=False)
    rows = apps.get_model("voices", "RemoteRecording").objects
    for pk, deleted_at in remotes.exclude(account__provider=PROVIDER).values_list("pk", "deleted_at"):
        rows.filter(remote_voice=pk).update(deleted_at=deleted_at)


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("voices", "0007_withdrawn_builds"),
    ]

    operations = [
        migrations.AddField(
            model_name="remoterecording",
            name="deleted_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="remotevoice",
            name="deletion_assigned_to",
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
            model_name="remotevoice",
            name="file_alert",
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.CreateModel(
            name="RemoteFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("recording", "Recording"), ("consent", "Consent")], max_length=10)),
                ("remote_id", models.CharField(max_length=100)),
                ("announced_at", models.DateTimeField()),
                ("checked_at", models.DateTimeField(blank=True, null=True)),
                ("deletion_requested_at", models.DateTimeField(blank=True, null=True)),
                ("deletion_proof", models.JSONField(default=dict)),
                ("deleted_at", models.DateTimeField(blank=True, null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="files", to="voices.account"
                    ),
                ),
                (
                    "recording",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="remote_files",
                        to="voices.recording",
                    ),
                ),
                (
                    "remote_voice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="files", to="voices.remotevoice"
                    ),
                ),
            ],
            options={
                "ordering": ["announced_at", "pk"],
                "constraints": [models.UniqueConstraint(fields=("account", "remote_id"), name="remote_file_id_once")],
            },
        ),
        migrations.RunPython(create_files, migrations.RunPython.noop),
        migrations.RunPython(mark_recordings, migrations.RunPython.noop),
    ]
