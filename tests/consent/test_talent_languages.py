"""The language of a talent's pages and mails: from the record, once released, and changed by the talent."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils.translation import get_language

from consent import extension_points
from consent.extension_points import HasVoices, ListDeletions, StopUse
from consent.models import Consent, EventKind, LanguageRelease, Notice, Talent
from consent.services import talent_languages
from consent.services.audit_log import find_first_broken_event
from consent.services.invitations import invite_talent, send_invitation
from consent.services.mail_texts import render_html
from consent.services.notices import build_notice
from consent.services.talent_languages import (
    change_language,
    end_release,
    find_language,
    list_offered_languages,
    release_language,
    speak_to,
)
from tests.consent.rows import ConsentFactory, get_guest_url, make_ticks, read_page
from voicehub.json_fields import hash_json
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.talent_languages import TALENT_LANGUAGES

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

TITLES = {
    "de": "Wer fragt", "fr": "Qui demande", "es": "Quién lo pide", "pt-br": "Quem pede", "ja": "お願いする会社",
}  # fmt: skip


@pytest.fixture
def consent(factory: ConsentFactory) -> Consent:
    return factory.make_consent()


def speak(consent: Consent, language: str, by: User | None = None) -> None:
    if by:
        release_language(language, by)
    Talent.objects.filter(pk=consent.talent_id).update(language=language)
    consent.talent.refresh_from_db()


@pytest.mark.parametrize("language", TITLES)
def test_pages_are_in_the_language_of_the_record_once_it_is_released(
    factory: ConsentFactory, consent: Consent, language: str
) -> None:
    client = factory.open_link(consent)
    url = get_guest_url("home", consent)
    speak(consent, language)
    page = read_page(client, url)
    assert '<html lang="en">' in page and "Who asks" in page and TITLES[language] not in page
    speak(consent, language, factory.producer)
    page = read_page(client, url)
    assert f'<html lang="{language}">' in page and TITLES[language] in page
    assert '<dl class="facts" lang="en">' in page and "Who asks" in page, "the English notice is one tap away"


def test_language_is_offered_until_its_release_ends(factory: ConsentFactory, consent: Consent) -> None:
    speak(consent, "de", factory.producer)
    assert find_language(consent.talent) == "de" and list_offered_languages() == ["en", "de"]
    end_release(LanguageRelease.objects.get(), factory.producer)
    assert find_language(consent.talent) == "en" and list_offered_languages() == ["en"]
    with pytest.raises(ActionRefused):
        end_release(LanguageRelease.objects.get(), factory.producer)


def test_release_says_when_the_translations_have_changed(
    factory: ConsentFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = release_language("fr", factory.producer)
    assert not talent_languages.is_catalog_changed(first)
    monkeypatch.setattr(talent_languages, "hash_catalog", lambda _language: "0" * 64)
    assert talent_languages.is_catalog_changed(first) and "fr" in list_offered_languages()
    second = release_language("fr", factory.producer)
    first.refresh_from_db()
    assert first.ended_by == factory.producer and not talent_languages.is_catalog_changed(second)


def test_talent_chooses_a_language_on_the_page_and_the_audit_log_has_it(
    factory: ConsentFactory, consent: Consent
) -> None:
    other = factory.make_consent(consent.talent, "advertising")
    client = factory.open_link(consent)
    home, url = get_guest_url("home", consent), get_guest_url("language", consent)
    assert url not in read_page(client, home), "there is no choice before another language is released"
    release_language("ja", factory.producer)
    assert url in read_page(client, home) and "日本語" in read_page(client, home)
    record = get_guest_url("record", consent)
    assert client.post(url, {"language": "ja", "page": record}).headers["Location"] == record
    consent.talent.refresh_from_db()
    assert consent.talent.language == "ja"
    for one in (consent, other):
        event = one.events.get(kind=EventKind.LANGUAGE_CHOSEN)
        assert event.actor is None and event.payload == {"language": "ja"}
        assert find_first_broken_event(one) is None
    client.post(url, {"language": "ja"})
    assert consent.events.filter(kind=EventKind.LANGUAGE_CHOSEN).count() == 1, "nothing changed"


@pytest.mark.parametrize("page", ["https://elsewhere.test/", "//elsewhere.test/", "/talents/", ""])
def test_choice_leads_only_to_pages_of_the_link(factory: ConsentFactory, consent: Consent, page: str) -> None:
    client = factory.open_link(consent)
    url = get_guest_url("language", consent)
    assert client.post(url, {"language": "en", "page": page}).headers["Location"] == get_guest_url("home", consent)


def test_talent_cannot_choose_a_language_that_is_not_offered_but_staff_can(
    factory: ConsentFactory, consent: Consent
) -> None:
    for language in ("de", "xx", ""):
        with pytest.raises(ActionRefused):
            change_language(consent.talent, language, None)
    assert change_language(consent.talent, "de", factory.producer)
    assert consent.events.get(kind=EventKind.LANGUAGE_CHOSEN).actor == factory.producer


def test_staff_choose_the_language_in_the_form(consent: Consent, producer_client: Client) -> None:
    url = reverse("consent:talent_edit", args=[consent.talent.pk])
    page = producer_client.get(url)
    assert "German (not released)" in page.content.decode()
    form = page.context["form"]
    fields = {"name": consent.talent.name, "email": consent.talent.email, "version": form["version"].value()}
    assert producer_client.post(url, {**fields, "language": "de"}).status_code == 302
    consent.talent.refresh_from_db()
    assert consent.talent.language == "de"
    assert consent.events.get(kind=EventKind.LANGUAGE_CHOSEN).payload == {"language": "de"}
    page_text = producer_client.get(consent.talent.get_absolute_url()).content.decode()
    assert "set the language of the talent&#x27;s pages and mails to German" in page_text


def test_stored_notice_has_both_languages_and_the_hash_covers_both(factory: ConsentFactory, consent: Consent) -> None:
    speak(consent, "de", factory.producer)
    client = factory.open_link(consent, is_read=False)
    with speak_to(consent.talent):
        fields, shown = make_ticks(consent), build_notice(consent)
    response = client.post(get_guest_url("begin", consent), fields)
    assert response.headers["Location"] == get_guest_url("record", consent)
    notice = Notice.objects.get(consent=consent)
    assert notice.content["language"] == "de"
    assert [section["title"] for section in notice.content["sections"]][0] == "Wer fragt"
    assert [section["title"] for section in notice.content["english"]][0] == "Who asks"
    assert notice.sha256 == hash_json(notice.content) == shown.sha256
    changed: dict[str, Any] = {**notice.content, "english": []}
    assert hash_json(changed) != notice.sha256


def test_another_language_needs_another_look_at_the_notice(factory: ConsentFactory, consent: Consent) -> None:
    client = factory.open_link(consent)
    assert client.get(get_guest_url("record", consent)).status_code == 200
    speak(consent, "de", factory.producer)
    response = client.get(get_guest_url("record", consent))
    assert response.status_code == 302 and response.headers["Location"] == get_guest_url("home", consent)


def test_audit_log_is_in_english_whatever_the_language_of_the_page(factory: ConsentFactory) -> None:
    consent = factory.make_approved_consent()
    speak(consent, "de", factory.producer)
    active: list[str | None] = []
    handler: tuple[StopUse, ListDeletions, HasVoices] = (
        lambda _consent: active.append(get_language()),
        lambda _consent: [],
        lambda _consent: False,
    )
    extension_points._stop_handlers.append(handler)
    try:
        client = factory.open_link(consent, is_read=False)
        client.post(get_guest_url("withdraw", consent))
    finally:
        extension_points._stop_handlers.remove(handler)
    assert active == ["en"]


def send_invitation_mail(factory: ConsentFactory, consent: Consent) -> mail.EmailMultiAlternatives:
    invitation = invite_talent([consent], factory.producer)
    mail.outbox.clear()
    send_invitation(str(invitation.pk))
    (message,) = mail.outbox
    assert isinstance(message, mail.EmailMultiAlternatives)
    return message


@pytest.mark.parametrize("language", TITLES)
def test_mails_are_text_and_html_in_the_language_of_the_talent(
    factory: ConsentFactory, consent: Consent, language: str
) -> None:
    english = send_invitation_mail(factory, consent)
    assert english.subject == "Northlight Voices requests your voice consent"
    speak(consent, language, factory.producer)
    message = send_invitation_mail(factory, consent)
    assert message.subject != english.subject and "Northlight Voices" in message.subject
    assert "Dear" not in str(message.body) and "  " not in str(message.body)
    ((content, kind),) = message.alternatives
    html = str(content)
    assert kind == "text/html" and f'<html lang="{language}">' in html
    link = next(line for line in str(message.body).splitlines() if line.startswith("http"))
    assert f'<a href="{link}"' in html
    assert "http://" not in html.replace(link, ""), "a mail loads nothing from elsewhere"


def test_html_of_a_mail_escapes_what_people_wrote() -> None:
    html = render_html("Hello", "Dear <b>Tilda</b>,\n\n- one\n- <i>two</i>\n\nhttps://elsewhere.test/x is a link")
    assert "<b>" not in html and "&lt;b&gt;Tilda" in html and "<li>&lt;i&gt;two" in html
    assert 'href="https://elsewhere.test/x"' in html and "Open the page" not in html, "only our own links are buttons"


@pytest.mark.parametrize(("wanted", "language"), [("de-DE,de;q=0.9", "de"), ("fr", "en"), ("", "en")])
def test_page_without_a_talent_is_in_an_offered_language_of_the_browser(
    factory: ConsentFactory, wanted: str, language: str
) -> None:
    release_language("de", factory.producer)
    response = Client().get("/invitation/", headers={"Accept-Language": wanted})
    assert f'<html lang="{language}">' in response.content.decode()


def test_staff_pages_stay_in_english(consent: Consent, producer_client: Client, factory: ConsentFactory) -> None:
    speak(consent, "de", factory.producer)
    response = producer_client.get(consent.get_absolute_url(), headers={"Accept-Language": "de"})
    assert '<html lang="en"' in response.content.decode() and "Narration and audiobooks" in response.content.decode()


def test_admin_reads_the_texts_releases_a_language_and_ends_it(client: Client, admin: User) -> None:
    client.force_login(admin)
    texts = client.get(reverse("admin:consent_languagerelease_texts", args=["de"])).content.decode()
    assert "Who asks" in texts and "Wer fragt" in texts
    add, listing = reverse("admin:consent_languagerelease_add"), reverse("admin:consent_languagerelease_changelist")
    assert client.post(add, {"language": "de"}).status_code == 302
    assert client.post(add, {"language": "de"}).status_code == 302, "a new release ends the one before"
    assert list_offered_languages() == ["en", "de"] and LanguageRelease.objects.count() == 2
    release = LanguageRelease.objects.get(ended_at=None)
    assert release.released_by == admin
    client.post(listing, {"action": "end", "_selected_action": [str(release.pk)]})
    assert list_offered_languages() == ["en"]
    client.post(listing, {"action": "renew", "_selected_action": [str(release.pk)]})
    assert list_offered_languages() == ["en", "de"] and len(TALENT_LANGUAGES) == 6


def test_heading_of_a_request_names_its_language_in_that_of_the_page(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    client, url = factory.open_link(consent), get_guest_url("home", consent)
    assert "Resemble AI, English (US)</h2>" in read_page(client, url)
    release_language("de", factory.producer)
    Talent.objects.filter(pk=consent.talent_id).update(language="de")
    assert "Resemble AI, Englisch (Vereinigte Staaten)</h2>" in read_page(client, url)


def test_only_admins_release_languages(make_person: Callable[..., User]) -> None:
    client = Client()
    client.force_login(make_person("paul", "producer", is_staff=True))
    assert client.post(reverse("admin:consent_languagerelease_add"), {"language": "de"}).status_code == 403
    assert list_offered_languages() == ["en"]
