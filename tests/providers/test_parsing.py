"""What of an answer is written down."""

import json

from providers.parsing import MAX_RESPONSE_LENGTH, trim_response


def test_answer_is_kept_as_it_is_but_for_addresses() -> None:
    said = {"status": "running", "files": [{"url": "https://store.test/put?signature=secret"}], "n": 3}
    kept = trim_response(said)
    assert (kept["status"], kept["n"]) == ("running", 3)
    assert "signature" not in json.dumps(kept) and "store.test" in json.dumps(kept)


def test_of_an_endless_answer_the_beginning_is_kept() -> None:
    kept = trim_response({"status": "running", "noise": "x" * 10 * MAX_RESPONSE_LENGTH})
    assert len(json.dumps(kept)) < 2 * MAX_RESPONSE_LENGTH
    assert "running" in json.dumps(kept)
