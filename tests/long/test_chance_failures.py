"""Builds at each provider while one call in five fails at random: no vendor bills a call twice.

The seed in the name of a failed test reproduces the same failures.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from providers import registry
from tests.support.sandbox import SandboxProcess
from tests.voices.services.builds.build_harness import ACTIVE_STATUSES, QUICK_SETTINGS, BuildHarness
from tests.voices.services.builds.test_all_providers import BILLED
from voices.models import Build

pytestmark = pytest.mark.django_db

SEEDS = range(8)
FAULT_SHARE = 0.2
ROUNDS = 30  # how often all due tasks are run; a build that needs a staff decision does not end


@pytest.fixture
def sandbox(shared_sandbox: SandboxProcess, settings: Any) -> Iterator[SandboxProcess]:
    shared_sandbox.call_control("DELETE", "faults")
    shared_sandbox.call_control("POST", "settings", QUICK_SETTINGS)
    settings.VOICEHUB_SANDBOX_URL = shared_sandbox.address
    yield shared_sandbox
    shared_sandbox.call_control("DELETE", "chaos")


def run_tasks_until_build_ends(harness: BuildHarness, build: Build) -> None:
    """Run due tasks until the build ends, at most ROUNDS times."""
    for _ in range(ROUNDS):
        harness.run_tasks()
        build.refresh_from_db()
        if build.status not in ACTIVE_STATUSES:
            return


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("provider", BILLED)
def test_no_call_is_billed_twice_under_random_failures(
    sandbox: SandboxProcess, producer: Any, provider: str, seed: int
) -> None:
    harness = BuildHarness(producer, sandbox, provider)
    tier, capabilities = next(iter(registry.get_provider_class(provider).tiers.items()))
    build = harness.start_build(harness.make_voice(), tier, capabilities.handover[0])
    sandbox.call_control("POST", "chaos", {"seed": seed, "share": FAULT_SHARE})
    run_tasks_until_build_ends(harness, build)
    sandbox.call_control("DELETE", "chaos")
    run_tasks_until_build_ends(harness, build)
    billed = harness.count_billed()
    repeated = {
        operation: billed[operation] for operation, limit in BILLED[provider].items() if billed[operation] > limit
    }
    assert repeated == {}, (build.status, build.issue)
