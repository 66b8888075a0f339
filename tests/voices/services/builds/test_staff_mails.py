"""Mails to the person who started a build, with a switch for each kind."""

from collections.abc import Callable

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.services.review import withdraw_consent
from providers.types import Handover
from tests.voices.services.builds.build_harness import BuildHarness
from voicehub.models import User
from voices.models import Account, Build, BuildStatus, RemoteVoice
from voices.services import staff_mails
from voices.services.accounts import pause_account, resume_account
from voices.services.builds.lifecycle import set_final_status

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

MakeHarness = Callable[[str], BuildHarness]
ADDRESS = "paula@studio.test"


@pytest.fixture(autouse=True)
def address(producer: User) -> None:
    producer.email = ADDRESS
    producer.save()


def list_mails(address: str = ADDRESS) -> list[tuple[str, str]]:
    """Subject and text of the mails to this address, except those about consents."""
    messages = [message for message in mail.outbox if message.to == [address]]
    return [(str(each.subject), str(each.body)) for each in messages if "consent" not in each.subject]


def test_person_who_started_the_build_is_told_once_that_the_voice_is_ready(make_harness: MakeHarness) -> None:
    harness = make_harness("resemble_v2")
    build = harness.finish_build(harness.start_build(harness.make_voice()))
    assert build.status == BuildStatus.READY
    harness.run_tasks(2)
    ((subject, text),) = list_mails()
    assert subject == "The voice Narrator is ready"
    assert build.get_absolute_url() in text and "Tilda Strand at Resemble AI" in text
    assert reverse("notifications") in text


@pytest.mark.parametrize("switch", ["mails_build_ready", "is_active", "email"])
def test_no_mail_is_sent_to_who_does_not_want_or_may_not_read_it(make_harness: MakeHarness, switch: str) -> None:
    harness = make_harness("resemble_v2")
    User.objects.filter(pk=harness.producer.pk).update(**{switch: "" if switch == "email" else False})
    build = harness.finish_build(harness.start_build(harness.make_voice()))
    harness.run_tasks(2)
    assert build.status == BuildStatus.READY and list_mails() == list_mails("") == []


@pytest.mark.parametrize("is_wanted", [True, False])
@pytest.mark.parametrize("status", [BuildStatus.DATASET_ISSUE, BuildStatus.CONSENT_REJECTED, BuildStatus.FAILED])
def test_build_that_needs_work_is_mailed_with_its_reason(
    make_harness: MakeHarness, status: BuildStatus, is_wanted: bool
) -> None:
    harness = make_harness("resemble_v2")
    harness.producer.mails_build_needs_work = is_wanted
    harness.producer.save()
    build = harness.start_build(harness.make_voice())
    Build.objects.filter(pk=build.pk).update(status=BuildStatus.TRAINING)
    build.refresh_from_db()
    set_final_status(build, status, issue="Two recordings are silent.")
    staff_mails.send_build_mail(str(build.pk))
    messages = [each for each in mail.outbox if each.to == [ADDRESS] and "Narrator" in each.subject]
    assert len(messages) == is_wanted
    assert all("Two recordings are silent." in each.body and "is ready" not in each.body for each in messages)


def test_build_that_needs_an_answer_is_mailed_once(make_harness: MakeHarness) -> None:
    harness = make_harness("speechgen")
    harness.sandbox.set_faults({"operation": "sg_clone", "do": "drop"})
    build = harness.start_build(harness.make_voice(), handover=Handover.ONE_FILE)
    for _ in range(8):
        harness.run_tasks()
    build.refresh_from_db()
    assert build.status == BuildStatus.UNCONFIRMED, build.issue
    ((subject, text),) = list_mails()
    assert subject == "The build of the voice Narrator needs your answer" and build.get_absolute_url() in text


def test_ready_build_whose_consent_was_withdrawn_meanwhile_is_not_mailed(make_harness: MakeHarness) -> None:
    harness = make_harness("resemble_v2")
    build = harness.finish_build(harness.start_build(harness.make_voice()))
    mail.outbox.clear()
    build.consent.refresh_from_db()
    withdraw_consent(build.consent, None, "")
    staff_mails.send_build_mail(str(build.pk))
    assert list_mails() == []


def test_rejected_key_is_mailed_to_who_waits_and_to_who_can_resume(
    make_harness: MakeHarness, make_person: Callable[..., User], admin: User
) -> None:
    harness = make_harness("resemble_v2")
    for person in (admin, make_person("vera", "viewer"), make_person("otto", "producer")):
        person.email = f"{person.username}@studio.test"
        person.save()
    harness.sandbox.set_faults({"operation": "create_voice", "do": "status:401"})
    build = harness.start_build(harness.make_voice())
    harness.run_tasks(2)
    assert Account.objects.get().paused_at
    ((subject, text),) = list_mails()
    assert subject == f"The account {harness.account.name} is paused"
    assert f"- {build.voice.name}" in text and "An admin can resume it" in text
    ((_subject, text),) = list_mails(admin.email)
    assert "You can resume it" in text and "- " not in text
    assert {address for message in mail.outbox for address in message.to} <= {ADDRESS, admin.email, "tilda@people.test"}


def test_pause_by_a_person_is_mailed_to_the_others_while_it_lasts(make_harness: MakeHarness, admin: User) -> None:
    harness = make_harness("resemble_v2")
    User.objects.filter(pk=admin.pk).update(email="adam@studio.test")
    harness.start_build(harness.make_voice())
    pause_account(harness.account, "Out of credits.", admin)
    harness.run_tasks()
    assert "Out of credits." in list_mails()[0][1] and list_mails("adam@studio.test") == []
    mail.outbox.clear()
    resume_account(harness.account)
    staff_mails.send_pause_mail(f"{harness.account.pk}:{harness.producer.pk}")
    assert list_mails() == []
    User.objects.filter(pk=harness.producer.pk).update(mails_account_paused=False)
    Account.objects.update(paused_at=timezone.now())
    staff_mails.send_pause_mail(f"{harness.account.pk}:{harness.producer.pk}")
    assert list_mails() == []


@pytest.mark.parametrize("is_wanted", [True, False])
def test_public_voice_is_mailed_once(make_harness: MakeHarness, is_wanted: bool) -> None:
    harness = make_harness("voiceai")
    User.objects.filter(pk=harness.producer.pk).update(mails_voice_public=is_wanted)
    harness.sandbox.set_faults({"operation": "va_clone", "do": "public"})
    harness.finish_build(harness.start_build(harness.make_voice(), handover=Handover.ONE_FILE))
    harness.run_tasks(3)
    assert RemoteVoice.objects.get().alert
    texts = [text for subject, text in list_mails() if subject == "The voice Narrator is public"]
    assert len(texts) == is_wanted
    assert all("Voice.ai shows the voice “Narrator”" in text for text in texts)


def test_each_user_switches_their_own_mails(producer_client: Client, producer: User, admin: User) -> None:
    url = reverse("notifications")
    assert ADDRESS in producer_client.get(url).content.decode()
    response = producer_client.post(url, {"mails_voice_public": "on", "is_superuser": "on"}, follow=True)
    assert b"Saved." in response.content
    for user in (producer, admin):
        user.refresh_from_db()
    assert producer.mails_voice_public and not producer.mails_build_ready and not producer.mails_account_paused
    assert not producer.is_superuser and admin.mails_build_ready
