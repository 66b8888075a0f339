"""Tampering with the audit log of a consent is detected. Of concurrent approvals, exactly one succeeds."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, connections
from django.test import Client

from consent.models import Consent, ConsentStatus, Event, EventKind
from consent.models.evidence import EvidenceIsImmutable
from consent.services.audit_log import find_broken_logs, find_first_broken_event
from consent.services.evidence_checks import check_history
from consent.services.invitations import create_private_link
from consent.services.review import suspend_consent
from consent.views import consents
from tests.consent.rows import ConsentFactory
from tests.support.approval import approve_after_listening
from tests.support.html import read_html
from voicehub.refusals import ActionRefused


@pytest.fixture
def consent(factory: ConsentFactory) -> Consent:
    """A consent with four events: requested, take submitted, approved, suspended."""
    consent = factory.make_approved_consent()
    suspend_consent(consent, factory.producer, "A dispute.")
    assert find_first_broken_event(consent) is None
    return consent


def run_sql(sql: str) -> None:
    """Run SQL without the models, as a person with database access could."""
    with connection.cursor() as cursor:
        cursor.execute(sql)


# The SQL that tampers with the log, and the sequence number of the first event that is then broken.
TAMPERINGS = {
    "the actor's name": ("UPDATE consent_event SET actor_name = 'X' WHERE sequence = 2", 2),
    "the actor": ("UPDATE consent_event SET actor_id = NULL WHERE sequence = 3", 3),
    "the kind": ("UPDATE consent_event SET kind = 'resumed' WHERE sequence = 4", 4),
    "one letter of the payload": (
        'UPDATE consent_event SET payload = \'{"reason": "A Dispute."}\' WHERE sequence = 4',
        4,
    ),
    "the time": ("UPDATE consent_event SET at = '2020-01-01 00:00:00+00:00' WHERE sequence = 1", 1),
    "the hash": ("UPDATE consent_event SET hash = '" + "0" * 64 + "' WHERE sequence = 2", 2),
    "the hash of the previous event": ("UPDATE consent_event SET previous_hash = '' WHERE sequence = 3", 3),
    "the sequence number": ("UPDATE consent_event SET sequence = 9 WHERE sequence = 4", 4),
    "a deleted event": ("DELETE FROM consent_event WHERE sequence = 2", 2),
    "the first event deleted": ("DELETE FROM consent_event WHERE sequence = 1", 1),
}


@pytest.mark.one_database
@pytest.mark.django_db
@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_tampering_is_detected_at_first_broken_event(consent: Consent, tampering: str) -> None:
    sql, sequence = TAMPERINGS[tampering]
    run_sql(sql)
    assert find_first_broken_event(consent) == sequence
    assert [(row.pk, number) for row, number in find_broken_logs()] == [(consent.pk, sequence)]


@pytest.mark.django_db
def test_event_moved_to_another_consent_breaks_log_of_that_consent(consent: Consent, factory: ConsentFactory) -> None:
    other = factory.make_consent(factory.make_talent("Theo Brand"))
    event = consent.events.get(sequence=4)
    other_id = other.pk.hex if connection.vendor == "sqlite" else str(other.pk)
    sql = f"UPDATE consent_event SET consent_id = '{other_id}', sequence = 2 WHERE id = {event.pk}"  # noqa: S608 - ids
    run_sql(sql)
    assert find_first_broken_event(other) == 2


@pytest.mark.django_db
def test_models_refuse_to_change_or_delete_events_and_takes(consent: Consent) -> None:
    event, take = consent.events.earliest("sequence"), consent.takes.get()
    for row in (event, take):
        with pytest.raises(EvidenceIsImmutable):
            row.save()
        with pytest.raises(EvidenceIsImmutable):
            row.delete()
    for queryset in (Event.objects.all(), consent.events.all(), consent.takes.all()):
        with pytest.raises(EvidenceIsImmutable):
            queryset.update(kind="x")
        with pytest.raises(EvidenceIsImmutable):
            queryset.delete()


@pytest.mark.django_db(transaction=True)
def test_exactly_one_of_concurrent_approvals_succeeds(factory: ConsentFactory) -> None:
    consent = factory.make_submitted_consent()
    take = consent.takes.get()
    barrier = Barrier(4)

    def approve(_number: int) -> bool:
        consent_of_thread = Consent.objects.select_related("talent").get(pk=consent.pk)
        barrier.wait(timeout=60)
        try:
            approve_after_listening(consent_of_thread, take, factory.producer)
        except ActionRefused:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(approve, range(4)))
    assert sorted(results) == [False, False, False, True]
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.APPROVED
    assert consent.events.filter(kind=EventKind.APPROVED).count() == 1
    assert find_first_broken_event(consent) is None


@pytest.mark.django_db(transaction=True)
def test_concurrent_events_get_consecutive_numbers_and_verify(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    barrier = Barrier(4)

    def create_link(_number: int) -> None:
        consent_of_thread = Consent.objects.select_related("talent").get(pk=consent.pk)
        barrier.wait(timeout=60)
        try:
            create_private_link([consent_of_thread], factory.producer)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(create_link, range(4)))
    assert list(consent.events.values_list("sequence", flat=True)) == [1, 2, 3, 4, 5]
    assert find_first_broken_event(consent) is None


@pytest.mark.one_database
@pytest.mark.django_db
@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_check_of_the_newest_entries_detects_what_was_changed_in_them(consent: Consent, tampering: str) -> None:
    sql, sequence = TAMPERINGS[tampering]
    assert find_first_broken_event(consent, 3) is None
    run_sql(sql)
    found = find_first_broken_event(consent, 3)
    assert found == sequence or (found is None and sequence == 1)
    assert find_first_broken_event(consent, 9) == sequence


@pytest.mark.one_database
@pytest.mark.django_db
def test_page_verifies_the_newest_entries_and_tells_when_all_were(
    consent: Consent, producer_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was changed in an older entry is shown by `?log=all`, and after the nightly check on each page."""
    monkeypatch.setattr(consents, "VERIFIED_EVENTS", 2)
    url = consent.get_absolute_url()
    assert "Verified, 4 entries" in read_html(producer_client.get(url)), "never checked as a whole: all are verified"
    check_history(consent)
    page = read_html(producer_client.get(url))
    assert "Verified, the newest 2 entries" in page and "All entries were last verified on" in page
    run_sql("UPDATE consent_event SET kind = 'resumed' WHERE sequence = 1")
    assert "Verified, the newest 2 entries" in read_html(producer_client.get(url))
    assert "Modified at entry 1" in read_html(producer_client.get(url, {"log": "all"}))
    check_history(consent)
    assert "Modified at entry 1" in read_html(producer_client.get(url))
    run_sql("UPDATE consent_event SET kind = 'resumed' WHERE sequence = 4")
    Consent.objects.update(broken_event=None)
    assert "Modified at entry 4" in read_html(producer_client.get(url)), "the newest entries are verified on the page"
