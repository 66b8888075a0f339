"""Spend per month, computed only from what providers stated."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from providers.usage import Usage
from tests.voices.rows import Studio
from voices.models import Account, Build, UsageReading
from voices.services import spend
from voices.services.accounts import change_key
from voices.services.spend import BuildLedger, MonthUsage, Reading, compute_months, list_months, load_ledger
from voices.services.usage import store_reading
from voices.views.spend_rows import make_month_row

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)


@pytest.fixture(autouse=True)
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is noon on November 20, 2026."""
    moment = timezone.make_aware(datetime(2026, 11, 20, 12))  # noqa: DTZ001 - made aware
    monkeypatch.setattr(timezone, "now", lambda: moment)


def read(day: date, remaining: float | None = None, used: float | None = None, **fields: Any) -> Reading:
    values = {"unit": "credits", "since": None, "key_changed_at": None, **fields}
    return Reading(day=day, remaining=remaining, used=used, **values)


def read_days(start: date, *remaining: float) -> list[Reading]:
    return [read(start + timedelta(days=number), left) for number, left in enumerate(remaining)]


def compute(readings: list[Reading], month: date = NOVEMBER) -> MonthUsage:
    (found,) = compute_months(readings, [month])
    return found


def test_used_credits_are_the_difference_of_readings() -> None:
    found = compute(read_days(date(2026, 10, 31), 1000, 900, 900, 650))
    assert (found.used, found.is_at_least, found.first_day, found.last_day) == (350, False, NOVEMBER, date(2026, 11, 3))
    assert found.days_without_reading == 16, "November 4 to 19; today is not over"
    assert not found.starts_late and not found.ends_early(date(2026, 11, 20))


def test_added_credits_are_no_negative_use() -> None:
    found = compute(read_days(date(2026, 11, 1), 100, 40, 1040, 1000))
    assert (found.used, found.is_at_least, found.added_on) == (100, True, (date(2026, 11, 3),))


def test_month_without_a_reading_before_it_says_where_it_starts() -> None:
    found = compute(read_days(date(2026, 11, 10), 100, 40))
    assert (found.used, found.starts_late, found.first_day) == (60, True, date(2026, 11, 10))
    assert found.days_without_reading == 8, "not the days before the first reading"


def test_difference_across_a_gap_over_the_end_of_a_month_counts_in_no_month() -> None:
    readings = [read(date(2026, 10, 5), 900), read(date(2026, 10, 28), 800), read(date(2026, 11, 3), 500)]
    readings.append(read(date(2026, 11, 4), 450))
    october, november = compute_months(readings, [OCTOBER, NOVEMBER])
    assert (october.used, november.used) == (100, 50)
    assert october.ends_early(date(2026, 11, 20)) and november.starts_late
    assert (october.days_without_reading, november.days_without_reading) == (25, 17)


def test_one_reading_tells_no_use() -> None:
    assert compute([read(date(2026, 11, 3), 100)]).used is None
    assert compute([]) == MonthUsage(NOVEMBER)


def test_month_without_a_number_says_whether_the_provider_was_asked_and_stated_one() -> None:
    def find_text(*readings: Reading) -> str:
        return make_month_row(compute(list(readings)), "credits").missing_text

    day = date(2026, 11, 3)
    assert find_text() == "not asked"
    assert find_text(read(day), read(date(2026, 11, 4))) == "not stated"
    assert find_text(read(day, 100)) == "not known yet"
    assert find_text(read(day, used=75.0, since=OCTOBER)) == "not known yet", "counted since an earlier month"


def test_readings_of_two_keys_are_not_compared() -> None:
    changed = timezone.now()
    readings = [*read_days(NOVEMBER, 100, 90), read(date(2026, 11, 3), 10, key_changed_at=changed)]
    found = compute(readings)
    assert (found.used, found.has_new_key, found.is_at_least) == (10, True, True)


def test_use_that_the_provider_counts_is_taken_as_stated() -> None:
    readings = [read(date(2026, 10, 30), used=500.0, since=OCTOBER, unit="s"), read(NOVEMBER, used=0.0, since=NOVEMBER)]
    readings.append(read(date(2026, 11, 20), used=75.0, since=NOVEMBER))
    october, november = compute_months(readings, [OCTOBER, NOVEMBER])
    assert (october.used, october.last_day, october.ends_early(date(2026, 11, 20))) == (500, date(2026, 10, 30), True)
    assert (november.used, november.starts_late) == (75, False)
    assert compute([read(date(2026, 11, 20), used=75.0, since=date(2026, 10, 15))]).used is None, "it began earlier"


def test_months_end_with_this_month() -> None:
    assert list_months(3) == [date(2026, 9, 1), OCTOBER, NOVEMBER]
    assert spend.find_next_month(date(2026, 12, 1)) == date(2027, 1, 1)


@pytest.mark.django_db
def test_one_reading_a_day_is_stored_with_the_key(studio: Studio) -> None:
    for left in (100.0, 80.0):
        store_reading(studio.account, Usage(unit="credits", remaining=left))
    reading = UsageReading.objects.get()
    assert (reading.day, reading.remaining, reading.key_changed_at) == (date(2026, 11, 20), 80, None)
    store_reading(studio.account, Usage(unit="credits", voices=3))
    assert UsageReading.objects.get().remaining == 80, "a report without an amount is no reading"
    change_key(studio.account, "another-key-of-the-sandbox")
    store_reading(studio.account, Usage(unit="credits", remaining=7.0))
    assert UsageReading.objects.get().key_changed_at is not None
    assert compute(spend.load_readings([studio.account], [NOVEMBER])[studio.account.pk]).days_without_reading == 0


@pytest.mark.django_db
def test_builds_are_counted_with_the_stated_price_of_the_ready_ones(studio: Studio) -> None:
    account = Account.objects.create(name="Second", provider="audiostack")
    first = studio.make_build(status="ready")
    studio.make_build(first.voice, status="failed")
    studio.account = account
    builds = [studio.make_build(first.voice, status=status) for status in ("ready", "ready", "failed")]
    Build.objects.filter(pk=builds[0].pk).update(created_at=timezone.now() - timedelta(days=30))
    ledger = load_ledger(Account.objects.all(), list_months(2))
    assert ledger[account.pk] == [BuildLedger(OCTOBER, 1, 1, 300), BuildLedger(NOVEMBER, 2, 1, 300)]
    assert ledger[first.remote_voice.account_id] == [BuildLedger(NOVEMBER, 2, 1, None)]
