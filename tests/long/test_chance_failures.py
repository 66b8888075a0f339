"""Builds at each provider while one call in five goes wrong by chance: no vendor bills anything twice.

The seed that a failure names gives the same chance again.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from providers import registry
from tests.support.sandbox import Sandbox
from tests.voices.services.builds.build_harness import ACTIVE_STATUSES, QUICK_SETTINGS, BuildHarness
from tests.voices.services.builds.test_all_providers import BILLED
from voices.models import Build

pytestmark = pytest.mark.django_db

SEEDS = range(8)
SHARE = 0.2
ROUNDS = 30  # of all that is due; what a person has to decide stays as it is


@pytest.fixture
def sandbox(running: Sandbox, settings: Any) -> Iterator[Sandbox]:
    running.control("DELETE", "faults")
    running.control("POST", "settings", QUICK_SETTINGS)
    settings.VOICEHUB_SANDBOX_URL = running.address
    yield running
    running.control("DELETE", "chaos")


def work_on(desk: BuildHarness, build: Build) -> None:
    """Work until the build is over or the rounds are."""
    for _ in range(ROUNDS):
        desk.run_tasks()
        build.refresh_from_db()
        if build.status not in ACTIVE_STATUSES:
            return


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("provider", BILLED)
def test_nothing_is_billed_twice_whatever_goes_wrong(sandbox: Sandbox, producer: Any, provider: str, seed: int) -> None:
    desk = BuildHarness(producer, sandbox, provider)
    tier, capabilities = next(iter(registry.get_provider_class(provider).tiers.items()))
    build = desk.start_build(desk.make_voice(), tier, capabilities.handover[0])
    sandbox.control("POST", "chaos", {"seed": seed, "share": SHARE})
    work_on(desk, build)
    sandbox.control("DELETE", "chaos")
    work_on(desk, build)
    billed = desk.count_billed()
    twice = {operation: billed[operation] for operation, most in BILLED[provider].items() if billed[operation] > most}
    assert twice == {}, (build.status, build.issue)
