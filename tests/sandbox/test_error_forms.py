"""What is wrong before any view is asked is said in the form of the vendor whose address it is."""

from typing import Any

import pytest
import requests

from tests.support.sandbox import Sandbox

# The vendor's path, and the field under which its errors have their words.
VENDORS = {
    "resemble/api/v1/voices": "errors",
    "resemble/api/v2/voices": "message",
    "audiostack/speech/voice-cloning": "message",
    "speechgen/v1/models": "error",
    "voiceai/api/v1/tts/voices": "error",
}


def answer(sandbox: Sandbox, method: str, path: str) -> Any:
    return requests.request(method, f"{sandbox.address}/{path}", timeout=60)


@pytest.mark.parametrize(("path", "words"), VENDORS.items())
def test_method_that_is_not_allowed(sandbox: Sandbox, path: str, words: str) -> None:
    told = answer(sandbox, "DELETE", path)
    assert told.status_code == 405
    assert "GET" in told.headers["Allow"]
    assert "not allowed" in str(told.json()[words])


@pytest.mark.parametrize(("path", "words"), VENDORS.items())
def test_address_that_is_nobodys(sandbox: Sandbox, path: str, words: str) -> None:
    told = answer(sandbox, "GET", path.rpartition("/")[0] + "/nothing/at/all")
    assert told.status_code == 404
    assert "nothing at this address" in str(told.json()[words])
