"""Reminders of unanswered invitations, requests that end unanswered, and news of the review."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import Capture, Consent, ConsentStatus, Contract, EventKind, Invitation, TalentMail
from consent.services.expiry import expire_unanswered_requests
from consent.services.invitations import invite_talent, revoke_invitation
from consent.services.private_links import find_mailed_link
from consent.services.reminders import MAX_REMINDERS, remind_talent, remind_talents
from consent.services.review import request_retake
from consent.services.takes import submit_take
from tests.consent.rows import ConsentFactory, make_clip, make_upload
from tests.support.approval import approve_after_listening
from tests.support.task_runner import run_due_tasks
from voicehub.models import User
from voicehub.refusals import ActionRefused

pytestmark = pytest.mark.django_db


@pytest.fixture
def invitation(factory: ConsentFactory) -> Invitation:
    """An invitation that was mailed now."""
    invite_talent([factory.make_consent()], factory.producer)
    run_due_tasks("send_invitation")
    mail.outbox.clear()
    return Invitation.objects.get()


def pass_days(invitation: Invitation, days: float) -> None:
    """Move everything that has happened to the invitation so many days into the past."""
    invitation.refresh_from_db()
    for name in ("sent_at", "reminded_at", "expires_at"):
        if moment := getattr(invitation, name):
            setattr(invitation, name, moment - timedelta(days=days))
    invitation.save()


def send_due_reminders() -> list[str]:
    """The texts of the mails that are due, by recipient."""
    mail.outbox.clear()
    remind_talents()
    run_due_tasks("send_reminder")
    return [str(sent.body) for sent in mail.outbox]


def test_reminders_come_after_five_days_then_every_two_and_end_with_the_deadline(invitation: Invitation) -> None:
    link = find_mailed_link(invitation.consents.get(), invitation.sent_to)
    days = []
    for half_day in range(1, 2 * 16):
        pass_days(invitation, 0.5)
        if texts := send_due_reminders():
            days.append(half_day / 2)
            assert all(link in text for text in texts)
    assert days == [5, 7, 9, 11, 13]


def test_no_more_reminders_than_the_maximum(invitation: Invitation) -> None:
    for _ in range(2 * MAX_REMINDERS):
        pass_days(invitation, 6)
        Invitation.objects.update(expires_at=timezone.now() + timedelta(days=1))
        send_due_reminders()
    assert Invitation.objects.get().reminder_count == MAX_REMINDERS


def test_reminder_opens_the_same_page_and_is_in_the_audit_log(invitation: Invitation) -> None:
    pass_days(invitation, 5)
    (text,) = send_due_reminders()
    path = next(line for line in text.splitlines() if "/i/" in line).partition("testserver")[2]
    assert Client().get(path).status_code == 302
    event = invitation.consents.get().events.latest("sequence")
    assert (event.kind, event.actor, event.payload) == (EventKind.REMINDED, None, {"to": invitation.sent_to})


def test_link_of_an_earlier_version_is_not_in_the_reminder_and_still_works(invitation: Invitation) -> None:
    Invitation.objects.update(token_digest="0" * 64)
    pass_days(invitation, 5)
    (text,) = send_due_reminders()
    assert "/i/" not in text and "private link in our mail of" in text
    assert Invitation.objects.get().token_digest == "0" * 64


def answer(invitation: Invitation, _by: User) -> None:
    submit_take(invitation.consents.get(), make_upload(make_clip()), Capture.LINK)


@pytest.mark.parametrize("end", [answer, revoke_invitation], ids=["answered", "revoked"])
def test_nothing_is_sent_after_an_answer_or_a_revocation(
    invitation: Invitation, factory: ConsentFactory, end: Callable[..., Any]
) -> None:
    pass_days(invitation, 5)
    assert remind_talents() == 1
    end(invitation, factory.producer)
    mail.outbox.clear()
    run_due_tasks("send_reminder")
    assert mail.outbox == []
    pass_days(invitation, 3)
    assert remind_talents() == 0


def test_nothing_is_sent_if_the_contract_has_ended(invitation: Invitation, factory: ConsentFactory) -> None:
    Contract.objects.update(ends_on=timezone.localdate() - timedelta(days=1))
    pass_days(invitation, 5)
    assert send_due_reminders() == []
    pass_days(invitation, 2)
    with pytest.raises(ActionRefused, match="ended on"):
        remind_talent(Invitation.objects.get(), factory.producer)


def test_agent_gets_a_copy_without_the_link(invitation: Invitation) -> None:
    invitation.talent.agent_email = "agent@people.test"
    invitation.talent.save()
    pass_days(invitation, 5)
    send_due_reminders()
    first, copy = mail.outbox
    assert first.to == [invitation.sent_to] and "/i/" in str(first.body)
    assert copy.to == ["agent@people.test"] and "/i/" not in str(copy.body) and invitation.talent.name in str(copy.body)


def test_staff_send_a_reminder_at_most_once_a_day(invitation: Invitation, factory: ConsentFactory) -> None:
    with pytest.raises(ActionRefused, match="within the last day"):
        remind_talent(invitation, factory.producer)
    pass_days(invitation, 1.1)
    remind_talent(invitation, factory.producer)
    run_due_tasks("send_reminder")
    assert len(mail.outbox) == 1
    event = invitation.consents.get().events.latest("sequence")
    assert (event.kind, event.actor) == (EventKind.REMINDED, factory.producer)
    invitation.refresh_from_db()
    with pytest.raises(ActionRefused, match="within the last day"):
        remind_talent(invitation, factory.producer)


def test_two_reminders_at_the_same_moment_send_one(invitation: Invitation, factory: ConsentFactory) -> None:
    pass_days(invitation, 5)
    stale = Invitation.objects.get()
    assert remind_talents() == 1
    stale.reminded_at = None
    with pytest.raises(ActionRefused, match="at the same moment"):
        remind_talent(stale, factory.producer)


def test_page_of_the_consent_sends_a_reminder(invitation: Invitation, producer_client: Client) -> None:
    consent = invitation.consents.get()
    pass_days(invitation, 2)
    url = reverse("consent:remind", args=[consent.pk, invitation.pk])
    assert url in producer_client.get(consent.get_absolute_url()).content.decode()
    page = producer_client.post(url, follow=True).content.decode()
    assert "The reminder is being sent." in page and "reminded" in page
    page = producer_client.post(url, follow=True).content.decode()
    assert "A mail was sent within the last day." in page
    assert Invitation.objects.get().reminder_count == 1


# --- requests that end unanswered -------------------------------------------------------------


def end_link(invitation: Invitation, days_ago: float = 0) -> None:
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=timezone.now() - timedelta(days=days_ago))


def test_unanswered_request_expires_with_its_link_and_the_producer_is_told(invitation: Invitation) -> None:
    consent = invitation.consents.get()
    assert expire_unanswered_requests() == 0
    end_link(invitation)
    assert expire_unanswered_requests() == 1
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.EXPIRED
    event = consent.events.latest("sequence")
    assert (event.kind, event.actor_name, event.payload) == (EventKind.EXPIRED, "VoiceHub", {"is_unanswered": True})
    run_due_tasks("send_talent_mail")
    (sent,) = mail.outbox
    assert sent.to == [consent.requested_by.email] and "did not answer the request in time" in str(sent.body)
    assert expire_unanswered_requests() == 0


def test_old_unanswered_requests_expire_without_a_mail(invitation: Invitation) -> None:
    end_link(invitation, days_ago=30)
    assert expire_unanswered_requests() == 1
    assert not TalentMail.objects.exists()


def test_request_with_another_link_in_time_does_not_expire(invitation: Invitation, factory: ConsentFactory) -> None:
    end_link(invitation)
    invite_talent([invitation.consents.get()], factory.producer)
    assert expire_unanswered_requests() == 0


def test_request_that_was_never_sent_and_retake_do_not_expire(invitation: Invitation, factory: ConsentFactory) -> None:
    factory.make_consent(purpose="advertising")
    answered = invitation.consents.get()
    submit_take(answered, make_upload(make_clip()), Capture.LINK)
    answered.refresh_from_db()
    request_retake(answered, factory.producer, "Too quiet.")
    end_link(invitation, days_ago=1)
    assert expire_unanswered_requests() == 0
    assert set(Consent.objects.values_list("status", flat=True)) == {ConsentStatus.REQUESTED}


# --- news of the answer and of the review -----------------------------------------------------


def test_producer_is_told_of_the_talents_answer_but_not_of_an_own_recording(
    invitation: Invitation, factory: ConsentFactory
) -> None:
    consent = invitation.consents.get()
    submit_take(consent, make_upload(make_clip()), Capture.LINK)
    (row,) = TalentMail.objects.filter(kind=TalentMail.Kind.ANSWERED)
    assert row.sent_to == factory.producer.email
    run_due_tasks("send_talent_mail")
    (sent,) = [sent for sent in mail.outbox if sent.to == [factory.producer.email]]
    assert "has recorded the statement" in str(sent.body) and consent.get_absolute_url() in str(sent.body)
    other = factory.make_consent(purpose="advertising")
    submit_take(other, make_upload(make_clip()), Capture.IN_STUDIO, by=factory.producer)
    assert TalentMail.objects.filter(kind=TalentMail.Kind.ANSWERED).count() == 1


def test_talent_is_told_of_a_retake_with_the_link_and_of_the_approval(
    invitation: Invitation, factory: ConsentFactory
) -> None:
    consent = invitation.consents.get()
    link = find_mailed_link(consent, invitation.sent_to)
    for reason in ("Too quiet.", "Too loud."):
        submit_take(consent, make_upload(make_clip()), Capture.LINK)
        consent.refresh_from_db()
        request_retake(consent, factory.producer, reason)
        mail.outbox.clear()
        run_due_tasks("send_talent_mail")
        (sent,) = [sent for sent in mail.outbox if "once more" in sent.subject]
        assert reason in str(sent.body) and link in str(sent.body)
    approve_after_listening(consent, factory.make_take(consent), factory.producer)
    mail.outbox.clear()
    run_due_tasks("send_talent_mail")
    (sent,) = [sent for sent in mail.outbox if "in force" in sent.subject]
    assert sent.to == [consent.talent.email] and factory.producer.email in str(sent.body)
    assert EventKind.MAILED in set(consent.events.values_list("kind", flat=True))
