"""Trimming of a response before it is stored."""

import json

from providers.parsing import MAX_RESPONSE_LENGTH, trim_response


def test_trimming_shortens_only_the_urls_of_a_short_response() -> None:
    response = {"status": "running", "files": [{"url": "https://store.test/put?signature=secret"}], "n": 3}
    trimmed = trim_response(response)
    assert (trimmed["status"], trimmed["n"]) == ("running", 3)
    assert "signature" not in json.dumps(trimmed) and "store.test" in json.dumps(trimmed)


def test_trimming_a_long_response_keeps_its_beginning() -> None:
    trimmed = trim_response({"status": "running", "noise": "x" * 10 * MAX_RESPONSE_LENGTH})
    assert len(json.dumps(trimmed)) < 2 * MAX_RESPONSE_LENGTH
    assert "running" in json.dumps(trimmed)
