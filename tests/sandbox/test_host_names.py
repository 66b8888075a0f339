"""The sandbox and the browsers of the same machine: no page of another site gets to read or steer it."""

import pytest
import requests

from tests.support.sandbox import Sandbox

PATHS = ["__control/ledger", "__control/requests", "__control/settings", "resemble/api/v2/voices"]
KEY = {"Authorization": "Bearer any-key"}


def status(sandbox: Sandbox, host: str, path: str) -> int:
    return requests.get(f"{sandbox.address}/{path}", headers={**KEY, "Host": host}, timeout=60).status_code


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("host", ["rebound.example", "rebound.example:80", "127.0.0.1.rebound.example", "a.b:1"])
def test_a_name_that_others_can_point_at_us_is_answered_nothing(sandbox: Sandbox, host: str, path: str) -> None:
    assert status(sandbox, host, path) == 421


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:9", "localhost", "localhost:9", "[::1]:9", "sandbox:80"])
def test_addresses_and_names_of_the_own_network_are_answered(sandbox: Sandbox, host: str) -> None:
    assert [status(sandbox, host, path) for path in PATHS] == [200] * len(PATHS)
