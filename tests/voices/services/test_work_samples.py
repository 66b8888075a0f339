"""The durations of finished work: the newest of each kind and key are kept and summarized in one query."""

from typing import Any

import pytest

from voices.models import WorkKind, WorkSample
from voices.services.work_samples import MAX_SAMPLES, load_past_work, measure_work, record_work

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def test_only_the_newest_samples_of_a_key_are_kept() -> None:
    for number in range(MAX_SAMPLES + 5):
        record_work(WorkKind.TRAINING, "a", number)
    record_work(WorkKind.TRAINING, "b", 1.0)
    record_work(WorkKind.SENDING, "a", 1.0)
    kept = WorkSample.objects.filter(kind=WorkKind.TRAINING, key="a").values_list("seconds", flat=True)
    assert sorted(kept) == list(range(5, MAX_SAMPLES + 5))
    assert WorkSample.objects.count() == MAX_SAMPLES + 2


def test_each_key_learns_only_from_its_own_work(django_assert_num_queries: Any) -> None:
    for seconds in (10, 20, 30):
        record_work(WorkKind.TRAINING, "live", seconds)
    record_work(WorkKind.TRAINING, "sandbox", 1.0)
    record_work(WorkKind.ANALYSIS, "", 30.0, units=20)
    keys = [(WorkKind.TRAINING, "live"), (WorkKind.ANALYSIS, ""), (WorkKind.DELETION, "live")]
    with django_assert_num_queries(1):
        past = load_past_work(keys)
    assert set(past) == {(WorkKind.TRAINING, "live"), (WorkKind.ANALYSIS, "")}
    assert past[WorkKind.TRAINING, "live"].usual == 20
    assert past[WorkKind.ANALYSIS, ""].per_unit == 1.5


def test_failed_and_empty_work_teaches_nothing() -> None:
    with pytest.raises(RuntimeError), measure_work(WorkKind.ANALYSIS, "", 3):
        raise RuntimeError
    with measure_work(WorkKind.ANALYSIS, "", 0):
        pass
    assert not WorkSample.objects.exists()
    with measure_work(WorkKind.ANALYSIS, "", 3):
        pass
    assert WorkSample.objects.get().units == 3
