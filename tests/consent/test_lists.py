"""The lists of talents and consents: order, filters with counts, pages, permissions, and what their address keeps."""

from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.lists.consents import STATUS_ORDER, ConsentTable, query_consents
from consent.lists.talents import TalentTable
from consent.models import Consent, ConsentStatus, Talent
from consent.services.contracts import suspend_contract
from consent.services.review import request_retake, resume_consent, suspend_consent, withdraw_consent
from tests.consent.rows import ConsentFactory
from tests.support.lists import (
    allow_only,
    count_list_queries,
    read_headings,
    read_list,
    read_menu,
    read_rows,
    read_tabs,
)
from voicehub.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

TALENTS, CONSENTS = "consent:talent_list", "consent:consent_list"
ASK = "consent:consent_add"


def make_statuses(factory: ConsentFactory) -> None:
    """Four talents, each with one consent in another status."""
    withdrawn = factory.make_approved_consent(factory.make_talent("Wim Withdrawn"))
    withdraw_consent(withdrawn, factory.producer, "The talent asked for it.")
    factory.make_approved_consent(factory.make_talent("Ann Approved"))
    factory.make_submitted_consent(factory.make_talent("Sue Submitted"))
    factory.make_consent(factory.make_talent("Rob Requested"))


def test_request_begins_with_the_choice_of_the_talent(
    factory: ConsentFactory, producer_client: Client, outsider: User
) -> None:
    assert "Add the first talent" in read_list(producer_client, ASK)
    talent = factory.make_talent("Ann Asked")
    factory.make_consent(talent)
    factory.make_talent("Bo New")
    assert f'href="{reverse(ASK)}"' in read_list(producer_client, CONSENTS)
    assert read_rows(producer_client, ASK) == ["Ann Asked", "Bo New"]
    assert read_rows(producer_client, ASK, search="ann") == ["Ann Asked"]
    page = read_list(producer_client, ASK)
    assert list(read_headings(producer_client, ASK)) == ["Talent", "Contract", "Consents", "Next step"]
    assert f'href="{reverse("consent:consent_ask", args=[talent.pk])}"' in page
    client = allow_only(outsider, "consent.view_consent", "consent.add_consent")
    assert reverse(ASK) not in read_list(client, CONSENTS), "names of talents need another permission"
    assert client.get(reverse(ASK)).status_code == 403


# --- talents ------------------------------------------------------------------------------


def test_talents_who_wait_for_staff_come_first_by_consents(factory: ConsentFactory, producer_client: Client) -> None:
    make_statuses(factory)
    url = read_headings(producer_client, TALENTS)["Consents"][1]
    assert url == "?sort=-consents", "the first click sorts the worst first"
    names = read_rows(producer_client, TALENTS, sort="-consents")
    assert names == ["Sue Submitted", "Rob Requested", "Ann Approved", "Wim Withdrawn"]
    assert read_rows(producer_client, TALENTS, sort="consents")[-1] == "Sue Submitted"


@pytest.mark.both_databases
def test_names_are_sorted_without_case_and_accents(factory: ConsentFactory, producer_client: Client) -> None:
    names = ["anna", "Émile", "Frank", "Øyvind", "Wanda", "Żaneta"]
    for name in reversed(names):
        factory.make_talent(name)
    page = read_list(producer_client, TALENTS, sort="name")
    assert sorted(names, key=page.index) == names


def test_talents_without_a_contract_come_first_by_contract(factory: ConsentFactory, producer_client: Client) -> None:
    today = timezone.localdate()
    for name, ends_on in (("Open End", None), ("Late End", today + timedelta(90)), ("Soon End", today + timedelta(9))):
        factory.make_contract(factory.make_talent(name), ends_on=ends_on)
    factory.make_contract(factory.make_talent("Past End"), ends_on=date(2025, 6, 1))
    suspended = factory.make_contract(factory.make_talent("Sus Pended"))
    suspend_contract(suspended, factory.producer, "A dispute.")
    names = read_rows(producer_client, TALENTS, sort="contract")
    assert names == ["Past End", "Sus Pended", "Soon End", "Late End", "Open End"]
    page = read_list(producer_client, TALENTS)
    assert "Ends in 9 days" in page and "no end date" in page and "None in force" in page and ">Suspended<" in page
    counts = {"In force": 3, "Ends within 60 days": 1, "Suspended": 1, "None in force": 2}
    assert read_menu(producer_client, TALENTS, "Contract") == counts
    for value, count in zip(("in_force", "ending", "suspended", "none"), counts.values(), strict=True):
        assert len(read_rows(producer_client, TALENTS, contract=value)) == count


def test_a_talent_with_a_later_contract_is_not_ending(factory: ConsentFactory, producer_client: Client) -> None:
    talent, today = factory.make_talent(), timezone.localdate()
    factory.make_contract(talent, ends_on=today + timedelta(9))
    factory.make_contract(talent, ends_on=today + timedelta(200), purposes=["advertising"])
    assert "Ends in" not in read_list(producer_client, TALENTS)
    assert read_rows(producer_client, TALENTS, contract="ending") == []


