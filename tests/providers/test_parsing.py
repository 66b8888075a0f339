"""Trimming of a response before it is stored."""

import json

from providers.parsing import MAX_RESPONSE_LENGTH, trim_response


def test_trimmed_response_is_unchanged_but_for_urls() -> None:
    response = {"status": "running", "files": [{"url": "https://store.test/put?signature=secret"}], "n": 3}
    trimmed = trim_response(response)
    assert (trimmed["status"], trimmed["n"]) == ("running", 3)
    assert "signature" not in json.dumps(trimmed) and "store.test" in json.dumps(trimmed)


def test_long_response_is_cut_after_its_beginning() -> None:
    trimmed = trim_response({"status": "running", "noise": "x" * 10 * MAX_RESPONSE_LENGTH})
    assert len(json.dumps(trimmed)) < 2 * MAX_RESPONSE_LENGTH
    assert "running" in json.dumps(trimmed)
