"""No page answers 500 for an audit log entry that was changed or lost: it shows what is left."""

from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client

from consent.models import Event, EventKind, TalentMail
from consent.services.audit_log import record_event
from consent.services.review import withdraw_consent
from tests.consent.rows import ConsentFactory, read_page
from tests.support.task_runner import run_due_tasks
from voicehub.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

MEMBERS = (
    "mail", "to", "language", "invitation", "subject", "look", "reason", "capture", "ok", "approver_made_take",
    "given_at",
)  # fmt: skip


@pytest.fixture
def factory(producer: User) -> ConsentFactory:
    return ConsentFactory(producer)


@pytest.mark.parametrize("value", [None, 7, [], {}, "x", "2026-13-45T00:00"], ids=repr)
def test_damaged_entry_of_any_kind_breaks_no_page(producer_client: Client, factory: ConsentFactory, value: Any) -> None:
    consent = factory.make_approved_consent()
    factory.make_link(consent)
    for kind in EventKind:
        record_event(consent, kind, None, **dict.fromkeys(MEMBERS, value))
        record_event(consent, kind, None)
    for row in (consent, consent.talent):
        read_page(producer_client, row.get_absolute_url())


def test_lost_entry_of_a_withdrawal_breaks_neither_mails_nor_report(factory: ConsentFactory) -> None:
    consent = factory.make_approved_consent()
    withdraw_consent(consent, factory.producer, "She called.")
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {Event._meta.db_table} WHERE kind = 'withdrawn'")  # noqa: S608 - a fixed name
    run_due_tasks()
    assert TalentMail.objects.filter(kind="withdrawn", sent_at=None).count() == 0
    body = next(str(one.body) for one in mail.outbox if "/reports/" in str(one.body))
    path = body[body.index("/reports/") :].split()[0]
    assert "This was not me" in read_page(Client(), path)