def test_counts_of_the_tabs_are_those_of_their_rows(factory: ConsentFactory, producer_client: Client) -> None:
    make_statuses(factory)
    factory.make_talent("Nora None")
    tabs = read_tabs(producer_client, TALENTS)
    assert tabs == {"All": 5, "To review": 1, "Waiting for talent": 1, "Consent in force": 1, "Withdrawn": 1}
    assert read_rows(producer_client, TALENTS, show="withdrawn") == ["Wim Withdrawn"]
    assert read_tabs(producer_client, TALENTS, show="withdrawn") == tabs, "each tab counts without the chosen one"
    assert read_tabs(producer_client, TALENTS, search="sue")["All"] == 1, "the search narrows the counts"


@pytest.mark.both_databases
def test_every_word_of_a_search_must_match(factory: ConsentFactory, producer_client: Client) -> None:
    factory.make_talent("Anna Zorn", "az@people.test")
    factory.make_talent("Anna Berg", "ab@people.test")
    assert read_rows(producer_client, TALENTS, search=" zorn  anna ") == ["Anna Zorn"]


def test_approved_consent_past_its_last_day_is_not_in_force(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_approved_consent()
    assert ">1 in force<" in read_list(producer_client, TALENTS)
    Consent.objects.filter(pk=consent.pk).update(valid_until=timezone.localdate() - timedelta(1))
    assert "in force<" not in read_list(producer_client, TALENTS).replace("None in force<", "")
    assert read_tabs(producer_client, TALENTS)["Consent in force"] == 0


# --- consents -----------------------------------------------------------------------------


def test_consents_that_wait_come_first(factory: ConsentFactory, producer_client: Client) -> None:
    make_statuses(factory)
    names = ["Sue Submitted", "Rob Requested", "Ann Approved", "Wim Withdrawn"]
    assert read_rows(producer_client, CONSENTS) == names
    assert read_headings(producer_client, CONSENTS)["Status"] == ("ascending", "?sort=-status")
    assert read_rows(producer_client, CONSENTS, sort="-status") == names[::-1]
    assert set(STATUS_ORDER) == set(ConsentStatus), "each status has its place"


def test_oldest_of_the_waiting_consents_comes_first(factory: ConsentFactory, producer_client: Client) -> None:
    first, second = (factory.make_consent(factory.make_talent(name)) for name in ("Zoe First", "Abe Second"))
    assert read_rows(producer_client, CONSENTS) == [first.talent.name, second.talent.name]


def test_since_is_the_time_of_the_last_change_of_the_status(factory: ConsentFactory) -> None:
    consent = factory.make_consent()

    def find_since() -> object:
        return query_consents().get(pk=consent.pk).since  # type: ignore[attr-defined]  # annotated

    assert find_since() == consent.events.get(kind="requested").at
    factory.make_take(consent)
    assert find_since() == consent.events.get(kind="take").at
    request_retake(consent, factory.producer, "Again.")
    assert find_since() == consent.events.get(kind="asked_again").at
    approved = factory.make_approved_consent(factory.make_talent("Ann"))
    consent = approved
    assert find_since() == approved.events.get(kind="approved").at
    suspend_consent(approved, factory.producer, "A dispute.")
    assert find_since() == approved.events.get(kind="suspended").at
    approved.refresh_from_db()
    resume_consent(approved, factory.producer, "Settled.")
    assert find_since() == approved.events.get(kind="resumed").at


def test_filters_of_consents_combine_and_count_each_other(factory: ConsentFactory, producer_client: Client) -> None:
    factory.make_consent(factory.make_talent("Ada Ad"), purpose="advertising")
    factory.make_consent(factory.make_talent("Ned Narrate"))
    factory.make_submitted_consent(factory.make_talent("Nan Narrate"))
    menu = {"Advertising": 1, "Narration and audiobooks": 2}
    assert read_menu(producer_client, CONSENTS, "Purpose") == menu
    query = {"purpose": "narration", "show": "waiting"}
    assert read_rows(producer_client, CONSENTS, **query) == ["Ned Narrate"]
    assert read_tabs(producer_client, CONSENTS, **query)["All"] == 2
    page = read_list(producer_client, CONSENTS, **query)
    assert "Purpose: Narration and audiobooks" in page and 'href="?show=waiting"' in page, "the filter can be cleared"
    for name, value in query.items():
        assert f'<input type="hidden" name="{name}" value="{value}">' in page, "a new search keeps the filters"


def test_filter_without_a_result_can_be_cleared(factory: ConsentFactory, producer_client: Client) -> None:
    factory.make_consent()
    for query in ({"show": "suspended"}, {"purpose": "no_such_purpose"}, {"search": "Nobody"}):
        page = read_list(producer_client, CONSENTS, **query)
        assert "No consent matches" in page and f'href="{reverse(CONSENTS)}"' in page, query


def test_empty_list_of_consents_says_what_to_do(producer_client: Client) -> None:
    page = read_list(producer_client, CONSENTS)
    assert "No consents yet" in page and f'href="{reverse(TALENTS)}"' in page and "No consent matches" not in page


# --- both ---------------------------------------------------------------------------------


@pytest.mark.both_databases
@pytest.mark.parametrize(("name", "table"), [(TALENTS, TalentTable), (CONSENTS, ConsentTable)])
def test_every_column_sorts_in_both_directions(
    name: str, table: type[TalentTable], factory: ConsentFactory, producer_client: Client
) -> None:
    make_statuses(factory)
    for column in [name for name, column in table.base_columns.items() if column.orderable]:
        rows = read_rows(producer_client, name, sort=column)
        assert len(rows) == len(set(rows)) == 4, column
        for sort, direction in ((column, "ascending"), (f"-{column}", "descending")):
            sorted_by = {
                key: way for key, (way, _url) in read_headings(producer_client, name, sort=sort).items() if way
            }
            header = table.base_columns[column].header
            assert sorted_by == ({header: direction} if table.base_columns[column].visible else {})
            assert f': {header}<span class="visually-hidden">, {direction}</span>' in read_list(
                producer_client, name, sort=sort
            ), "the menu of the order says it too"


UNKNOWN_VALUES: tuple[dict[str, str], ...] = (
    {"sort": "email"},
    {"sort": "--name"},
    {"sort": "talent__notes"},
    {"sort": "name.x"},
    {"sort": "name,added"},
    {"page": "abc"},
    {"page": "-1"},
    {"page": "0"},
    {"page": "9" * 5000},
    {"size": "7"},
    {"size": "100000"},
    {"show": "no such tab"},
    {"contract": "x" * 5000},
    {"show": "a\x00b"},
    {"search": "\x00"},
    {"other": "x"},
)


@pytest.mark.both_databases
def test_unknown_values_in_the_address_fall_back_to_the_default(
    factory: ConsentFactory, producer_client: Client
) -> None:
    Talent.objects.bulk_create(Talent(name=f"T{n:02}", created_by=factory.producer) for n in range(30))
    for query in UNKNOWN_VALUES:
        assert read_rows(producer_client, TALENTS, **query) == [f"T{n:02}" for n in range(25)], query


def test_page_after_the_last_one_shows_the_last_one(factory: ConsentFactory, producer_client: Client) -> None:
    Talent.objects.bulk_create(Talent(name=f"T{n:02}", created_by=factory.producer) for n in range(60))
    assert read_rows(producer_client, TALENTS, page="99999", size="50") == [f"T{n:02}" for n in range(50, 60)]
    page = read_list(producer_client, TALENTS, page="2", size="50", sort="-name")
    assert "51 to 60 of 60" in page and 'href="?size=50&amp;sort=-name&amp;page=1"' in page
    assert 'href="?size=100&amp;sort=-name"' in page, "another page size begins on the first page"


def test_user_gets_only_the_columns_that_the_permissions_allow(factory: ConsentFactory, outsider: User) -> None:
    factory.make_approved_consent(factory.make_talent("Tilda Strand", "tilda@people.test"))
    factory.make_consent(factory.make_talent("Abelard Other", "abelard@people.test"))
    client = allow_only(outsider, "consent.view_consent")
    order = read_rows(client, CONSENTS)
    for query in ({}, {"sort": "talent"}, {"search": "tilda"}, {"sort": "-talent", "search": "abelard"}):
        page = read_list(client, CONSENTS, **query)
        assert "Tilda" not in page and "Abelard" not in page and "people.test" not in page, query
        found = read_rows(client, CONSENTS, **query)
        assert found == order == ["Resemble AI", "Resemble AI"], "a search must not tell whose consent it is"
    client = allow_only(outsider, "consent.view_talent")
    assert list(read_headings(client, TALENTS)) == ["Talent", "Next step"]
    query = {"show": "in_force", "contract": "in_force", "sort": "-voices"}
    assert "vh-tabs" not in read_list(client, TALENTS, **query)
    assert len(read_rows(client, TALENTS, **query)) == 2


@pytest.mark.parametrize("name", [TALENTS, CONSENTS])
def test_number_of_queries_does_not_grow_with_rows(name: str, factory: ConsentFactory, producer_client: Client) -> None:
    def add_talents(count: int) -> None:
        for number in range(count):
            talent = factory.make_talent(f"Talent {number}")
            factory.make_contract(talent)
            factory.make_consent(talent)

    add_talents(3)
    expected = [count_list_queries(producer_client, name, size=size, sort="status") for size in (25, 100)]
    add_talents(57)
    assert len(read_rows(producer_client, name, size=100)) == 60
    assert [count_list_queries(producer_client, name, size=size, sort="status") for size in (25, 100)] == expected


def test_language_is_a_column_only_while_there_are_two(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_consent(factory.make_talent("Ann English"))
    factory.make_consent(factory.make_talent("Bea English"))
    assert "Language" not in read_headings(producer_client, CONSENTS)
    Consent.objects.filter(pk=consent.pk).update(language="de-DE")
    assert "Language" in read_headings(producer_client, CONSENTS)
