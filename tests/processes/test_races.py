"""Two, and twenty, press "Start build" at once: one build."""

import sys
from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Thread

import pytest
from django.db import connection

from providers.types import Handover, Tier
from tests.support.processes import Started, wait_for
from tests.voices.services.builds.build_harness import BuildHarness
from voicehub.models import Task
from voices.models import Build, RemoteVoice
from voices.services.builds.start import BuildRefused, start_build

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

PRESS = """
import pathlib, sys, time, django
django.setup()
from voices.models import Account, Voice
from voices.services.builds.start import BuildRefused, start_build
voice, account, go = sys.argv[1:]
voice, account = Voice.objects.get(pk=voice), Account.objects.get(pk=account)
print("ready", flush=True)
while not pathlib.Path(go).exists():
    time.sleep(0.001)
try:
    start_build(voice, account, "rapid", "recordings", voice.created_by)
    print("started", flush=True)
except BuildRefused as refused:
    print("refused:", refused, flush=True)
"""
TOO_LATE = "Paula has already started a build that is still in progress."


def one_build(desk: BuildHarness) -> None:
    build = Build.objects.get()
    assert RemoteVoice.objects.count() == 1
    assert Task.objects.filter(kind="submit_build").count() == 1
    assert build.recordings.count() == 3
    assert build.consent.events.filter(kind="used").count() == 1
    assert desk.count_requests() == 0


@pytest.mark.parametrize("people", [2, 20])
def test_threads_press_at_once(desk: BuildHarness, people: int) -> None:
    voice = desk.make_voice()
    barrier, told = Barrier(people), list[str]()

    def press() -> None:
        try:
            barrier.wait(60)
            desk.start_build(voice)
            told.append("started")
        except BuildRefused as refused:
            told.append(str(refused))
        finally:
            connection.close()

    threads = [Thread(target=press) for _ in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == sorted(["started", *[TOO_LATE] * (people - 1)])
    one_build(desk)


def test_processes_press_at_once(desk: BuildHarness, start: Callable[..., Started], tmp_path: Path) -> None:
    voice = desk.make_voice()
    go = tmp_path / "go"
    people = [start(sys.executable, "-c", PRESS, str(voice.pk), str(desk.account.pk), str(go)) for _ in range(3)]
    for one in people:
        one.says("ready")
    go.touch()
    wait_for(lambda: all(one.process.poll() is not None for one in people), "they do not end")
    said = sorted(one.said.splitlines()[-1] for one in people)
    assert said == [f"refused: {TOO_LATE}"] * 2 + ["started"]
    one_build(desk)


def test_accounts_and_tiers_do_not_stand_in_each_others_way(desk: BuildHarness) -> None:
    voice = desk.make_voice()
    other = BuildHarness(desk.producer, desk.sandbox)
    for account in (desk.account, other.account):
        for tier in Tier:
            start_build(voice, account, tier, Handover.RECORDINGS, desk.producer)
    assert Build.objects.count() == 4
