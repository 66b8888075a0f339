"""The history of a consent: whoever changes it is found out, and of two people at once one wins."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, connections

from consent.models import Consent, ConsentStatus, Event, EventKind
from consent.models.evidence import EvidenceIsImmutable
from consent.services.audit_log import find_broken_logs, find_first_broken_event
from consent.services.invitations import create_private_link
from consent.services.review import suspend_consent
from tests.consent.rows import ConsentFactory
from tests.support.approval import approve_after_listening
from voicehub.refusals import ActionRefused


@pytest.fixture
def consent(factory: ConsentFactory) -> Consent:
    """With a history of four lines: asked, taken, approved, suspended."""
    made = factory.make_approved_consent()
    suspend_consent(made, factory.producer, "A dispute.")
    assert find_first_broken_event(made) is None
    return made


def tamper(sql: str) -> None:
    """Behind the back of the models, as somebody with the database would."""
    with connection.cursor() as cursor:
        cursor.execute(sql)


CHANGES = {
    "the actor's name": ("UPDATE consent_event SET actor_name = 'X' WHERE sequence = 2", 2),
    "the actor": ("UPDATE consent_event SET actor_id = NULL WHERE sequence = 3", 3),
    "the kind": ("UPDATE consent_event SET kind = 'resumed' WHERE sequence = 4", 4),
    "one letter of the payload": (
        'UPDATE consent_event SET payload = \'{"reason": "A Dispute."}\' WHERE sequence = 4',
        4,
    ),
    "the time": ("UPDATE consent_event SET at = '2020-01-01 00:00:00+00:00' WHERE sequence = 1", 1),
    "the hash": ("UPDATE consent_event SET hash = '" + "0" * 64 + "' WHERE sequence = 2", 2),
    "the link to the line before": ("UPDATE consent_event SET previous_hash = '' WHERE sequence = 3", 3),
    "a number": ("UPDATE consent_event SET sequence = 9 WHERE sequence = 4", 4),
    "a line left out": ("DELETE FROM consent_event WHERE sequence = 2", 2),
    "the first line left out": ("DELETE FROM consent_event WHERE sequence = 1", 1),
}


@pytest.mark.django_db
@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_found_at_its_line(consent: Consent, change: str) -> None:
    sql, line = CHANGES[change]
    tamper(sql)
    assert find_first_broken_event(consent) == line
    assert [(row.pk, number) for row, number in find_broken_logs()] == [(consent.pk, line)]


@pytest.mark.django_db
def test_a_line_moved_to_another_consent_breaks_both(consent: Consent, factory: ConsentFactory) -> None:
    other = factory.make_consent(factory.make_talent("Theo Brand"))
    line = consent.events.get(sequence=4)
    owner = other.pk.hex if connection.vendor == "sqlite" else str(other.pk)
    tamper(f"UPDATE consent_event SET consent_id = '{owner}', sequence = 2 WHERE id = {line.pk}")  # noqa: S608 - ours
    assert find_first_broken_event(other) == 2


@pytest.mark.django_db
def test_the_models_themselves_change_and_delete_no_evidence(consent: Consent) -> None:
    event, take = consent.events.earliest("sequence"), consent.takes.get()
    for row in (event, take):
        with pytest.raises(EvidenceIsImmutable):
            row.save()
        with pytest.raises(EvidenceIsImmutable):
            row.delete()
    for rows in (Event.objects.all(), consent.events.all(), consent.takes.all()):
        with pytest.raises(EvidenceIsImmutable):
            rows.update(kind="x")
        with pytest.raises(EvidenceIsImmutable):
            rows.delete()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_approve_at_once_one_does(factory: ConsentFactory) -> None:
    consent = factory.make_submitted_consent()
    take = consent.takes.get()
    start = Barrier(4)

    def approve(_number: int) -> bool:
        mine = Consent.objects.select_related("talent").get(pk=consent.pk)
        start.wait(timeout=60)
        try:
            approve_after_listening(mine, take, factory.producer)
        except ActionRefused:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(approve, range(4)))
    assert sorted(won) == [False, False, False, True]
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.APPROVED
    assert consent.events.filter(kind=EventKind.APPROVED).count() == 1
    assert find_first_broken_event(consent) is None


@pytest.mark.django_db(transaction=True)
def test_lines_written_at_once_make_one_chain(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    start = Barrier(4)

    def write(number: int) -> None:
        mine = Consent.objects.select_related("talent").get(pk=consent.pk)
        start.wait(timeout=60)
        try:
            create_private_link([mine], factory.producer)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert list(consent.events.values_list("sequence", flat=True)) == [1, 2, 3, 4, 5]
    assert find_first_broken_event(consent) is None
