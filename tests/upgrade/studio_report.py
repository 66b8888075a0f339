"""Uses a data folder of the previous version as a studio would, and prints a JSON report.

It runs in its own process (`python -m tests.upgrade.studio_report`), because the environment names the folder.
"""

import json
import time
from collections.abc import Iterator

import django

ROUNDS = 60
TRAINING_SECONDS = 60.0
BEFORE_TRAINING = ("queued", "submitting", "unconfirmed")


def list_page_urls() -> Iterator[str]:
    """The URL of every page that shows a row, and of every stored file."""
    from django.apps import apps
    from django.urls import reverse

    from consent.models import Consent, Contract, Take, Talent
    from voices.models import Account, Build, Preview, Recording, RemoteVoice, Voice

    yield reverse("today")
    for model in (Talent, Contract, Consent, Voice, Build, RemoteVoice):
        yield from (row.get_absolute_url() for row in model.objects.all())
    yield from (reverse("voices:account", args=[row.pk]) for row in Account.objects.all())
    yield from (reverse("consent:contract_file", args=[row.pk]) for row in Contract.objects.all())
    yield from (reverse("consent:take_audio", args=[row.pk]) for row in Take.objects.all())
    yield from (reverse("voices:recording_audio", args=[row.pk]) for row in Recording.objects.all())
    yield from (reverse("voices:preview_audio", args=[row.pk]) for row in Preview.objects.exclude(file=""))
    for app in ("voicehub", "consent", "voices"):
        for model_class in apps.get_app_config(app).get_models():
            yield from list_admin_urls(model_class._meta.label_lower)


def list_admin_urls(label: str) -> Iterator[str]:
    """The URLs of a model's list and rows in the Django admin, if it is registered."""
    from django.apps import apps
    from django.contrib import admin
    from django.urls import reverse

    model = apps.get_model(label)
    if admin.site.is_registered(model):
        name = label.replace(".", "_")
        yield reverse(f"admin:{name}_changelist")
        yield from (reverse(f"admin:{name}_change", args=[row.pk]) for row in model._default_manager.all()[:20])


def fetch_page_statuses() -> dict[str, int]:
    """The HTTP status of each page for a superuser, by URL path."""
    from django.test import Client

    from voicehub.models import User

    client = Client(headers={"host": "testserver"})
    client.force_login(User.objects.get(username="root"))
    return {path: client.get(path).status_code for path in list_page_urls()}


def run_tasks() -> None:
    """Run every waiting task as if it were due, until every build is in training or later."""
    from django.utils import timezone

    from voicehub import outbox
    from voicehub.models import Task, TaskStatus
    from voices.models import Build

    for _ in range(ROUNDS):
        Task.objects.filter(status=TaskStatus.WAITING).update(due_at=timezone.now())
        for task in Task.objects.filter(status=TaskStatus.WAITING).order_by("created_at"):
            outbox.run_task(str(task.pk))
        if not Build.objects.filter(status__in=BEFORE_TRAINING).exists():
            return


def wait_for_training() -> None:
    """Poll the builds in training until the sandbox has finished them. It sends no callback to this process."""
    from voices.models import Build, BuildStatus
    from voices.services.builds.poll import refresh_build

    deadline = time.monotonic() + TRAINING_SECONDS
    while (training := Build.objects.filter(status=BuildStatus.TRAINING)) and time.monotonic() < deadline:
        for build in training:
            refresh_build(str(build.pk))
        time.sleep(0.2)


def make_report() -> dict[str, object]:
    from django.conf import settings

    settings.ALLOWED_HOSTS = ["testserver"]
    from consent.services.audit_log import find_broken_logs
    from voicehub.models import Task, User
    from voices.models import Account, Build

    User.objects.create_superuser("root")
    statuses_before = {str(build.pk): build.status for build in Build.objects.all()}
    report: dict[str, object] = {
        "keys": sorted(account.decrypt_key() for account in Account.objects.exclude(name__startswith="Sandbox")),
        "pages before": fetch_page_statuses(),
    }
    run_tasks()
    wait_for_training()
    builds = {str(build.pk): (build.status, build.issue) for build in Build.objects.all()}
    return report | {
        "builds": [(statuses_before[pk], status, issue) for pk, (status, issue) in builds.items()],
        "broken logs": len(list(find_broken_logs())),
        "pages after": fetch_page_statuses(),
        "failed tasks": [f"{task.kind}: {task.reason}" for task in Task.objects.filter(status="failed")],
    }


if __name__ == "__main__":
    django.setup()
    print(json.dumps(make_report()))  # noqa: T201 - the test reads this output
