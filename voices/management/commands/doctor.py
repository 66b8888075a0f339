"""Looks for trouble in a studio and says in plain lines what it found; for people and for monitoring."""

import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

import django_rq
from django.conf import settings
from django.core import checks
from django.core.files.base import ContentFile
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from redis.exceptions import RedisError

from audio.networks.installed import PARTS
from consent.services.audit_log import find_broken_logs
from voicehub.encryption import DecryptionError
from voicehub.models import Task, TaskStatus
from voicehub.outbox import QUEUES
from voicehub.storage import private
from voices.models import Account

OVERDUE = timedelta(minutes=2)


class Trouble(Exception):
    """What is wrong, and what to do about it."""


class Without(Exception):
    """What this studio does without, and how to have it. It is no trouble."""


class Command(BaseCommand):
    help = "Checks that the studio is whole, part by part; exits with 1 when something is wrong."
    # They are one of the things that are looked at.
    requires_system_checks = ()

    def handle(self, **options: object) -> None:
        results = [self.look(name, check) for name, check in CHECKS.items()]
        if not all(results):
            sys.exit(1)

    def look(self, name: str, check: Callable[[], str]) -> bool:
        """Make one check and say how it went."""
        try:
            self.stdout.write(f"ok       {name}: {check()}")
        except Without as without:
            self.stdout.write(self.style.WARNING(f"without  {name}: {without}"))
        except Trouble as trouble:
            self.stdout.write(self.style.ERROR(f"TROUBLE  {name}: {trouble}"))
            return False
        return True


def database() -> str:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        raise Trouble(f"it does not answer ({error}). Check DATABASE_URL.") from error
    if missing:
        raise Trouble(f"{len(missing)} migrations are missing. Run: manage.py migrate")
    return f"{connection.display_name}, up to date."


def queue() -> str:
    try:
        waiting = sum(django_rq.get_queue(name).count for name in QUEUES)
    except (RedisError, OSError) as error:
        raise Trouble(f"it does not answer ({error}). Start the studio, or check REDIS_URL.") from error
    return f"it answers; {waiting} waiting in it."


def tasks() -> str:
    try:
        rows = Task.objects.filter(status=TaskStatus.WAITING)
        late = rows.filter(due_at__lt=timezone.now() - OVERDUE, lease__isnull=True).count()
        given_up = Task.objects.filter(status=TaskStatus.FAILED).count()
    except DatabaseError as error:
        raise Trouble("they cannot be read.") from error
    if late:
        raise Trouble(f"{late} should have been done long ago. Is a worker running? Is a sweeper?")
    return f"none is late; {given_up} were given up (see them in the admin)."


def files() -> str:
    """Write, read and delete one; the storage may be a folder or a bucket."""
    storage = private()
    try:
        name = storage.save("doctor/probe.txt", ContentFile(b"VoiceHub"))
        with storage.open(name) as file:
            whole = file.read() == b"VoiceHub"
        storage.delete(name)
    except Exception as error:  # noqa: BLE001 - each kind of storage has its own
        raise Trouble(f"they cannot be stored ({error}).") from error
    if not whole:
        raise Trouble("what is read back is not what was written.")
    return "they can be written, read and deleted."


def secrets() -> str:
    """The keys of accounts have to open with the encryption keys at hand."""
    try:
        unreadable = list(_unreadable())
    except DatabaseError as error:
        raise Trouble("the accounts cannot be read.") from error
    if unreadable:
        raise Trouble(f"the keys of {', '.join(unreadable)} cannot be read. Enter them again in the admin.")
    loose = settings.DATA_DIR.stat().st_mode & 0o077 if settings.DATA_DIR.is_dir() else 0
    if loose:
        raise Trouble(f"others on this machine can look into it. Run: chmod 700 {settings.DATA_DIR}")
    return "every stored key can be read, by nobody else on this machine."


def _unreadable() -> Iterator[str]:
    for account in Account.objects.exclude(encrypted_key=""):
        try:
            account.decrypt_key()
        except DecryptionError:
            yield account.name


def histories() -> str:
    try:
        broken = [f"{consent} at line {number}" for consent, number in find_broken_logs()]
    except DatabaseError as error:
        raise Trouble("they cannot be read.") from error
    if broken:
        raise Trouble(f"these were changed after they were written: {'; '.join(broken)}.")
    return "every consent's history holds."


def configuration() -> str:
    found = checks.run_checks(include_deployment_checks=settings.VOICEHUB_BASE_URL.startswith("https://"))
    serious = [message for message in found if message.level >= checks.WARNING and not message.is_silenced()]
    if serious:
        raise Trouble(" ".join(f"{message.msg} {message.hint or ''}".strip() for message in serious))
    return "nothing to complain of."


def listening(lacks: Callable[[], tuple[str, ...]]) -> str:
    """One part of the audio checks; pages say "not checked" where it is not there."""
    if reasons := lacks():
        raise Without(" ".join(reasons))
    return "present."


CHECKS: dict[str, Callable[[], str]] = {
    "Database": database,
    "Queue": queue,
    "Tasks": tasks,
    "Files": files,
    "Secrets": secrets,
    "Histories": histories,
    "Settings": configuration,
    **{name: partial(listening, lacks) for name, lacks in PARTS.items()},
}
