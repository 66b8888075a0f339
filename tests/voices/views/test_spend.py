"""Credits, limits and use per month, on the page of an account and on the overview."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from tests.support.html import read_html
from tests.voices.rows import Studio
from voices.models import Account, RemoteVoice, UsageReading
from voices.templatetags.voices import small_units

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
OVERVIEW = "/accounts/spend/"


def add_account(name: str, provider: str = "audiostack", days: int = 40, **usage: object) -> Account:
    """An account that uses 10 credits a day, without a reading three days ago."""
    account = Account.objects.create(name=name, provider=provider, usage=usage, usage_at=timezone.now())
    today = timezone.localdate()
    UsageReading.objects.bulk_create(
        UsageReading(
            account=account,
            day=today - timedelta(days=ago),
            unit="credits",
            remaining=1000 + 10 * ago,
            read_at=timezone.now() - timedelta(days=ago),
        )
        for ago in range(days)
        if ago != 3
    )
    return account


def test_account_shows_its_months_its_charts_and_what_is_missing(producer_client: Client, studio: Studio) -> None:
    account = add_account("Credits", remaining=1000, unit="credits")
    studio.account = account
    studio.make_build(status="ready")
    text = read_html(producer_client.get(reverse("voices:account", args=[account.pk])))
    assert "Used per month" in text and "credits</td>" in text and "No reading on 1 day." in text
    assert "Left on each day" in text and 'data-chart="line"' in text and "js/charts" in text
    assert "Builds per month" in text and "300 credits" in text and text.count("Counted from") == 1


def test_account_without_readings_has_neither_table_nor_chart(producer_client: Client, studio: Studio) -> None:
    speechgen = Account.objects.create(name="Second", provider="speechgen")
    for account in (studio.account, speechgen):
        text = read_html(producer_client.get(reverse("voices:account", args=[account.pk])))
        assert "Used per month" not in text and "data-chart" not in text and "charts.js" not in text
    assert "Not stated: this provider does not report credits or use." in text


def test_overview_shows_every_account_and_what_is_not_stated(producer_client: Client, studio: Studio) -> None:
    add_account("Credits", remaining=1000, unit="credits")
    Account.objects.create(name="Silent", provider="speechgen")
    text = read_html(producer_client.get(OVERVIEW))
    assert "Credits" in text and "1,000 <small>credits</small>" in text and "1,000 left" in text
    left_out = text[text.index("Without builds and numbers:") :]
    assert "Silent</a>, use not stated" in left_out and "use not asked yet" in left_out
    assert "AudioStack, in credits" in " ".join(text.split()), "the unit stands once, below the name"
    assert reverse("voices:spend") in producer_client.get(reverse("voices:account_list")).content.decode()


def test_overview_opens_with_figures(producer_client: Client, studio: Studio) -> None:
    add_account("Rich", remaining=90_000, unit="credits")
    low = add_account("Low", remaining=100, unit="credits")
    studio.account = low
    studio.make_build(status="ready")
    figures = producer_client.get(OVERVIEW).context["figures"]
    last_month = timezone.localdate().replace(day=1) - timedelta(days=1)
    month = date_format(timezone.localdate(), "F")
    assert [figure.label for figure in figures] == [
        f"Credits used in {month}",
        "Lowest remainder",
        f"Builds started in {month}",
    ]
    used, lowest, builds = figures
    assert used.note.startswith("2 accounts") and (", " not in used.note or date_format(last_month, "F") in used.note)
    assert lowest.value == "100 credits" and builds.value == "1"
    assert (lowest.note, lowest.url) == ("Low", reverse("voices:account", args=[low.pk]))


def test_one_sentence_explains_the_signs_of_the_overview(producer_client: Client, studio: Studio) -> None:
    assert not producer_client.get(OVERVIEW).context["footnotes"]
    studio.account = add_account("Credits", remaining=1000, unit="credits")
    studio.make_build(status="ready")
    response = producer_client.get(OVERVIEW)
    assert 'data-label="Builds">1 for 300</td>' in "".join(read_html(response).split("\n")).replace("  ", "")
    assert "“for” is the price that the provider states" in response.context["footnotes"][0]


def test_each_note_of_the_months_stands_once(producer_client: Client) -> None:
    account = add_account("Long", days=200)
    notes = producer_client.get(reverse("voices:account", args=[account.pk])).context["month_notes"]
    assert len({note.partition(": ")[2] for note in notes}) == len(notes) > 0
    assert any(" and " in note or note.count("20") == 1 for note in notes)


def test_units_of_figures_are_small() -> None:
    assert small_units("16 h 45 min") == "16 <small>h</small> 45 <small>min</small>"
    assert small_units("≥ 60,302") == "≥ 60,302"


def test_months_of_an_account_stand_in_the_chart_or_in_a_table(producer_client: Client) -> None:
    for days, has_table in ((40, True), (200, False)):
        account = add_account(f"Since {days}", days=days)
        text = read_html(producer_client.get(reverse("voices:account", args=[account.pk])))
        assert ('id="months-title"' in text) == has_table
        assert "No reading on 1 day." in text, "also beside the chart"


def test_account_lists_voices_that_need_a_person_first(producer_client: Client, studio: Studio) -> None:
    broken = studio.make_build(studio.make_voice("Broken"), status="ready")
    RemoteVoice.objects.filter(pk=broken.remote_voice_id).update(alert="It is public.")
    for number in range(20):
        studio.make_build(studio.make_voice(f"Fine {number}"), status="ready")
    response = producer_client.get(reverse("voices:account", args=[studio.account.pk]))
    rows = response.context["voice_rows"]
    assert rows[0].remote.voice.name == "Broken" and len(rows) == 8
    assert len(response.context["more_voice_rows"]) == 13 and "Show all 21" in read_html(response)


def test_overview_adds_up_the_accounts_of_a_provider_but_not_the_sandbox(producer_client: Client) -> None:
    for name in ("One", "Two"):
        add_account(name, days=150)
    sandbox = add_account("Practice", days=150)
    Account.objects.filter(pk=sandbox.pk).update(mode="sandbox")
    (chart,) = producer_client.get(OVERVIEW).context["charts"]
    live, practice = sorted(chart.series, key=lambda series: series.name)
    assert (live.name, practice.name) == ("AudioStack", "AudioStack, sandbox")
    assert {label: 2 * amount for label, amount in practice.values.items()} == live.values


def test_overview_compares_with_the_month_before_and_has_bars_in_the_rows(producer_client: Client) -> None:
    add_account("Alone", days=150)
    response = producer_client.get(OVERVIEW)
    (used, *_) = response.context["figures"]
    first = timezone.localdate().replace(day=1)
    last_month = first - timedelta(days=1)
    assert used.note == f"1 account, {last_month.day * 10} in {date_format(last_month, 'F')}"
    assert not response.context["charts"] and "month-columns" in read_html(response), "one row says what a chart would"


def test_columns_of_the_months_share_a_scale_from_zero(producer_client: Client, studio: Studio) -> None:
    today = timezone.localdate()
    for name, step in (("Quiet", 1), ("Loud", 4)):
        account = Account.objects.create(name=name, provider="audiostack", usage_at=timezone.now())
        UsageReading.objects.bulk_create(
            UsageReading(
                account=account,
                day=today - timedelta(days=ago),
                unit="credits",
                remaining=10_000 + step * ago,
                read_at=timezone.now() - timedelta(days=ago),
            )
            for ago in range(100)
        )
    rows = {row.account.name: row for row in producer_client.get(OVERVIEW).context["rows"]}
    quiet, loud = ([column.share or 0 for column in rows[name].columns] for name in ("Quiet", "Loud"))
    assert max(loud) == 1 and [4 * share for share in quiet] == pytest.approx(loud)
    assert [column.month for column in rows["Loud"].columns] == sorted(column.month for column in rows["Loud"].columns)


def test_account_shows_how_much_of_the_plan_is_used(producer_client: Client) -> None:
    for usage, share in (
        ({"used": 250, "remaining": 750}, "Used, 25%"),
        ({"used": 250}, ""),
        ({"used": 0, "remaining": 0}, ""),
    ):
        account = Account.objects.create(
            name=f"Plan {usage}", provider="audiostack", usage={**usage, "unit": "credits"}
        )
        text = read_html(producer_client.get(reverse("voices:account", args=[account.pk])))
        assert ("vh-meter" in text, "Used, " in text) == (bool(share), bool(share)) and share in text


def test_overview_without_accounts_says_so(producer_client: Client) -> None:
    assert "No account yet" in read_html(producer_client.get(OVERVIEW))


def test_query_count_does_not_grow_with_accounts_and_readings(producer_client: Client, studio: Studio) -> None:
    def count_queries() -> int:
        producer_client.get(OVERVIEW)
        with CaptureQueriesContext(connection) as queries:
            assert producer_client.get(OVERVIEW).status_code == 200
        return len(queries)

    for number in range(3):
        add_account(f"Account {number}", days=3)
    studio.make_build(status="ready")
    few = count_queries()
    for number in range(3, 60):
        add_account(f"Account {number}")
    assert count_queries() == few


def test_overview_ends_with_the_first_month_that_says_something(producer_client: Client, studio: Studio) -> None:
    assert len(producer_client.get(OVERVIEW).context["months"]) == 1
    add_account("Credits", days=70)
    assert len(producer_client.get(OVERVIEW).context["months"]) in (3, 4)
