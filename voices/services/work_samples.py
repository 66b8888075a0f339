"""The durations of finished work: store them, and summarize the newest ones."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress

from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone

from voices.models import Account, Build, RemoteVoice, WorkKind, WorkSample
from voices.services.estimates import PastWork, summarize_past

MAX_SAMPLES = 50

WorkKey = tuple[WorkKind, str]
PastByKey = Mapping[WorkKey, PastWork]


def record_work(kind: WorkKind, key: str, seconds: float, units: int = 0) -> None:
    """Store how long this work took. A failed write must not fail the work itself."""
    with suppress(DatabaseError), transaction.atomic():
        WorkSample.objects.create(
            kind=kind, key=key, units=units, seconds=max(0.0, seconds), finished_at=timezone.now()
        )
        samples = WorkSample.objects.filter(kind=kind, key=key)
        # Delete by id: another worker may be storing a newer one.
        samples.filter(pk__in=list(samples.values_list("pk", flat=True)[MAX_SAMPLES:])).delete()


@contextmanager
def measure_work(kind: WorkKind, key: str, units: int) -> Iterator[None]:
    """Record how long the block takes, if it does not fail and has any units to work on."""
    started = time.monotonic()
    yield
    if units:
        record_work(kind, key, time.monotonic() - started, units)


def load_past_work(keys: Iterable[WorkKey]) -> dict[WorkKey, PastWork]:
    """What was learnt about each of these kinds of work, in one query. Work that is new here is excluded."""
    condition = Q(pk__in=[])
    for kind, key in set(keys):
        condition |= Q(kind=kind, key=key)
    rows: dict[WorkKey, list[tuple[int, float]]] = defaultdict(list)
    for sample in WorkSample.objects.filter(condition):
        rows[WorkKind(sample.kind), sample.key].append((sample.units, sample.seconds))
    return {key: past for key, samples in rows.items() if (past := summarize_past(samples))}


def make_training_key(remote: RemoteVoice) -> str:
    """The sandbox trains in seconds, so its builds say nothing about the real provider."""
    return f"{remote.account.provider}:{remote.tier}:{remote.account.mode}"


def make_sending_key(build: Build) -> str:
    return f"{make_training_key(build.remote_voice)}:{build.handover}"


def make_account_key(account: Account) -> str:
    return f"{account.provider}:{account.mode}"
