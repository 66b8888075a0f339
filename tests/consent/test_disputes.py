"""The link "this was not me": the talent's report, the line on Today, and the answer of the studio."""

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from consent.models import Consent, ConsentStatus, EventKind, TalentMail
from consent.services.audit_log import find_first_broken_event
from consent.services.review import decline_consent, withdraw_consent
from consent.services.talent_mails import send_talent_mail
from tests.consent.rows import ConsentFactory, get_url, read_page
from tests.support.html import read_html
from voicehub.models import Task
from voicehub.tokens import hash_token, new_token, redact_links
from voices.views.consent_steps import list_consent_steps

pytestmark = [pytest.mark.django_db, pytest.mark.one_database, pytest.mark.usefixtures("reads_names")]


def send_mails() -> None:
    for task in Task.objects.filter(kind="send_talent_mail"):
        send_talent_mail(task.object_id)


def get_link(consent: Consent) -> str:
    """The path in the mail of the talent."""
    send_mails()
    bodies = [message.body for message in mail.outbox if message.to == [consent.talent.email]]
    link = next(word for body in reversed(bodies) for word in body.split() if "/reports/" in word)
    return link[link.index("/reports/") :]


def withdraw(factory: ConsentFactory, name: str = "Tilda Strand", email: str = "tilda@people.test") -> Consent:
    consent = factory.make_approved_consent(factory.make_talent(name, email))
    withdraw_consent(consent, None, "Changed my mind.")
    return consent


def get_talent_mail(consent: Consent) -> TalentMail:
    return consent.mails.get(kind__in=["declined", "withdrawn"], recipient="talent")


def list_kinds(consent: Consent) -> list[str]:
    return list(consent.events.values_list("kind", flat=True))


def test_get_shows_what_was_recorded_and_changes_nothing(factory: ConsentFactory) -> None:
    consent = withdraw(factory)
    path = get_link(consent)
    before = list(TalentMail.objects.values()), list_kinds(consent), Task.objects.count()
    client = Client()
    page = read_html(client.get(path))
    assert "You withdrew the consent" in page and "Changed my mind." in page and "stays in force" in page
    assert client.head(path).status_code == 200
    assert (list(TalentMail.objects.values()), list_kinds(consent), Task.objects.count()) == before


def test_page_is_private(factory: ConsentFactory) -> None:
    path = get_link(withdraw(factory))
    for response in (Client().get(path), Client().post(path), Client().get("/reports/unknown/")):
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert "noindex" in response.headers["X-Robots-Tag"] and "no-store" in response.headers["Cache-Control"]
    assert redact_links(f"GET {path}") == "GET /reports/…/"


@pytest.mark.parametrize("act", ["declined", "withdrawn"])
def test_report_is_recorded_once_and_mailed_to_the_producer(factory: ConsentFactory, act: str) -> None:
    factory.producer.email = "paula@studio.test"
    factory.producer.save()
    if act == "declined":
        consent = factory.make_consent()
        decline_consent(consent, None, "")
    else:
        consent = withdraw(factory)
    path = get_link(consent)
    mail.outbox.clear()
    client = Client(enforce_csrf_checks=True)
    for _ in range(3):
        assert client.post(path, headers={"origin": "null"}).headers["Location"] == path
    send_mails()
    assert list_kinds(consent).count(EventKind.DISPUTED) == 1
    assert [message.to for message in mail.outbox] == [["paula@studio.test"]]
    assert "Tilda Strand reports: this was not me" in mail.outbox[0].subject
    assert "stays in force until a person acts" in mail.outbox[0].body and path not in mail.outbox[0].body
    consent.refresh_from_db()
    assert consent.status == act, "it stays in force"
    assert "Your report has arrived" in read_html(client.get(path))
    assert find_first_broken_event(consent) is None


