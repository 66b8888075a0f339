"""Mails about a consent: who gets which, what they say, and that none is lost or stored twice."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from consent import extension_points
from consent.extension_points import Deletion
from consent.models import Consent, EventKind, TalentMail
from consent.services import talent_mails
from consent.services.audit_log import find_first_broken_event
from consent.services.review import decline_consent, request_retake, withdraw_consent
from consent.services.talent_mails import report_all_deleted_if_done, send_talent_mail
from tests.consent.rows import ConsentFactory, make_clip
from voicehub.models import Task
from voicehub.refusals import ActionRefused

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

TALENT, PRODUCER = "tilda@people.test", "paula@studio.test"


@pytest.fixture(autouse=True)
def producer_address(factory: ConsentFactory) -> None:
    factory.producer.email = PRODUCER
    factory.producer.save()


@pytest.fixture
def deletions() -> Iterator[list[Deletion]]:
    """What other apps delete for a consent. The test fills the list."""
    rows: list[Deletion] = []
    handler = (lambda consent: None, lambda consent: list(rows), lambda consent: False)
    extension_points._stop_handlers.append(handler)
    yield rows
    extension_points._stop_handlers.remove(handler)


def make_deletion(subject: str, deleted_at: datetime | None = None) -> Deletion:
    return Deletion(
        "Resemble AI", subject, timezone.now(), deleted_at, "Resemble AI no longer has it" if deleted_at else "Wait"
    )


def run_mail_tasks() -> dict[str, mail.EmailMessage]:
    """Send every stored mail in a random order. Returns the newest mail to each address."""
    mail.outbox.clear()
    for task in Task.objects.filter(kind="send_talent_mail"):
        send_talent_mail(task.object_id)
    return {message.to[0]: message for message in mail.outbox}


def withdraw(factory: ConsentFactory, reason: str = "", *, on_behalf: bool = False) -> Consent:
    consent = factory.make_approved_consent()
    run_mail_tasks()
    withdraw_consent(consent, factory.producer if on_behalf else None, reason)
    return consent


def test_sent_recording_is_confirmed_to_the_talent_and_told_to_the_producer(factory: ConsentFactory) -> None:
    consent = factory.make_submitted_consent()
    mails = run_mail_tasks()
    assert set(mails) == {TALENT, PRODUCER}
    assert "has recorded the statement" in mails[PRODUCER].body
    assert mails[TALENT].subject == f"{consent.company} has received your recording"
    assert "Recorded by you through the private link." in mails[TALENT].body
    assert "Resemble AI" in mails[TALENT].body and "stay" in mails[TALENT].body
    assert "Only a legal hold can delay that." in mails[TALENT].body
    assert "on your private link" not in mails[TALENT].body, "this talent has none"
    event = consent.events.latest("sequence")
    assert (event.kind, event.payload) == (EventKind.MAILED, {"mail": "received", "to": TALENT})
    assert find_first_broken_event(consent) is None


def test_retake_is_confirmed_again(factory: ConsentFactory) -> None:
    consent = factory.make_submitted_consent()
    request_retake(consent, factory.producer, "Words are missing.")
    factory.make_take(consent, make_clip(3))
    assert TalentMail.objects.filter(kind="received").count() == 2


def test_unusable_recording_is_not_confirmed(factory: ConsentFactory) -> None:
    factory.make_take(factory.make_consent(), make_clip()[:30_000] + b"\0" * 9)
    assert not TalentMail.objects.exists()


def test_withdrawal_is_mailed_to_talent_and_producer(factory: ConsentFactory) -> None:
    consent = withdraw(factory, "I changed my mind & more.")
    mails = run_mail_tasks()
    assert set(mails) == {TALENT, PRODUCER}
    body = mails[TALENT].body
    assert body.startswith("Dear Tilda Strand,\n\nYou withdrew your consent on ")
    assert "“I changed my mind & more.”" in body and "there is nothing to delete" in body
    assert "cannot undo a withdrawal" in body and "already produced with a voice stay" in body and PRODUCER in body
    assert "/reports/" in body and "/reports/" not in mails[PRODUCER].body
    assert "Tilda Strand withdrew the consent." in mails[PRODUCER].body
    assert consent.get_absolute_url() in mails[PRODUCER].body and consent.get_absolute_url() not in body


def test_withdrawal_on_behalf_is_labeled_in_both_mails(factory: ConsentFactory) -> None:
    withdraw(factory, "She called.", on_behalf=True)
    mails = run_mail_tasks()
    assert "Paula withdrew your consent on your behalf" in mails[TALENT].body
    assert "Paula withdrew the consent on behalf of the talent." in mails[PRODUCER].body


def test_withdrawal_mail_lists_what_is_to_be_deleted(factory: ConsentFactory, deletions: list[Deletion]) -> None:
    consent = factory.make_approved_consent()
    run_mail_tasks()
    deletions.append(make_deletion("Voice"))
    withdraw_consent(consent, None, "")
    mails = run_mail_tasks()
    for message in mails.values():
        assert "- Voice at Resemble AI: requested" in message.body
        assert deletions[0].how in message.body, "a legal hold, for example"
        assert "nothing to delete" not in message.body


@pytest.mark.parametrize("on_behalf", [False, True])
def test_decline_is_mailed_to_talent_and_producer(factory: ConsentFactory, on_behalf: bool) -> None:
    consent = factory.make_consent()
    decline_consent(consent, factory.producer if on_behalf else None, "No, thanks.")
    mails = run_mail_tasks()
    assert set(mails) == {TALENT, PRODUCER}
    assert ("Paula recorded on your behalf" in mails[TALENT].body) is on_behalf
    assert ("Paula declined on behalf of the talent." in mails[PRODUCER].body) is on_behalf
    assert "The recording that was sent before" not in mails[TALENT].body


def test_talent_without_address_gets_no_mail(factory: ConsentFactory) -> None:
    consent = factory.make_consent(factory.make_talent(email=""))
    decline_consent(consent, None, "")
    assert set(run_mail_tasks()) == {PRODUCER}
    assert consent.events.latest("sequence").kind == EventKind.DECLINED


def test_studio_gets_the_mail_if_the_producer_has_no_address(factory: ConsentFactory) -> None:
    factory.producer.email = ""
    factory.producer.save()
    withdraw(factory)
    assert set(run_mail_tasks()) == {TALENT, "voicehub@localhost"}


def test_all_deleted_is_mailed_once_after_the_last_confirmation(
    factory: ConsentFactory, deletions: list[Deletion]
) -> None:
    consent = withdraw(factory)
    run_mail_tasks()
    report_all_deleted_if_done(consent)
    assert not TalentMail.objects.filter(kind="deleted").exists(), "there was nothing to delete"
    deletions += [make_deletion("Voice", timezone.now()), make_deletion("Files")]
    report_all_deleted_if_done(consent)
    assert not TalentMail.objects.filter(kind="deleted").exists(), "one deletion is open"
    deletions[1] = make_deletion("Files", timezone.now())
    for _ in range(3):
        report_all_deleted_if_done(consent)
    mails = run_mail_tasks()
    assert TalentMail.objects.filter(kind="deleted").count() == 2 and set(mails) == {TALENT, PRODUCER}
    assert mails[TALENT].subject == "Your voice is deleted at Resemble AI"
    assert "- Voice at Resemble AI: deleted" in mails[TALENT].body
    assert "- Files at Resemble AI: deleted" in mails[PRODUCER].body


def test_repeated_task_sends_nothing(factory: ConsentFactory) -> None:
    withdraw(factory)
    assert len(run_mail_tasks()) == 2
    assert run_mail_tasks() == {}
    mailed = Consent.objects.get().events.filter(kind=EventKind.MAILED)
    assert sorted(event.payload["mail"] for event in mailed) == ["approved", "received", "withdrawn"]


def test_mail_that_was_not_stored_as_sent_is_sent_again_with_the_same_link(
    factory: ConsentFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    consent = withdraw(factory)
    stored = TalentMail.objects.get(kind="withdrawn", recipient="talent")

    def crash(*_args: object, **_fields: object) -> None:
        raise RuntimeError("The worker was killed.")

    with monkeypatch.context() as patch:
        patch.setattr(talent_mails, "record_event", crash)
        with pytest.raises(RuntimeError):
            send_talent_mail(str(stored.pk))
    stored.refresh_from_db()
    assert stored.sent_at is None
    send_talent_mail(str(stored.pk))
    first, second = (message.body for message in mail.outbox[-2:])
    assert first == second
    link = next(word for word in first.split() if "/reports/" in word)
    assert Client().get(link).status_code == 200
    assert consent.events.filter(kind=EventKind.MAILED, payload__mail="withdrawn").count() == 1


def test_refused_withdrawal_stores_no_mail(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    with pytest.raises(ActionRefused):
        withdraw_consent(consent, None, "")
    assert not TalentMail.objects.exists() and not Task.objects.filter(kind="send_talent_mail").exists()


def test_line_break_in_a_name_does_not_stop_the_mail(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    Consent.objects.filter(pk=consent.pk).update(company="Northlight\r\nBcc: x@y.test")
    consent.refresh_from_db()
    decline_consent(consent, None, "")
    assert run_mail_tasks()[TALENT].subject.endswith("of Northlight Bcc: x@y.test")


def test_mail_stays_stored_when_the_mail_server_refuses_it(
    factory: ConsentFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    withdraw(factory)
    monkeypatch.setattr(mail.EmailMessage, "send", lambda *_args, **_named: (_ for _ in ()).throw(OSError("refused")))
    for row in TalentMail.objects.filter(kind="withdrawn"):
        with pytest.raises(OSError, match="refused"):
            send_talent_mail(str(row.pk))
    assert TalentMail.objects.filter(kind="withdrawn", sent_at=None).count() == 2
    assert timezone.now() - TalentMail.objects.latest("created_at").created_at < timedelta(minutes=1)


def test_withdrawal_promises_no_other_mail_if_all_was_deleted_before(
    factory: ConsentFactory, deletions: list[Deletion]
) -> None:
    deletions.append(make_deletion("A voice", timezone.now()))
    withdraw(factory)
    mails = run_mail_tasks()
    assert "All that was made with it is deleted already:" in mails[TALENT].body
    assert "Deleted already:" in mails[PRODUCER].body
    for message in mails.values():
        assert "A voice at Resemble AI: deleted" in message.body and "nother mail" not in message.body


def test_producer_who_left_gets_no_mail(factory: ConsentFactory, settings: Any) -> None:
    """The studio gets it, and the talent's mail names the address of the studio."""
    settings.DEFAULT_FROM_EMAIL = "Northlight <office@studio.test>"
    factory.producer.is_active = False
    factory.producer.save()
    withdraw(factory)
    mails = run_mail_tasks()
    assert set(mails) == {TALENT, "office@studio.test"}
    assert "office@studio.test" in mails[TALENT].body and PRODUCER not in mails[TALENT].body
