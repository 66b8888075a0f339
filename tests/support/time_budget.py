"""A pytest plugin: no test begins after so many seconds, and what was left out is said.

pytest -p tests.support.time_budget --seconds 80
"""

import time
from dataclasses import dataclass, field

import pytest


@dataclass
class Budget:
    """Lets tests begin as long as there is time."""

    seconds: float
    began: float = field(default_factory=time.monotonic)
    left_out: int = 0

    def pytest_collection_finish(self) -> None:
        self.began = time.monotonic()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """True says that the test is dealt with."""
        if time.monotonic() - self.began < self.seconds:
            return None
        self.left_out += 1
        return True

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.left_out:
            terminalreporter.write_line(f"{self.left_out} tests were left out: {self.seconds:g} seconds were over.")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seconds", type=float, default=60.0, help="how long tests may begin")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Budget(config.getoption("--seconds")))
