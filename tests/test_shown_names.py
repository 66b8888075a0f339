"""Without the permission, every page has short names instead of real ones, and no contacts or fees."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.test import Client
from django.urls import reverse

from consent.models import Consent, ConsentStatus, EventKind, Invitation, Question, Talent, TalentMail
from consent.names import hide_names, make_short_name
from consent.services.audit_log import record_event
from consent.services.talent_mails import send_talent_mail
from tests.access_matrix import list_studio_urls
from tests.damaged_studio import make_damageable_studio
from tests.support.html import read_html
from tests.test_urls import ACCESS
from tests.voices.rows import Studio, make_main_account
from voicehub.mail_refusals import REFUSED
from voicehub.models import Task, TaskStatus, User
from voicehub.viewer import view_as
from voices.build_results import report
from voices.models import Build
from voices.services.staff_mails import send_build_mail

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

NAME, SHORT = "Zephyrine Quillfeather", "Zephyrine Q."
NAMES = ("quillfeather",)
CONTACTS = ("zq@people.test", "agent@people.test", "555-0199", "xylophones")
FEES = ("EUR 4711",)


class SecretStudio(Studio):
    def make_talent(self, name: str = NAME) -> Talent:
        contacts = {"email": "zq@people.test", "agent_email": "agent@people.test", "phone": "555-0199"}
        return Talent.objects.create(name=name, notes="Afraid of xylophones.", created_by=self.producer, **contacts)

    def make_contract(self, talent: Talent, **fields: Any) -> Any:
        return super().make_contract(talent, **{"compensation": "EUR 4711", **fields})


@pytest.fixture
def studio(producer: User) -> Studio:
    studio = SecretStudio(producer, make_main_account())
    make_damageable_studio(studio)
    consent = Consent.objects.filter(status=ConsentStatus.APPROVED).earliest("pk")
    invitation = Invitation.objects.create(
        talent=consent.talent, channel="mail", created_by=producer, sent_to="zq@people.test"
    )
    invitation.consents.add(consent)
    studio.make_consent(consent.talent, ConsentStatus.REQUESTED)
    Consent.objects.update(text=f"I, {NAME}, agree.")
    for one in Consent.objects.all():
        record_event(one, EventKind.OPENED, None)
        record_event(one, EventKind.INVITED, producer, to="zq@people.test")
        TalentMail.objects.create(consent=one, kind="received", recipient="talent", sent_to="zq@people.test")
        Question.objects.create(consent=one, invitation=invitation, text="How long?")
    reason = f"{REFUSED} zq@people.test: 550 5.1.1 <zq@people.test>: No such user"
    for kind in ("send_invitation", "send_talent_change"):
        Task.objects.create(kind=kind, object_id=str(invitation.pk), status=TaskStatus.FAILED, reason=reason)
    studio.make_contract(studio.make_talent())
    return studio


def read_all(client: Client, url: str) -> str:
    response: Any = client.get(url, headers={"Accept": "text/html"})
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return f"{response.headers} {body.decode(errors='replace')}"


def find_leaks(client: Client, secrets: tuple[str, ...]) -> list[str]:
    texts = {name: read_all(client, url) for name, url in list_studio_urls().items() if ACCESS[name][0] == "get"}
    texts |= {url: read_all(client, url) for url in list_more_urls()}
    return sorted(
        f"{name}: {secret}" for name, text in texts.items() for secret in secrets if secret.lower() in text.lower()
    )


def list_more_urls() -> list[str]:
    """Pages in other states: with a search, a sort, or all of a history. And the pages of every consent and build."""
    talents, search = reverse("consent:talent_list"), reverse("voices:search")
    rows = [*Consent.objects.all(), *Build.objects.all(), *Talent.objects.all()]
    return [
        f"{talents}?sort=name",
        f"{talents}?search=Zephyrine",
        f"{search}?q=Zephyrine",
        f"{reverse('voices:search_suggestions')}?q=Zephyrine",
        f"{reverse('consent:consent_list')}?sort=-talent",
        f"{reverse('voices:voice_list')}?sort=talent",
        *(row.get_absolute_url() for row in rows),
        *(f"{consent.get_absolute_url()}?log=all" for consent in Consent.objects.all()),
    ]


def test_viewers_see_no_real_name_contact_or_fee_on_any_page(
    studio: Studio, viewer: User, make_client: Callable[[User], Client]
) -> None:
    client = make_client(viewer)
    assert find_leaks(client, (*NAMES, *CONTACTS, *FEES)) == []
    assert SHORT in read_html(client.get(reverse("consent:talent_list")))


def test_engineers_see_names_but_no_contact_or_fee_on_any_page(
    studio: Studio, engineer: User, make_client: Callable[[User], Client]
) -> None:
    client = make_client(engineer)
    assert find_leaks(client, (*CONTACTS, *FEES)) == []
    assert NAME in read_html(client.get(reverse("consent:talent_list")))


def test_without_the_names_a_producer_sees_none(studio: Studio, make_person: Any, make_client: Any) -> None:
    """Each permission counts on its own, also beside all those that change something."""
    person = make_person("pia")
    hidden = ("view_names", "view_contacts", "read_contract", "hear_take")
    granted = Permission.objects.filter(group__name="producer").exclude(codename__in=hidden)
    person.user_permissions.set(granted)
    assert find_leaks(make_client(person), (*NAMES, *CONTACTS, *FEES)) == []


def test_producers_see_all_of_it(studio: Studio, producer: User, make_client: Callable[[User], Client]) -> None:
    """So that these tests would find a leak."""
    leaks = find_leaks(make_client(producer), (*NAMES, *CONTACTS, *FEES))
    assert {leak.rpartition(": ")[2] for leak in leaks} == {*NAMES, *CONTACTS, *FEES}
    assert len({leak.partition(": ")[0] for leak in leaks}) > 25


def test_search_is_no_way_to_test_a_name_or_address(
    studio: Studio, viewer: User, producer: User, make_client: Callable[[User], Client]
) -> None:
    """A search for a part of what is hidden finds as little as one for words that no row has."""
    urls = [f"{reverse(f'consent:{name}')}?search=" for name in ("talent_list", "consent_list", "open_requests")]
    urls += [f"{reverse(f'voices:{name}')}?search=" for name in ("voice_list", "build_list")]
    urls += [f"{reverse(f'voices:{name}')}?q=" for name in ("search", "search_suggestions")]
    client, guess = make_client(viewer), "nothing-like-it"
    for url in urls:
        empty = read_html(client.get(f"{url}{guess}"))
        assert SHORT not in empty, url
        for words in ("Quillfeather", "zq@people.test", "quillf"):
            page = read_html(client.get(f"{url}{words}"))
            assert count_links(page) == count_links(empty) and SHORT not in page, (url, words)
        assert count_links(read_html(client.get(f"{url}Zephyrine"))) > count_links(empty), url
    assert NAME in read_html(make_client(producer).get(f"{urls[0]}quillf"))


def count_links(page: str) -> int:
    return page.count("<a ")


def test_files_are_refused_in_words(studio: Studio, viewer: User, make_client: Callable[[User], Client]) -> None:
    client, urls = make_client(viewer), list_studio_urls()
    words = {
        "consent:contract": "does not include contracts and their fees",
        "consent:contract_file": "does not include contracts and their fees",
        "consent:take_audio": "does not include recordings of consents",
        "consent:take_original": "does not include recordings of consents",
    }
    for name, sentence in words.items():
        response = client.get(urls[name])
        assert response.status_code == 403 and sentence in read_html(response), name


def test_mails_have_the_name_that_their_reader_may_see(studio: Studio, viewer: User, producer: User) -> None:
    build = Build.objects.get(status="failed")
    for person, name in ((viewer, SHORT), (producer, NAME)):
        Build.objects.filter(pk=build.pk).update(started_by=person)
        Consent.objects.update(requested_by=person)
        send_build_mail(str(build.pk))
        consent = Consent.objects.earliest("pk")
        news = TalentMail.objects.create(consent=consent, kind="answered", recipient="producer", sent_to=person.email)
        send_talent_mail(str(news.pk))
        for message in mail.outbox[-2:]:
            text = f"{message.subject} {message.body}"
            assert message.to == [person.email]
            assert name in text and (name == NAME or "Quillfeather" not in text)
    assert len(mail.outbox) == 4


def test_report_of_a_build_has_the_name_that_its_reader_may_see(studio: Studio, viewer: User, producer: User) -> None:
    build = Build.objects.get(status="ready")
    for person, name in ((viewer, SHORT), (producer, NAME), (None, SHORT)):
        with view_as(person):
            assert name in repr(list(report._list_facts(report.load_report(build)))), person


def test_stored_statement_keeps_the_real_name(studio: Studio) -> None:
    """Evidence does not depend on who reads it."""
    consent = Consent.objects.earliest("pk")
    assert consent.talent_name == NAME and NAME in consent.text


@pytest.mark.parametrize(
    ("text", "stored", "current"),
    [
        ("私、山田太郎は、同意します。", "山田太郎", "山田太郎"),
        ("저 김민수는 동의합니다.", "김민수", "김민수"),
        ("I, ZEPHYRINE QUILLFEATHER, agree.", NAME, "Zephyrine Marsh"),
        ("I, Zephyrine Oldname, agree.", "", "Zephyrine Newname"),
    ],
)
def test_statement_shows_no_name_of_before_and_in_no_script(
    studio: Studio, viewer: User, make_client: Callable[[User], Client], text: str, stored: str, current: str
) -> None:
    consent = Consent.objects.filter(status=ConsentStatus.APPROVED).earliest("pk")
    Talent.objects.filter(pk=consent.talent_id).update(name=current, short_name="Z.")
    Consent.objects.filter(pk=consent.pk).update(text=text, talent_name=stored, text_sha256="f" * 64)
    page = read_html(make_client(viewer).get(consent.get_absolute_url()))
    for secret in (stored or "Oldname", current, "f" * 64):
        assert secret.casefold() not in page.casefold()
    assert "Z." in page
    assert ("Your role does not include the text" in page) == (not stored)


def test_part_of_a_longer_word_is_no_name(viewer: User) -> None:
    with view_as(viewer):
        assert hide_names("Al alone is Al.", "Al", short_name="A.") == "A. alone is A.."


@pytest.mark.parametrize(
    ("name", "short_name"),
    [
        ("Lind, Sally", "Sally L."),
        ("Sally Lindberg (Kim)", "Sally L."),
        ("Dr. Sally Lindberg", "Sally L."),
        ("Dr. Lindberg", "L."),
        ("J. Lindberg", "J. L."),
        ("Sally L.", "Sally L."),
        ("Sally Lancaster", "Sally L."),
        ("Anna Maria van Dyk", "Anna D."),
        ("Cher", "C."),
        ("山田 太郎", "山田 太."),
        ("", "Talent"),
    ],
)
def test_short_name_follows_from_the_name(name: str, short_name: str) -> None:
    assert make_short_name(name) == short_name


def test_short_name_is_edited_and_follows_a_new_name(talent: Talent, producer_client: Client) -> None:
    url, form = reverse("consent:talent_edit", args=[talent.pk]), {"name": "Tara Okafor", "language": "en"}
    assert talent.short_name == "Tara O."
    producer_client.post(url, {**form, "short_name": "Tara"})
    talent.refresh_from_db()
    assert talent.short_name == "Tara"
    producer_client.post(url, {**form, "name": "Tara Bello", "short_name": ""})
    talent.refresh_from_db()
    assert talent.short_name == "Tara B."
    producer_client.post(url, {**form, "name": "Tara Cole", "short_name": "Tara B."})
    talent.refresh_from_db()
    assert talent.short_name == "Tara C."
