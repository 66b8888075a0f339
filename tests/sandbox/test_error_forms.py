"""Errors that occur before a view runs have the error form of the vendor whose path was requested."""

import pytest
import requests

from tests.support.sandbox import SandboxProcess

# Each vendor's path, and the field that holds its error message.
ERROR_FIELDS = {
    "resemble/api/v1/voices": "errors",
    "resemble/api/v2/voices": "message",
    "audiostack/speech/voice-cloning": "message",
    "speechgen/v1/models": "error",
    "voiceai/api/v1/tts/voices": "error",
}


def send_request(sandbox: SandboxProcess, method: str, path: str) -> requests.Response:
    return requests.request(method, f"{sandbox.address}/{path}", timeout=60)


@pytest.mark.parametrize(("path", "error_field"), ERROR_FIELDS.items())
def test_method_not_allowed_has_the_vendors_form(sandbox: SandboxProcess, path: str, error_field: str) -> None:
    response = send_request(sandbox, "DELETE", path)
    assert response.status_code == 405
    assert "GET" in response.headers["Allow"]
    assert "not allowed" in str(response.json()[error_field])


@pytest.mark.parametrize(("path", "error_field"), ERROR_FIELDS.items())
def test_unknown_path_has_the_vendors_form(sandbox: SandboxProcess, path: str, error_field: str) -> None:
    response = send_request(sandbox, "GET", path.rpartition("/")[0] + "/nothing/at/all")
    assert response.status_code == 404
    assert "nothing at this address" in str(response.json()[error_field])
