"""A pytest plugin: after --seconds no further test starts. The summary states how many tests were skipped.

pytest -p tests.support.time_budget --seconds 80
"""

import time
from dataclasses import dataclass, field

import pytest


@dataclass
class Budget:
    """Lets tests start until the time is over."""

    seconds: float
    started_at: float = field(default_factory=time.monotonic)
    skipped: int = 0

    def pytest_collection_finish(self) -> None:
        self.started_at = time.monotonic()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """Skip the test when the time is over. True tells pytest not to run it."""
        if time.monotonic() - self.started_at < self.seconds:
            return None
        self.skipped += 1
        return True

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.skipped:
            terminalreporter.write_line(f"{self.skipped} tests were skipped: the {self.seconds:g} seconds were over.")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seconds", type=float, default=60.0, help="seconds during which tests may start")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Budget(config.getoption("--seconds")))
