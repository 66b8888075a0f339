"""Uses a data folder of the version before as a studio would, and prints what it found as JSON.

A process of its own, as the folder is named by the environment: `python -m tests.upgrade.walk`.
"""

import json
import time
from collections.abc import Iterator

import django

ROUNDS = 60
TRAINING_SECONDS = 60.0
SETTLED = ("queued", "submitting", "unconfirmed")


def pages() -> Iterator[str]:
    """Every page that shows a row, and every file behind one."""
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
        for registered in apps.get_app_config(app).get_models():
            yield from admin_pages(registered._meta.label_lower)


def admin_pages(label: str) -> Iterator[str]:
    """The list of a model in the administration, and its rows, where it stands there."""
    from django.apps import apps
    from django.contrib import admin
    from django.urls import reverse

    model = apps.get_model(label)
    if admin.site.is_registered(model):
        name = label.replace(".", "_")
        yield reverse(f"admin:{name}_changelist")
        yield from (reverse(f"admin:{name}_change", args=[row.pk]) for row in model._default_manager.all()[:20])


def ask_pages() -> dict[str, int]:
    """The status that each page answers with, for a superuser."""
    from django.test import Client

    from voicehub.models import User

    client = Client(headers={"host": "testserver"})
    client.force_login(User.objects.get(username="root"))
    return {path: client.get(path).status_code for path in pages()}


def run_tasks() -> None:
    """Run every waiting task as if its time had come, until no build is in doubt."""
    from django.utils import timezone

    from voicehub import outbox
    from voicehub.models import Task, TaskStatus
    from voices.models import Build

    for _ in range(ROUNDS):
        Task.objects.filter(status=TaskStatus.WAITING).update(due_at=timezone.now())
        for task in Task.objects.filter(status=TaskStatus.WAITING).order_by("created_at"):
            outbox.run_task(str(task.pk))
        if not Build.objects.filter(status__in=SETTLED).exists():
            return


def wait_for_training() -> None:
    """Poll the builds that train until the sandbox has finished them; it sends no event to this process."""
    from voices.models import Build, BuildStatus
    from voices.services.builds.poll import refresh_build

    end = time.monotonic() + TRAINING_SECONDS
    while (training := Build.objects.filter(status=BuildStatus.TRAINING)) and time.monotonic() < end:
        for build in training:
            refresh_build(str(build.pk))
        time.sleep(0.2)


def main() -> dict[str, object]:
    from django.conf import settings

    settings.ALLOWED_HOSTS = ["testserver"]
    from consent.services.audit_log import find_broken_logs
    from voicehub.models import Task, User
    from voices.models import Account, Build

    User.objects.create_superuser("root")
    before = {str(build.pk): build.status for build in Build.objects.all()}
    found: dict[str, object] = {
        "keys": sorted(account.decrypt_key() for account in Account.objects.exclude(name__startswith="Sandbox")),
        "pages": ask_pages(),
    }
    run_tasks()
    wait_for_training()
    builds = {str(build.pk): (build.status, build.issue) for build in Build.objects.all()}
    return found | {
        "builds": [(before[pk], *now) for pk, now in builds.items()],
        "broken histories": len(list(find_broken_logs())),
        "pages after": ask_pages(),
        "given up": [f"{task.kind}: {task.reason}" for task in Task.objects.filter(status="failed")],
    }


if __name__ == "__main__":
    django.setup()
    print(json.dumps(main()))  # noqa: T201 - what the test reads
