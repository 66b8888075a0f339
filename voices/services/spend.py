"""What an account used per month, from what its provider stated, and the builds that were started with it.

Nothing is estimated. Used credits are the difference of two readings. A difference counts only if both readings are of
one month, or the first is of the last day of the month before. What was used before credits were added is not counted.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID

from django.db.models import Count, Q
from django.db.models.functions import TruncMonth
from django.utils import timezone

from voicehub.refusals import ActionRefused
from voices.models import Account, Build, BuildStatus, UsageReading

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class MonthUsage:
    """What an account used in one month, in the unit of the provider. `used` is None if it is not known.

    `is_at_least` says that more may have been used. `first_day` and `last_day` are the span that `used` is about.
    `days_without_reading` are those between the first reading ever and the end of the month, or today. `has_reading`
    and `has_number` say whether the provider was asked in this month, and whether it stated what is used or left.
    """

    month: date
    used: float | None = None
    is_at_least: bool = False
    first_day: date | None = None
    last_day: date | None = None
    added_on: tuple[date, ...] = ()
    has_new_key: bool = False
    days_without_reading: int = 0
    has_reading: bool = False
    has_number: bool = False

    @property
    def starts_late(self) -> bool:
        return self.first_day is not None and self.first_day > self.month

    def ends_early(self, today: date) -> bool:
        """Whether the last reading of a month that is over was before its last day."""
        end = find_next_month(self.month) - ONE_DAY
        return self.last_day is not None and self.last_day < end < today


@dataclass(frozen=True, slots=True)
class Reading:
    """What pages need of a UsageReading."""

    day: date
    unit: str
    used: float | None
    remaining: float | None
    since: date | None
    key_changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class BuildLedger:
    """The builds of an account that were started in one month. `credits` is the stated price of those that are ready.

    It is None if the provider states no price in credits.
    """

    month: date
    started: int
    ready: int
    credits: int | None


def list_months(count: int) -> list[date]:
    """The first days of this month and of those before it, oldest first."""
    months = [timezone.localdate().replace(day=1)]
    while len(months) < count:
        months.insert(0, (months[0] - ONE_DAY).replace(day=1))
    return months


def find_next_month(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def load_readings(accounts: Iterable[Account], months: Sequence[date]) -> Mapping[UUID, list[Reading]]:
    """The readings of these months, and of the last day before them, oldest first, by id of the account."""
    found = UsageReading.objects.filter(account__in=accounts, day__gte=months[0] - ONE_DAY).order_by("day")
    fields = ("account", "day", "unit", "used", "remaining", "since", "key_changed_at")
    by_account: dict[UUID, list[Reading]] = defaultdict(list)
    for account, *values in found.values_list(*fields):
        by_account[account].append(Reading(*values))
    return by_account


def compute_months(readings: Sequence[Reading], months: Sequence[date]) -> list[MonthUsage]:
    """The usage of each month. `readings` are of one account, oldest first."""
    return [_compute_month(readings, month) for month in months]


def _compute_month(readings: Sequence[Reading], month: date) -> MonthUsage:
    within = [reading for reading in readings if month <= reading.day < find_next_month(month)]
    missing = _count_missing_days(readings, month)
    if not within:
        return MonthUsage(month, days_without_reading=missing)
    if within[-1].used is not None:
        return _read_counter(within, month, missing)
    eve = [reading for reading in readings if reading.day == month - ONE_DAY]
    return _compute_difference([*eve, *within], month, missing)


def _count_missing_days(readings: Sequence[Reading], month: date) -> int:
    """Days of the month that are over, since the first reading, without a reading."""
    if not readings:
        return 0
    first, end = max(month, readings[0].day), min(find_next_month(month), timezone.localdate())
    days = {reading.day for reading in readings if first <= reading.day < end}
    return max((end - first).days, 0) - len(days)


def _read_counter(within: Sequence[Reading], month: date, missing: int) -> MonthUsage:
    """Usage that the provider itself counts. It counts only if it does so since a day of this month."""
    last = within[-1]
    if last.since is None or last.since < month:
        return MonthUsage(month, days_without_reading=missing, has_reading=True, has_number=True)
    return MonthUsage(
        month,
        last.used,
        first_day=last.since,
        last_day=last.day,
        days_without_reading=missing,
        has_reading=True,
        has_number=True,
    )


def _compute_difference(readings: Sequence[Reading], month: date, missing: int) -> MonthUsage:
    """What is gone from the credits left, reading by reading. A rise is no negative use."""
    used, added, has_new_key, has_pair = 0.0, [], False, False
    for before, after in pairwise(readings):
        if before.key_changed_at != after.key_changed_at or before.unit != after.unit:
            has_new_key = True
        elif before.remaining is not None and after.remaining is not None:
            has_pair = True
            used += max(before.remaining - after.remaining, 0)
            if after.remaining > before.remaining:
                added.append(after.day)
    return MonthUsage(
        month,
        used if has_pair else None,
        is_at_least=bool(added) or has_new_key,
        first_day=month if readings[0].day < month else readings[0].day,
        last_day=readings[-1].day,
        added_on=tuple(added),
        has_new_key=has_new_key,
        days_without_reading=missing,
        has_reading=True,
        has_number=any(reading.remaining is not None for reading in readings),
    )


def load_ledger(accounts: Iterable[Account], months: Sequence[date]) -> Mapping[UUID, list[BuildLedger]]:
    """The builds that were started in these months, by id of the account, oldest month first. One query."""
    start = timezone.make_aware(datetime.combine(months[0], time.min))
    by_id = {account.pk: account for account in accounts}
    rows = (
        Build.objects.filter(remote_voice__account__in=by_id, created_at__gte=start)
        .order_by()
        .annotate(month=TruncMonth("created_at"))
        .values_list("remote_voice__account", "month", "remote_voice__tier")
        .annotate(started=Count("pk"), ready=Count("pk", filter=Q(status=BuildStatus.READY)))
    )
    by_month: dict[tuple[UUID, date], list[BuildLedger]] = defaultdict(list)
    for pk, moment, tier, started, ready in rows:
        price, month = find_price(by_id[pk], tier), timezone.localtime(moment).date()
        credits = None if price is None else price * ready
        by_month[pk, month].append(BuildLedger(month, started, ready, credits))
    ledger: dict[UUID, list[BuildLedger]] = defaultdict(list)
    for (pk, month), parts in sorted(by_month.items(), key=lambda item: item[0][1]):
        ledger[pk].append(_add_up(month, parts))
    return ledger


def _add_up(month: date, parts: Sequence[BuildLedger]) -> BuildLedger:
    """The tiers of one month together. A price that is not stated makes the sum unknown."""
    credits = [part.credits for part in parts]
    total = None if None in credits else sum(price for price in credits if price is not None)
    return BuildLedger(month, sum(part.started for part in parts), sum(part.ready for part in parts), total)


def find_price(account: Account, tier: str) -> int | None:
    """The credits that the provider states for a build that has succeeded. None if it states none."""
    try:
        return account.get_capabilities(tier).credits or None
    except ActionRefused:
        return None
