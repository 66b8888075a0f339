"""What of an answer is written down."""

import json

from providers.parsing import LONGEST_KEPT, to_keep


def test_answer_is_kept_as_it_is_but_for_addresses() -> None:
    said = {"status": "running", "files": [{"url": "https://store.test/put?signature=secret"}], "n": 3}
    kept = to_keep(said)
    assert (kept["status"], kept["n"]) == ("running", 3)
    assert "signature" not in json.dumps(kept) and "store.test" in json.dumps(kept)


def test_of_an_endless_answer_the_beginning_is_kept() -> None:
    kept = to_keep({"status": "running", "noise": "x" * 10 * LONGEST_KEPT})
    assert len(json.dumps(kept)) < 2 * LONGEST_KEPT
    assert "running" in json.dumps(kept)
