"""The tick for one purpose at all providers: what it sets, and when the page offers none."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from consent.models import Consent, Contract, Purpose, Talent
from consent.services.invitations import request_consent
from tests.consent.rows import ConsentFactory, get_guest_url, make_ticks, read_page

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

PROVIDERS = ("resemble_v2", "audiostack", "speechgen")
ROW = re.compile(r'<div class="tick is-all" hidden>.*?data-tick-count></p>', re.DOTALL)
NARRATION, ADVERTISING = Purpose.NARRATION, Purpose.ADVERTISING


@pytest.fixture
def talent(factory: ConsentFactory) -> Talent:
    talent = factory.make_talent()
    factory.make_contract(talent, providers=list(PROVIDERS), purposes=[NARRATION, ADVERTISING])
    return talent


def request(factory: ConsentFactory, talent: Talent, *uses: tuple[str, Purpose], company: str = "") -> list[Consent]:
    return [
        request_consent(talent, provider, "en-US", purpose, factory.producer, company=company)
        for provider, purpose in uses
    ]


def read_rows(factory: ConsentFactory, *consents: Consent) -> list[str]:
    client = factory.open_link(*consents, is_read=False)
    return ROW.findall(read_page(client, get_guest_url("home", consents[0])))


def list_set_ticks(row: str) -> list[str]:
    (ids,) = re.findall(r'aria-controls="([^"]*)"', row)
    return str(ids).split()


def get_tick(consent: Consent) -> str:
    return f"tick-{consent.pk}"


def test_one_tick_sets_those_of_one_purpose_at_all_providers(factory: ConsentFactory, talent: Talent) -> None:
    consents = request(factory, talent, *((provider, NARRATION) for provider in PROVIDERS))
    client = factory.open_link(*consents, is_read=False)
    page = read_page(client, get_guest_url("home", consents[0]))
    (row,) = ROW.findall(page)
    assert list_set_ticks(row) == [get_tick(consent) for consent in consents]
    assert "Narration and audiobooks, with all 3 providers" in row
    assert "This sets the single ticks for Resemble AI, AudioStack, Speechgen." in row
    (box,) = re.findall(r"<input[^>]*>", row)
    assert "checked" not in box and "name=" not in box and "form=" not in box, "not ticked before, and never sent"
    assert page.count('name="purpose" value=') == 6 and page.count(' form="begin"') == 3
    assert (
        page.index('<h2 id="g3"') < page.index("Tick what you agree to") < page.index(row) < page.index(' form="begin"')
    )
    assert page.count("Tick what you agree to") == 1, "all requests are explained before one question"
    assert page.count("js/tick-all") == 1


def test_two_purposes_have_a_tick_each(factory: ConsentFactory, talent: Talent) -> None:
    uses = [(PROVIDERS[0], NARRATION), (PROVIDERS[0], ADVERTISING), (PROVIDERS[1], ADVERTISING)]
    consents = request(factory, talent, *uses, (PROVIDERS[2], NARRATION))
    narration, advertising = read_rows(factory, *consents)
    assert list_set_ticks(narration) == [get_tick(consents[0]), get_tick(consents[3])]
    assert list_set_ticks(advertising) == [get_tick(consents[1]), get_tick(consents[2])]
    assert "Advertising, with all 2 providers" in advertising


def test_one_provider_has_no_tick_for_all(factory: ConsentFactory, talent: Talent) -> None:
    consents = request(factory, talent, (PROVIDERS[0], NARRATION), (PROVIDERS[0], ADVERTISING))
    client = factory.open_link(*consents, is_read=False)
    page = read_page(client, get_guest_url("home", consents[0]))
    assert "is-all" not in page and "js/tick-all" not in page


def test_each_provider_with_another_purpose_has_no_tick_for_all(factory: ConsentFactory, talent: Talent) -> None:
    assert read_rows(factory, *request(factory, talent, (PROVIDERS[0], NARRATION), (PROVIDERS[1], ADVERTISING))) == []


def test_another_company_is_another_purpose(factory: ConsentFactory, talent: Talent) -> None:
    ours = request(factory, talent, (PROVIDERS[0], NARRATION), company="Northlight Voices")
    theirs = request(factory, talent, (PROVIDERS[1], NARRATION), company="Harbour Sound Ltd")
    assert read_rows(factory, *ours, *theirs) == []


def test_what_cannot_be_ticked_is_left_out(factory: ConsentFactory) -> None:
    talent = factory.make_talent()
    ended = factory.make_contract(talent, providers=list(PROVIDERS[:1]), purposes=[NARRATION])
    factory.make_contract(talent, providers=list(PROVIDERS[1:]), purposes=[NARRATION])
    closed, *others = request(factory, talent, *((provider, NARRATION) for provider in PROVIDERS))
    client = factory.open_link(closed, *others, is_read=False)
    Contract.objects.filter(pk=ended.pk).update(ends_on=timezone.localdate() - timedelta(days=1))
    (row,) = ROW.findall(read_page(client, get_guest_url("home", closed)))
    assert list_set_ticks(row) == [get_tick(consent) for consent in others]
    assert "Resemble AI" not in row and "all 2 providers" in row


def test_what_is_sent_are_the_single_ticks(factory: ConsentFactory, talent: Talent) -> None:
    consents = request(factory, talent, *((provider, NARRATION) for provider in PROVIDERS))
    client = factory.open_link(*consents, is_read=False)
    client.post(get_guest_url("begin", consents[0]), make_ticks(*consents, ticked=consents[:2]))
    kinds = [[event.kind for event in one.events.filter(kind__contains="ticked")] for one in consents]
    assert kinds == [["ticked"], ["ticked"], ["not_ticked"]]


def test_all_requests_are_declined_in_one_form(factory: ConsentFactory, talent: Talent) -> None:
    consents = request(factory, talent, *((provider, NARRATION) for provider in PROVIDERS))
    client = factory.open_link(*consents, is_read=False)
    page = read_page(client, get_guest_url("home", consents[0]))
    assert page.count('class="decline"') == 1 and page.count("I do not want to give these consents") == 1
    for consent in consents:
        assert f'id="decline-{consent.pk}" name="purpose" value="{consent.pk}" data-take="{consent.pk}"' in page
    ticked = [str(consent.pk) for consent in consents[:2]]
    client.post(get_guest_url("decline", consents[0]), {"choose": "1", "purpose": ticked, "reason": "No."})
    assert [Consent.objects.get(pk=one.pk).status for one in consents] == ["declined", "declined", "requested"]


def test_purposes_with_one_text_share_the_recording_that_declining_them_deletes(
    factory: ConsentFactory, talent: Talent
) -> None:
    uses = [(PROVIDERS[0], NARRATION), (PROVIDERS[0], ADVERTISING), (PROVIDERS[1], ADVERTISING)]
    first, second, other = request(factory, talent, *uses)
    page = read_page(factory.open_link(first, second, other, is_read=False), get_guest_url("home", first))
    takes = dict(re.findall(r'value="([^"]*)" data-take="([^"]*)"', page))
    assert takes == {str(first.pk): str(first.pk), str(second.pk): str(first.pk), str(other.pk): str(other.pk)}