def test_unknown_tokens_show_the_closed_page(factory: ConsentFactory) -> None:
    consent = withdraw(factory)
    path = get_link(consent)
    digest = get_talent_mail(consent).token_digest
    assert digest == hash_token(path.split("/")[2]) and path.split("/")[2] not in str(list(TalentMail.objects.values()))
    for token in (digest, new_token()[0], "x", path.split("/")[2][:-1]):
        for method in (Client().get, Client().post):
            response = method(reverse("invitation:report", args=[token]))
            assert response.status_code == 404 and b"This link no longer works" in response.content
    assert EventKind.DISPUTED not in list_kinds(consent)


def test_token_of_a_mail_opens_no_other_page(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    private = factory.make_link(consent).split("/")[2]
    decline_consent(consent, None, "")
    report = get_link(consent).split("/")[2]
    assert Client().get(reverse("invitation:open", args=[report])).status_code == 404
    assert Client().get(reverse("invitation:report", args=[private])).status_code == 404


def test_report_concerns_only_the_consent_of_its_mail(factory: ConsentFactory) -> None:
    own = withdraw(factory)
    path = get_link(own)
    other = withdraw(factory, "Theo Brand", "theo@people.test")
    page = read_html(Client().post(path, follow=True))
    assert "Theo Brand" not in page
    assert EventKind.DISPUTED in list_kinds(own) and EventKind.DISPUTED not in list_kinds(other)


def test_receipt_and_producer_mails_have_no_report_link(factory: ConsentFactory) -> None:
    withdraw(factory)
    send_mails()
    with_token = TalentMail.objects.exclude(token_digest="")
    assert [(row.kind, row.recipient) for row in with_token] == [("withdrawn", "talent")]


def test_person_in_the_studio_sees_and_answers_the_report(factory: ConsentFactory, producer_client: Client) -> None:
    consent = withdraw(factory)
    path = get_link(consent)
    assert not list(list_consent_steps())
    Client().post(path)
    (step,) = list_consent_steps()
    assert (step.subject, step.action, step.permission) == (
        "Tilda Strand",
        "Answer the report",
        "consent.review_consent",
    )
    assert "Answer the report" in read_page(producer_client, "/")
    page = read_page(producer_client, step.url)
    assert 'id="report"' in page and "was not me" in page
    answer_url = get_url("answer_report", consent)
    assert b"Enter a reason" in producer_client.post(answer_url, {"reason": " "}, follow=True).content
    assert list(list_consent_steps()), "an answer needs a reason"
    for _ in range(2):
        response = producer_client.post(answer_url, {"reason": "Her brother had the link. It is revoked."}, follow=True)
    assert b"has already been answered" in response.content
    assert list_kinds(consent).count(EventKind.DISPUTE_CLOSED) == 1
    row = get_talent_mail(consent)
    assert row.resolved_by == factory.producer and row.resolved_at and row.disputed_at
    assert not list(list_consent_steps())
    assert 'id="report"' not in read_page(producer_client, consent.get_absolute_url())
    page = read_html(Client().get(path))
    assert "Her brother had the link." in page and str(factory.producer) in page
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.WITHDRAWN


def test_report_after_the_answer_changes_nothing(factory: ConsentFactory, producer_client: Client) -> None:
    consent = withdraw(factory)
    path = get_link(consent)
    Client().post(path)
    producer_client.post(get_url("answer_report", consent), {"reason": "It was her."})
    before = list(TalentMail.objects.order_by("pk").values())
    Client().post(path)
    assert list(TalentMail.objects.order_by("pk").values()) == before
    assert list_kinds(consent).count(EventKind.DISPUTED) == 1


def test_answer_without_a_report_is_refused(factory: ConsentFactory, producer_client: Client) -> None:
    consent = withdraw(factory)
    send_mails()
    response = producer_client.post(get_url("answer_report", consent), {"reason": "Nothing."}, follow=True)
    assert b"has already been answered" in response.content
    assert EventKind.DISPUTE_CLOSED not in list_kinds(consent)


def test_viewer_sees_the_report_without_the_form(factory: ConsentFactory, viewer_client: Client) -> None:
    consent = withdraw(factory)
    Client().post(get_link(consent))
    page = read_page(viewer_client, consent.get_absolute_url())
    assert "was not me" in page and get_url("answer_report", consent) not in page
