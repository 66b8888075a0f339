"""A talent's page has one task: short answers first, and everything else in folds that are still on the page."""

import re
from typing import Any

import pytest
from django.test import Client

from consent.models import Consent, Talent
from consent.services.notices import build_notice
from consent.services.talent_languages import release_language
from consent.services.voice_comparison import build_question
from tests.consent.rows import ConsentFactory, get_guest_url, read_page
from tests.support.approval import approve_after_listening
from tests.support.html import read_html

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
FONT = re.compile(r'<link rel="preload" href="[^"]*inter-latin-wght-normal[^"]*" as="font"')
FOLD = re.compile(r"<details\b.*?</details>", re.DOTALL)


@pytest.fixture
def consent(factory: ConsentFactory) -> Consent:
    return factory.make_consent()


def test_pages_load_inter_except_in_japanese(factory: ConsentFactory, consent: Consent) -> None:
    client, url = factory.open_link(consent), get_guest_url("home", consent)
    assert FONT.search(read_page(client, url))
    release_language("ja", factory.producer)
    Talent.objects.filter(pk=consent.talent_id).update(language="ja")
    assert not FONT.search(read_page(client, url))


def test_answers_are_short_and_the_rest_is_in_folds(factory: ConsentFactory, consent: Consent) -> None:
    page = read_page(factory.open_link(consent), get_guest_url("home", consent))
    in_sight, purpose = FOLD.sub("", page), build_notice(consent).get_section("purpose")
    first, *others = purpose.paragraphs
    assert first in in_sight
    assert all(text in page and text not in in_sight for text in others)
    assert page.count("More about this") >= 3


def test_tick_of_the_voice_comparison_is_in_one_fold_with_all_its_words(
    factory: ConsentFactory, consent: Consent
) -> None:
    page = read_page(factory.open_link(consent), get_guest_url("home", consent))
    question, in_sight = build_question(consent.talent), FOLD.sub("", page)
    (fold,) = (fold for fold in FOLD.findall(page) if question.title in fold and 'name="is_allowed"' in fold)
    assert all(text in fold for text in (*question.paragraphs, question.question))
    assert 'name="is_allowed"' not in in_sight and "Without a tick, your voice is not compared." in in_sight


def test_button_says_that_a_tick_is_missing(factory: ConsentFactory, consent: Consent) -> None:
    page = read_page(factory.open_link(consent), get_guest_url("home", consent))
    assert '<a href="#ticks">Nothing is ticked yet</a>' in page
    assert page.count('id="ticks"') == 1


def test_way_back_is_at_the_top_of_the_recorder(factory: ConsentFactory, consent: Consent) -> None:
    page = read_page(factory.open_link(consent), get_guest_url("record", consent))
    assert page.index("Back: what this is about") < page.index("<main")
    assert "<li>" not in page[page.index("This recording is for:") : page.index("data-recorder")]


def test_receipt_says_what_holds_now(factory: ConsentFactory) -> None:
    consent = factory.make_submitted_consent()
    take, client, url = consent.takes.get(), factory.open_link(consent), get_guest_url("receipt", consent)
    assert "It has arrived." in read_page(client, url)
    approve_after_listening(consent, take, factory.producer)
    page = read_page(client, url)
    assert "It has arrived." not in page and "The studio has listened to your recording." in page
    assert re.search(r'<dd><time datetime="[^"]+">\w+ \d+, \d{4} at \d+:\d\d [AP]M</time></dd>', page)
    home = read_page(client, get_guest_url("home", consent))
    assert home.count(f"mailto:{factory.producer.email}") == 1
    assert 'class="papers"' in home


def test_dead_link_has_one_way_out(settings: Any) -> None:
    settings.DEFAULT_FROM_EMAIL = "Studio <studio@voices.test>"
    page = read_html(Client().get("/i/no-such-link/"))
    assert page.count("mailto:") == 1 and page.index("Open the link from the newest mail") < page.index("mailto:")
    assert page.index('class="icon lost"') < page.index("<h1>"), "the sign stands above the title"
    assert '<span class="quiet">studio@voices.test</span>' in page, "for those who cannot open a mail from here"
