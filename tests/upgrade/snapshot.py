"""Dumps a database of this version as SQL, with builds in every status. The next version is tested on this dump.

    python -m tests.upgrade.snapshot > tests/upgrade/version_0_1.sql

Run it on the version that is about to become the previous version. The dump has no audio files: `restore` writes
the samples of the sample studio to the paths in the rows. It finds the sample for a row by its hash.
"""

import hashlib
import os
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.session import build_environment

if TYPE_CHECKING:
    from tests.voices.services.builds.build_harness import BuildHarness
    from voices.models import Build

SAMPLES = ("slt-01", "slt-02", "slt-03", "consent-slt")
ACTIVE_STATUSES = ("queued", "submitting", "submitting", "unconfirmed", "training", "training")
FINAL_STATUSES = ("ready", "dataset_issue", "consent_rejected", "failed", "cancelled")
PDF = b"%PDF-1.4\n%%EOF"
# The task kind for each status that changes without user action.
TASK_KINDS = {"submitting": "submit_build", "unconfirmed": "settle_build", "training": "refresh_build"}
# All other task kinds.
OTHER_TASK_KINDS = (
    "delete_remote_voice",
    "make_preview",
    "examine_recordings",
    "compare_recordings",
    "match_takes",
    "propose_cuts",
    "cut_recording",
    "check_take",
    "send_invitation",
    "expire_consents",
)


def create_data_folder(folder: Path, sql: str) -> None:
    """Create a data folder from a dump: the database, and the files that its rows name."""
    from tests.support.wav import load_sample_wav

    with closing(sqlite3.connect(folder / "db.sqlite3")) as database:
        database.executescript(sql)
        samples_by_hash = {hashlib.sha256(data).hexdigest(): data for data in map(load_sample_wav, SAMPLES)}
        for table in ("voices_recording", "consent_take"):
            for name, sha256 in database.execute(f"SELECT file, sha256 FROM {table}"):  # noqa: S608 - fixed names
                write_file(folder / "media" / name, samples_by_hash[sha256])
        for (name,) in database.execute("SELECT file FROM consent_contract"):
            write_file(folder / "media" / name, PDF)
        for (name,) in database.execute("SELECT file FROM voices_preview WHERE file != ''"):
            write_file(folder / "media" / name, samples_by_hash[hashlib.sha256(load_sample_wav("slt-01")).hexdigest()])


def write_file(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


class EmptySandbox:
    """Stands in for a sandbox that has received no request. Nothing is sent while the rows are created."""

    def control(self, _method: str, _what: str) -> dict[str, int]:
        return {"count": 0}


def make_account(harness: "BuildHarness", number: int) -> None:
    """Create another account, so that one voice can have several active builds."""
    from voices.models import Account

    harness.account = Account(name=f"Account {number}", provider=harness.provider, mode="sandbox")
    harness.account.set_key(f"key-of-account-{number}")
    harness.account.save(force_insert=True)


def set_build_status(build: "Build", status: str, number: int) -> None:
    """Set the fields that a build in this status has. An odd `number` adds a pending call or an unknown status."""
    from django.utils import timezone

    from voicehub.encryption import encrypt
    from voicehub.models import Task, TaskStatus
    from voices.models import Build, RemoteVoice

    now, is_odd = timezone.now(), bool(number % 2)
    fields_by_status: dict[str, dict[str, object]] = {
        "submitting": {"pending_call": "create" if is_odd else "", "resume_state": encrypt("", f"build:{build.pk}")},
        "unconfirmed": {"pending_call": "create", "submitted_at": now - timedelta(hours=1)},
        "training": {"training_at": now, "raw_status": "training", "has_unknown_status": is_odd},
    }
    final_fields = {"training_at": now, "finished_at": now, "issue": "" if status == "ready" else "Its reason."}
    fields = fields_by_status.get(status, final_fields)
    Build.objects.filter(pk=build.pk).update(**{"status": status, "submitted_at": now, **fields})
    if status == "training" or status in FINAL_STATUSES:
        RemoteVoice.objects.filter(pk=build.remote_voice_id).update(remote_id=f"made-{number}")
    tasks = Task.objects.filter(object_id=str(build.pk))
    if status in FINAL_STATUSES:
        tasks.update(status=TaskStatus.DONE, finished_at=now)
    else:
        tasks.update(kind=TASK_KINDS[status])


def add_provider_data(build: "Build") -> None:
    """Add one row of every kind that a provider's response can create for a build, and previews in every status."""
    from django.utils import timezone

    from voices.models import AccountCall, Build, BuildRecording, Callback, DatasetFetch, Preview, RemoteRecording

    remote, build_recordings = build.remote_voice, BuildRecording.objects.filter(build=build)
    Build.objects.filter(pk=build.pk).update(scores={"fit_score": 0.9}, raw_response={"status": "finished"})
    build_recordings.update(has_report=True, is_active=True, sample_score=0.8)
    for status in ("queued", "generating", "ready", "failed"):
        file = f"previews/{remote.pk}/{status}" if status == "ready" else ""
        kind = "audio/wav" if file else ""
        Preview.objects.create(
            remote_voice=remote, build=build, text="A sentence.", status=status, file=file, content_type=kind
        )
    RemoteRecording.objects.create(remote_voice=remote, recording=build_recordings[0].recording, remote_id="r-1")
    Callback.objects.create(build=build, body="{}", body_sha256="0" * 64)
    DatasetFetch.objects.create(build=build, user_agent="A provider")
    AccountCall.objects.create(account=remote.account, at=timezone.now(), operation="get_voice", status=200)


def make_rows() -> None:
    """Create a studio with one row of each kind, and builds in every status."""
    from django.utils import timezone

    from tests.voices.services.builds.build_harness import BuildHarness
    from voicehub.models import Task, TaskStatus, ThresholdOverride, User

    now = timezone.now()
    producer = User.objects.create_user("paula", first_name="Paula")
    harness = BuildHarness(producer, EmptySandbox())  # type: ignore[arg-type]  # it only asks for a count
    voice = harness.make_voice()
    harness.make_consent(harness.make_talent(), provider="resemble_v2")
    for number, status in enumerate((*ACTIVE_STATUSES, *FINAL_STATUSES)):
        make_account(harness, number)
        build = harness.start_build(voice)
        if status != "queued":
            set_build_status(build, status, number)
        if status == "ready":
            add_provider_data(build)
    for kind in OTHER_TASK_KINDS:
        Task.objects.get_or_create(kind=kind, object_id="1", status=TaskStatus.WAITING, defaults={"due_at": now})
    failed_fields = {"status": TaskStatus.FAILED, "due_at": now, "finished_at": now, "reason": "It failed."}
    Task.objects.create(kind="submit_build", object_id="0", **failed_fields)
    ThresholdOverride.objects.create(provider="", tier="", name="noisy_snr", value=12.0, reason="A quiet booth.")


def dump_database() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= build_environment(Path(folder))
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        make_rows()
        with closing(sqlite3.connect(Path(folder) / "db.sqlite3")) as database:
            yield from database.iterdump()


if __name__ == "__main__":
    for line in dump_database():
        sys.stdout.write(line + "\n")
