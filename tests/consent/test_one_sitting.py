"""One sitting: a tick for each purpose, one recording for the ticked ones, one review of all of them."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.test import Client
from django.utils import timezone

from consent.models import Capture, Consent, ConsentStatus, EventKind, Statement, Take, TalentMail
from consent.services.notices import build_notice
from consent.services.review import approve_recording, list_shared_reviews, request_retake
from consent.services.sittings import TICK_KINDS, list_recordable_consents
from consent.services.take_checks import check_take, handle_check_failure
from consent.services.takes import submit_take
from consent.services.talent_mails import send_talent_mail
from consent.talent_pages import FOR
from tests.consent.rows import (
    ConsentFactory,
    get_guest_url,
    get_invitation,
    get_url,
    make_clip,
    make_ticks,
    make_upload,
    read_page,
)
from tests.support.approval import backdate_playback, play_take
from tests.support.html import read_html
from voicehub.models import User
from voicehub.refusals import ActionRefused

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

Pair = tuple[Consent, Consent]


@pytest.fixture
def pair(factory: ConsentFactory) -> Pair:
    """Requests of one talent for two purposes with one statement."""
    talent = factory.make_talent()
    return factory.make_consent(talent, "narration"), factory.make_consent(talent, "advertising")


def begin(guest: Client, *consents: Consent, ticked: list[Consent] | None = None) -> Any:
    return guest.post(get_guest_url("begin", consents[0]), make_ticks(*consents, ticked=ticked))


def read_submit_url(guest: Client, consent: Consent) -> str:
    response = guest.get(get_guest_url("record", consent))
    return str(response.context["submit_url"])


def send(guest: Client, consent: Consent, clip: int = 0) -> Any:
    """Send a recording as the page of this consent does."""
    url = read_submit_url(guest, consent)
    headers = {"accept": "application/json"}
    return guest.post(url, {"file": make_upload(make_clip(clip)), "recorded": "on"}, headers=headers)


def list_statuses(*consents: Consent) -> list[str]:
    return [Consent.objects.get(pk=consent.pk).status for consent in consents]


def list_ticks(consent: Consent) -> list[tuple[str, str]]:
    events = consent.events.filter(kind__in=TICK_KINDS).order_by("sequence")
    return [(event.kind, event.payload["notice"]) for event in events]


def read_file(take: Take) -> bytes:
    with take.file.open("rb") as file:
        content: bytes = file.read()
    return content


def submit_pair(pair: Pair, by: User | None = None) -> tuple[Take, Take]:
    submit_take(pair[0], make_upload(make_clip()), Capture.LINK, others=[pair[1]], by=by)
    for consent in pair:
        consent.refresh_from_db()
    return pair[0].takes.get(), pair[1].takes.get()


# --- ticks --------------------------------------------------------------------------------


def test_purposes_with_one_statement_share_one_notice_and_have_a_tick_each(factory: ConsentFactory, pair: Pair) -> None:
    page = read_page(factory.open_link(*pair, is_read=False), get_guest_url("home", pair[0]))
    assert page.count(">Who asks</dt>") == 1 and page.count('form="begin"') == 2 and "checked" not in page
    for consent in pair:
        assert f'value="{consent.pk}"' in page
    for section in build_notice(pair[0]).sections:
        assert section.title in page


def test_what_differs_between_the_purposes_stands_beside_their_ticks(factory: ConsentFactory, pair: Pair) -> None:
    contract = pair[1].talent.contracts.get(purposes=["advertising"])
    type(contract).objects.filter(pk=contract.pk).update(compensation="EUR 3,000 for each campaign")
    guest = factory.open_link(*pair, is_read=False)
    (group,) = guest.get(get_guest_url("home", pair[0])).context["groups"]
    own = {choice.consent.purpose: [section.key for section in choice.sections] for choice in group.choices}
    assert own == {"narration": ["pay"], "advertising": ["pay"]}
    assert "company" in {section.key for section in group.sections}
    shown = {text for section in group.sections for text in section.paragraphs}
    for choice in group.choices:
        words = {text for section in choice.sections for text in section.paragraphs}
        said = {text for section in build_notice(choice.consent).sections for text in section.paragraphs}
        assert said - shown - words == {f"{choice.consent.get_purpose_display()}."}  # the name is beside the tick


def test_a_single_request_needs_one_tick_too(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    guest = factory.open_link(consent, is_read=False)
    assert "required" in read_page(guest, get_guest_url("home", consent))
    refused = begin(guest, consent, ticked=[])
    assert refused.status_code == 422 and "Tick at least one purpose to continue." in read_html(refused)
    assert guest.get(get_guest_url("record", consent)).headers["Location"] == get_guest_url("home", consent)
    assert not list_ticks(consent) and get_invitation(consent).opened_at is None
    assert begin(guest, consent).headers["Location"] == get_guest_url("record", consent)


def test_page_with_a_problem_leads_back_when_it_is_reloaded(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    guest = factory.open_link(consent, is_read=False)
    assert guest.get(get_guest_url("begin", consent)).headers["Location"] == get_guest_url("home", consent)


def test_audit_logs_say_what_was_ticked_and_what_was_not(factory: ConsentFactory, pair: Pair) -> None:
    guest = factory.open_link(*pair, is_read=False)
    for _ in range(2):
        begin(guest, *pair, ticked=[pair[0]])
    first, second = (build_notice(consent).sha256 for consent in pair)
    assert list_ticks(pair[0]) == [(EventKind.TICKED, first)] and list_ticks(pair[1]) == [
        (EventKind.NOT_TICKED, second)
    ]
    assert [consent.notices.get().sha256 for consent in pair] == [first, second]
    begin(guest, *pair, ticked=[pair[1]])
    assert list_ticks(pair[0])[-1] == (EventKind.NOT_TICKED, first)
    assert list_ticks(pair[1])[-1] == (EventKind.TICKED, second)
    assert list_recordable_consents(get_invitation(pair[0])) == [pair[1]]


def test_tick_of_a_consent_of_another_talent_counts_for_nothing(factory: ConsentFactory, pair: Pair) -> None:
    other = factory.make_consent(factory.make_talent("Another Person"))
    factory.open_link(other, is_read=False)
    guest = factory.open_link(pair[0], is_read=False)
    response = begin(guest, pair[0], ticked=[other])
    assert response.status_code == 422
    assert not list_ticks(other) and Consent.objects.filter(ticked_at__isnull=False).count() == 0


def test_changed_notice_of_one_purpose_stores_no_tick(factory: ConsentFactory, pair: Pair) -> None:
    guest = factory.open_link(*pair, is_read=False)
    data = make_ticks(*pair)
    pair[1].valid_until = timezone.localdate() + timedelta(days=30)
    pair[1].save(update_fields=["valid_until"])
    response = guest.post(get_guest_url("begin", pair[0]), data, follow=True)
    assert "This page has changed since you opened it." in read_html(response)
    assert not list_ticks(pair[0]) and not list_ticks(pair[1])


def test_purpose_without_a_contract_cannot_be_ticked(factory: ConsentFactory) -> None:
    talent = factory.make_talent()
    allowed = factory.make_consent(talent)
    forbidden = factory.make_consent(talent, "advertising", has_contract=False)
    guest = factory.open_link(allowed, is_read=False)
    get_invitation(allowed).consents.add(forbidden)
    page = read_page(guest, get_guest_url("home", allowed))
    assert "disabled" in page and "no contract of yours allows it" in page
    begin(guest, allowed, ticked=[allowed, forbidden])
    assert list_recordable_consents(get_invitation(allowed)) == [allowed] and not list_ticks(forbidden)


# --- one recording ------------------------------------------------------------------------


def test_recording_is_for_the_ticked_purposes_and_no_other(factory: ConsentFactory, pair: Pair) -> None:
    third = factory.make_consent(pair[0].talent, "internal")
    guest = factory.open_link(*pair, third, is_read=False)
    begin(guest, *pair, third, ticked=[pair[0], third])
    page = read_page(guest, get_guest_url("record", pair[0]))
    assert "This recording is for:" in page and "Internal use" in page and "Advertising" not in page
    assert send(guest, pair[0]).json()["next"] == get_guest_url("receipt", pair[0])
    assert list_statuses(*pair, third) == [ConsentStatus.SUBMITTED, ConsentStatus.REQUESTED, ConsentStatus.SUBMITTED]
    first, second = pair[0].takes.get(), third.takes.get()
    assert first.sha256 == second.sha256 and first.sitting == second.sitting and first.sitting
    assert first.file.name != second.file.name and read_file(first) == read_file(second) == make_clip()
    assert not pair[1].takes.exists()
    for consent, take in ((pair[0], first), (third, second)):
        event = consent.events.get(kind=EventKind.TAKE)
        assert (event.payload["take"], event.payload["sitting"]) == (str(take.pk), str(take.sitting))
        assert event.payload["notice"] == build_notice(consent).sha256


def test_purpose_without_a_tick_stays_open_and_can_be_ticked_or_declined_later(
    factory: ConsentFactory, pair: Pair
) -> None:
    guest = factory.open_link(*pair, is_read=False)
    begin(guest, *pair, ticked=[pair[0]])
    send(guest, pair[0])
    home = read_page(guest, get_guest_url("home", pair[0]))
    assert "You did not tick this before. You can tick it now, or decline it." in home
    assert begin(guest, pair[1]).headers["Location"] == get_guest_url("record", pair[1])
    send(guest, pair[1], clip=1)
    assert list_statuses(*pair) == [ConsentStatus.SUBMITTED] * 2
    assert pair[1].takes.get().sitting is None


@pytest.mark.parametrize("named", [False, True])
def test_recording_page_opened_before_a_tick_was_removed_does_not_serve_it(
    factory: ConsentFactory, pair: Pair, *, named: bool
) -> None:
    guest = factory.open_link(*pair)
    url = read_submit_url(guest, pair[0])
    assert FOR in url
    begin(guest, *pair, ticked=[pair[0]] if named else [pair[1]])
    response = guest.post(url, {"file": make_upload(make_clip())}, headers={"accept": "application/json"})
    if named:
        assert response.status_code == 200
        assert list_statuses(*pair) == [ConsentStatus.SUBMITTED, ConsentStatus.REQUESTED]
    else:
        assert response.status_code == 409 and "tick what you agree to" in response.json()["problem"]
        assert not Take.objects.exists()


def test_recording_serves_no_purpose_that_its_page_did_not_name(factory: ConsentFactory, pair: Pair) -> None:
    guest = factory.open_link(*pair, is_read=False)
    begin(guest, *pair, ticked=[pair[0]])
    url = read_submit_url(guest, pair[0])
    begin(guest, *pair)  # in another tab
    guest.post(url, {"file": make_upload(make_clip())})
    assert list_statuses(*pair) == [ConsentStatus.SUBMITTED, ConsentStatus.REQUESTED]


def test_takes_of_a_recording_are_stored_together_or_not_at_all(factory: ConsentFactory, pair: Pair) -> None:
    factory.make_take(pair[1])
    with pytest.raises(ActionRefused, match="no longer waiting"):
        submit_take(pair[0], make_upload(make_clip()), Capture.LINK, others=[pair[1]])
    assert not pair[0].takes.exists() and list_statuses(pair[0]) == [ConsentStatus.REQUESTED]


def test_failure_while_the_second_take_is_stored_stores_no_take(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[Take] = []
    save = Take.save

    def save_once(take: Take, *args: Any, **kwargs: Any) -> None:
        if saved:
            raise OSError("The disk is full.")
        saved.append(take)
        save(take, *args, **kwargs)

    monkeypatch.setattr(Take, "save", save_once)
    with pytest.raises(OSError, match="full"):
        submit_pair(pair)
    assert not Take.objects.exists() and list_statuses(*pair) == [ConsentStatus.REQUESTED] * 2


def test_recording_is_for_one_statement_only(factory: ConsentFactory, pair: Pair) -> None:
    stranger = factory.make_consent(factory.make_talent("Another Person"))
    with pytest.raises(ActionRefused, match="same statement"):
        submit_take(pair[0], make_upload(make_clip()), Capture.LINK, others=[stranger])
    assert not Take.objects.exists()


def test_large_upload_on_disk_is_copied_for_each_consent(pair: Pair) -> None:
    upload = TemporaryUploadedFile("statement.wav", "audio/wav", 0, None)
    upload.write(make_clip())
    upload.size = len(make_clip())
    upload.seek(0)
    submit_take(pair[0], upload, Capture.LINK, others=[pair[1]])
    assert [read_file(consent.takes.get()) for consent in pair] == [make_clip()] * 2


def test_next_ticked_statement_follows_the_recording(factory: ConsentFactory, pair: Pair) -> None:
    values = {"text": "{company} may use my voice.", "source": "A page", "source_date": date(2025, 1, 1)}
    Statement.objects.get_or_create(provider="speechgen", language="en-US", defaults=values)
    other = make_other_request(factory, pair[0])
    guest = factory.open_link(*pair, other)
    assert "After it you read 1 more text." in read_page(guest, get_guest_url("record", pair[0]))
    assert send(guest, pair[0]).json()["next"] == get_guest_url("record", other)
    page = read_page(guest, get_guest_url("record", other))
    assert "Your recording for Resemble AI has arrived. Now read the next text." in page
    assert send(guest, other, clip=1).json()["next"] == get_guest_url("receipt", other)
    takes = [consent.takes.get() for consent in (*pair, other)]
    assert takes[0].sitting == takes[1].sitting and takes[2].sitting is None


def make_other_request(factory: ConsentFactory, consent: Consent) -> Consent:
    from consent.services.invitations import request_consent

    other = request_consent(consent.talent, "speechgen", "en-US", "narration", factory.producer)
    factory.ensure_contract(other)
    return other


def test_group_gets_one_mail_to_the_talent_and_one_to_the_producer(pair: Pair, mailoutbox: list[Any]) -> None:
    submit_pair(pair)
    mails = TalentMail.objects.order_by("recipient")
    assert [(mail.kind, mail.recipient, list(mail.others.all())) for mail in mails] == [
        (TalentMail.Kind.ANSWERED, TalentMail.Recipient.PRODUCER, [pair[1]]),
        (TalentMail.Kind.RECEIVED, TalentMail.Recipient.TALENT, [pair[1]]),
    ]
    for mail in mails:
        send_talent_mail(str(mail.pk))
    assert all("Narration and audiobooks, Advertising" in message.body for message in mailoutbox)
    assert [consent.events.filter(kind=EventKind.MAILED).count() for consent in pair] == [1, 1]


def test_each_producer_is_told_about_their_own_requests(factory: ConsentFactory, pair: Pair, admin: User) -> None:
    Consent.objects.filter(pk=pair[1].pk).update(requested_by=admin)
    User.objects.filter(pk=admin.pk).update(email="anna@studio.test")
    submit_pair(pair)
    mails = TalentMail.objects.filter(kind=TalentMail.Kind.ANSWERED)
    assert {mail.sent_to: mail.consent for mail in mails} == {
        factory.producer.email: pair[0],
        "anna@studio.test": pair[1],
    }


def test_words_are_checked_once_for_all_takes(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    results: dict[str, Any] = {"measures": {}, "fine_peaks": [], "findings": [], "statement": {"verdict": "accept"}}
    checked: list[Take] = []

    def run_checks(take: Take) -> dict[str, Any]:
        checked.append(take)
        return results

    monkeypatch.setattr("consent.services.take_checks._run_checks", run_checks)
    first, second = submit_pair(pair)
    from voicehub.models import Task

    assert list(Task.objects.filter(kind="check_take").values_list("object_id", flat=True)) == [str(first.pk)]
    check_take(str(first.pk))
    for take in (first, second):
        take.refresh_from_db()
        assert take.check_made.statement["verdict"] == "accept" and take.check_made.checked_at
    assert checked == [first]


def test_failed_check_ends_the_wait_of_all_takes(pair: Pair) -> None:
    takes = submit_pair(pair)
    handle_check_failure(str(takes[0].pk))
    assert all(Take.objects.get(pk=take.pk).check_made.error for take in takes)


def test_take_that_cannot_be_used_leaves_every_purpose_open(pair: Pair) -> None:
    submit_take(pair[0], make_upload(b"This is no sound."), Capture.LINK, others=[pair[1]])
    assert list_statuses(*pair) == [ConsentStatus.REQUESTED] * 2
    assert [take.acceptable for take in Take.objects.all()] == [False, False] and not TalentMail.objects.exists()


# --- decline ------------------------------------------------------------------------------


def test_talent_declines_the_ticked_purposes_only(factory: ConsentFactory, pair: Pair) -> None:
    guest = factory.open_link(*pair, is_read=False)
    page = read_page(guest, get_guest_url("home", pair[0]))
    assert "I do not want to give these consents" in page and "data-decline=" not in page
    url = get_guest_url("decline", pair[0])
    response = guest.post(url, {"choose": "1"}, follow=True)
    assert "Nothing was declined. Tick what you decline first." in read_html(response)
    guest.post(url, {"choose": "1", "purpose": [str(pair[1].pk)], "reason": "No ads."})
    assert list_statuses(*pair) == [ConsentStatus.REQUESTED, ConsentStatus.DECLINED]
    assert guest.post(url, {"choose": "1", "purpose": ["nonsense"]}).status_code == 404


# --- review -------------------------------------------------------------------------------


def test_reviewer_approves_every_purpose_of_a_recording_at_once(
    factory: ConsentFactory, pair: Pair, producer_client: Client
) -> None:
    first, second = submit_pair(pair)
    page = read_page(producer_client, pair[1].get_absolute_url())
    assert "The same recording is also for:" in page and pair[0].get_absolute_url() in page
    assert 'name="all" checked' in page and "All 2 purposes" in page
    play_to_end(producer_client, first)
    approve(producer_client, pair[1], second, all="on")
    assert list_statuses(*pair) == [ConsentStatus.APPROVED] * 2
    for consent, take in ((pair[0], first), (pair[1], second)):
        assert consent.events.get(kind=EventKind.APPROVED).payload["take"] == str(take.pk)
    mail = TalentMail.objects.get(kind=TalentMail.Kind.APPROVED)
    assert {mail.consent, *mail.others.all()} == set(pair)


def play_to_end(client: Client, take: Take) -> None:
    assert play_take(client, take) == 200
    backdate_playback(client, take.seconds)


def approve(client: Client, consent: Consent, take: Take, **fields: str) -> Any:
    data = {"take": str(take.pk), "reason": "Checked by ear.", **fields}
    return client.post(get_url("approve", consent), data, follow=True)


def test_listening_to_one_take_counts_for_the_others_of_the_same_bytes(
    factory: ConsentFactory, pair: Pair, producer_client: Client
) -> None:
    first, second = submit_pair(pair)
    unheard = factory.make_consent(factory.make_talent("Another Person"))
    other = factory.make_take(unheard, make_clip(1))
    play_to_end(producer_client, first)
    approve(producer_client, pair[1], second)
    assert list_statuses(*pair) == [ConsentStatus.SUBMITTED, ConsentStatus.APPROVED]
    assert "Play the recording first." in read_html(approve(producer_client, unheard, other))


def test_purpose_with_a_problem_is_named_and_left(factory: ConsentFactory, pair: Pair, producer_client: Client) -> None:
    first, _second = submit_pair(pair)
    pair[1].talent.contracts.filter(purposes=["advertising"]).delete()
    play_to_end(producer_client, first)
    page = read_html(approve(producer_client, pair[0], first, all="on"))
    assert "1 consent is now in force: Resemble AI for narration and audiobooks." in page
    assert "Not approved: Resemble AI for advertising. No contract of Tilda Strand allows Resemble AI" in page
    assert list_statuses(*pair) == [ConsentStatus.APPROVED, ConsentStatus.SUBMITTED]


def test_refused_purpose_does_not_undo_the_others(factory: ConsentFactory, pair: Pair) -> None:
    first, _second = submit_pair(pair)
    approved, refused = approve_recording(first, factory.producer, played_at=None, reason="")
    assert not approved and {consent for consent, _refusal in refused} == set(pair)
    assert not TalentMail.objects.filter(kind=TalentMail.Kind.APPROVED).exists()


def test_retake_is_requested_for_every_purpose_of_the_recording(factory: ConsentFactory, pair: Pair) -> None:
    submit_pair(pair)
    request_retake(pair[1], factory.producer, "Please speak louder.")
    assert list_statuses(*pair) == [ConsentStatus.REQUESTED] * 2
    for consent in pair:
        consent.refresh_from_db()
        assert consent.note_to_talent == "Please speak louder."
        assert consent.events.filter(kind=EventKind.ASKED_AGAIN).count() == 1
    mail = TalentMail.objects.get(kind=TalentMail.Kind.RETAKE)
    assert (mail.consent, list(mail.others.all())) == (pair[1], [pair[0]])
    page = read_page(factory.open_link(*pair, is_read=False), get_guest_url("home", pair[0]))
    assert page.count("The studio asks you to read it once more: “Please speak louder.”") == 1


def test_recording_of_one_purpose_has_no_others(factory: ConsentFactory) -> None:
    consent = factory.make_submitted_consent()
    assert list_shared_reviews(consent.takes.get()) == []
    request_retake(consent, factory.producer, "Once more.")
    assert list_statuses(consent) == [ConsentStatus.REQUESTED]


def test_receipt_names_every_purpose_of_the_recording(factory: ConsentFactory, pair: Pair) -> None:
    guest = factory.open_link(*pair)
    send(guest, pair[0])
    page = read_page(guest, get_guest_url("receipt", pair[1]))
    assert "Narration and audiobooks, with Resemble AI" in page and "Advertising, with Resemble AI" in page
