"""The Host header check: a page of another site, opened in a browser on this machine, cannot reach the sandbox."""

import pytest
import requests

from tests.support.sandbox import SandboxProcess

PATHS = ["__control/ledger", "__control/requests", "__control/settings", "resemble/api/v2/voices"]
KEY_HEADER = {"Authorization": "Bearer any-key"}


def fetch_status(sandbox: SandboxProcess, host: str, path: str) -> int:
    return requests.get(f"{sandbox.address}/{path}", headers={**KEY_HEADER, "Host": host}, timeout=60).status_code


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("host", ["rebound.example", "rebound.example:80", "127.0.0.1.rebound.example", "a.b:1"])
def test_host_name_that_other_sites_control_is_refused(sandbox: SandboxProcess, host: str, path: str) -> None:
    assert fetch_status(sandbox, host, path) == 421


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:9", "localhost", "localhost:9", "[::1]:9", "sandbox:80"])
def test_address_or_name_of_the_local_network_is_accepted(sandbox: SandboxProcess, host: str) -> None:
    assert [fetch_status(sandbox, host, path) for path in PATHS] == [200] * len(PATHS)
