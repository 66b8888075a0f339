"""Schedules tasks: the sweeper (`manage.py sweep`) enqueues recurring tasks, and due tasks that no worker claimed."""

import logging
from threading import Event

from django.db import DatabaseError, close_old_connections

from voicehub import outbox

logger = logging.getLogger(__name__)

# Recurring tasks. The sweeper enqueues them at its start; each then reschedules itself.
RECURRING = (
    "expire_consents",
    "remind_talents",
    "delete_contract_drafts",
    "check_evidence",
    "schedule_deletions",
    "refresh_usage",
    "measure_previews",
    "delete_old_uploads",
    "expire_imports",
    "delete_old_access_data",
)


def run_sweeper(stopped: Event, seconds: float) -> None:
    """Enqueue tasks every `seconds` until `stopped` is set. Any number of sweepers may run."""
    is_started = False
    while not stopped.is_set():
        is_started = sweep(start_recurring=not is_started) or is_started
        stopped.wait(seconds)


def sweep(start_recurring: bool) -> bool:
    """Sweep once. False if the database did not respond, which must not stop the sweeper."""
    close_old_connections()
    try:
        for kind in RECURRING if start_recurring else ():
            outbox.enqueue_task(kind, "all")
        outbox.notify_due_tasks()
    except DatabaseError as error:
        logger.warning("Sweep skipped, because the database does not respond: %s", error)
        return False
    return True
