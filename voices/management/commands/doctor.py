"""Check the health of a studio and print one line per check, for people and for monitoring."""

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

from audio.networks.installed import PART_CHECKS
from consent.models import Contract, LanguageRelease, TakeCheck
from consent.services.audit_log import find_broken_logs
from consent.services.talent_languages import is_catalog_changed
from voicehub.encryption import DecryptionError
from voicehub.models import Task, TaskStatus
from voicehub.outbox import QUEUES
from voicehub.storage import private
from voicehub.talent_languages import SOURCE_LANGUAGE, TALENT_LANGUAGES
from voicehub.text import join_with_and
from voices.models import Account

OVERDUE_AFTER = timedelta(minutes=2)


class CheckFailed(Exception):
    """A check found a problem. The text says what is wrong and how to solve it."""


class OptionalPartMissing(Exception):
    """An optional part of VoiceHub is not installed. The text says how to install it. The exit code stays 0."""


class Command(BaseCommand):
    help = "Check each part of the studio. The exit code is 1 if a check fails."
    # `check_settings` runs Django's system checks.
    requires_system_checks = ()

    def handle(self, **options: object) -> None:
        results = [self.run_check(name, check) for name, check in CHECKS.items()]
        if not all(results):
            sys.exit(1)

    def run_check(self, name: str, check: Callable[[], str]) -> bool:
        """Run one check and print its result. Return False if the check failed."""
        try:
            self.stdout.write(f"ok       {name}: {check()}")
        except OptionalPartMissing as missing:
            self.stdout.write(self.style.WARNING(f"missing  {name}: {missing}"))
        except CheckFailed as failure:
            self.stdout.write(self.style.ERROR(f"FAILED   {name}: {failure}"))
            return False
        return True


def check_database() -> str:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        raise CheckFailed(f"it does not respond ({error}). Check DATABASE_URL.") from error
    if missing:
        raise CheckFailed(f"migrations to apply: {len(missing)}. Run: manage.py migrate")
    return f"{connection.display_name}, all migrations applied."


def check_queue() -> str:
    try:
        waiting = sum(django_rq.get_queue(name).count for name in QUEUES)
    except (RedisError, OSError) as error:
        raise CheckFailed(f"it does not respond ({error}). Start the studio, or check REDIS_URL.") from error
    return f"it responds. Jobs in the queue: {waiting}."


def check_tasks() -> str:
    try:
        rows = Task.objects.filter(status=TaskStatus.WAITING)
        overdue = rows.filter(due_at__lt=timezone.now() - OVERDUE_AFTER, lease__isnull=True).count()
        failed = Task.objects.filter(status=TaskStatus.FAILED).count()
    except DatabaseError as error:
        raise CheckFailed("they cannot be read from the database.") from error
    if overdue:
        minutes = OVERDUE_AFTER.total_seconds() / 60
        raise CheckFailed(f"{overdue} overdue by more than {minutes:.0f} minutes. Start a worker and a sweeper.")
    return f"none is overdue. Failed tasks: {failed} (see Tasks in the admin)."


def check_files() -> str:
    """Check that a file can be written, read and deleted. The storage may be a folder or a bucket."""
    storage = private()
    try:
        name = storage.save("doctor/probe.txt", ContentFile(b"VoiceHub"))
        with storage.open(name) as file:
            is_equal = file.read() == b"VoiceHub"
        storage.delete(name)
    except Exception as error:  # noqa: BLE001 - each storage has its own exceptions
        raise CheckFailed(
            f"they cannot be stored ({error}). Check the folder or the bucket, and its free space."
        ) from error
    if not is_equal:
        raise CheckFailed("a file was read back with different content. Check the disk or the bucket.")
    return "they can be written, read and deleted."


def check_secrets() -> str:
    """Check that the account keys can be decrypted, and that the data folder is private."""
    try:
        unreadable = list(_list_unreadable_accounts())
    except DatabaseError as error:
        raise CheckFailed("the accounts cannot be read from the database.") from error
    if unreadable:
        raise CheckFailed(
            f"the keys of {', '.join(unreadable)} cannot be decrypted. Enter them again on the account's page."
        )
    open_bits = settings.DATA_DIR.stat().st_mode & 0o077 if settings.DATA_DIR.is_dir() else 0
    if open_bits:
        raise CheckFailed(f"other users of this machine can read the data folder. Run: chmod 700 {settings.DATA_DIR}")
    return "all stored keys can be decrypted, and the data folder is private."


def _list_unreadable_accounts() -> Iterator[str]:
    for account in Account.objects.exclude(encrypted_key=""):
        try:
            account.decrypt_key()
        except DecryptionError:
            yield account.name


def check_audit_logs() -> str:
    try:
        broken = [f"{consent}, entry {number}" for consent, number in find_broken_logs()]
    except DatabaseError as error:
        raise CheckFailed("they cannot be read from the database.") from error
    if broken:
        raise CheckFailed(f"entries were modified: {'; '.join(broken)}. Compare them with a backup.")
    return "no entry was modified."


def check_evidence_files() -> str:
    """Read the results of the last checks: to read every file would take long, and the night does it."""
    contracts = Contract.objects.exclude(file_problem="").select_related("talent")
    takes = TakeCheck.objects.exclude(file_problem="").select_related("take__consent__talent")
    try:
        damaged = [f"{contract}: {contract.file_problem}" for contract in contracts]
        damaged += [f"{check.take}: {check.file_problem}" for check in takes]
    except DatabaseError as error:
        raise CheckFailed("they cannot be read from the database.") from error
    if damaged:
        text = " ".join(damaged)
        raise CheckFailed(f"{text} Restore them from a backup, then check them again on their pages.")
    return "the last checks found all files of contracts and takes as they were stored."


def check_languages() -> str:
    """Which languages talents can read, and which of them have other translations than those that were released."""
    try:
        releases = list(LanguageRelease.objects.filter(ended_at=None).order_by("language"))
    except DatabaseError as error:
        raise CheckFailed("the releases cannot be read from the database.") from error
    names = [TALENT_LANGUAGES[SOURCE_LANGUAGE]]
    for release in releases:
        name = release.get_language_display()
        names.append(f"{name} (changed since its release: read it again)" if is_catalog_changed(release) else name)
    return f"talents can read {join_with_and(names)}."


def check_settings() -> str:
    problems = checks.run_checks(include_deployment_checks=settings.VOICEHUB_BASE_URL.startswith("https://"))
    serious = [message for message in problems if message.level >= checks.WARNING and not message.is_silenced()]
    if serious:
        raise CheckFailed(" ".join(f"{message.msg} {message.hint or ''}".strip() for message in serious))
    return "no problems found."


def check_audio_part(find_reasons: Callable[[], tuple[str, ...]]) -> str:
    """Check whether one optional part of the audio analysis is installed.

    Without the part, pages show "not checked".
    """
    if reasons := find_reasons():
        raise OptionalPartMissing(" ".join(reasons))
    return "installed."


CHECKS: dict[str, Callable[[], str]] = {
    "Database": check_database,
    "Queue": check_queue,
    "Tasks": check_tasks,
    "Files": check_files,
    "Secrets": check_secrets,
    "Audit logs": check_audit_logs,
    "Evidence files": check_evidence_files,
    "Languages": check_languages,
    "Settings": check_settings,
    **{name: partial(check_audio_part, find_reasons) for name, find_reasons in PART_CHECKS.items()},
}
