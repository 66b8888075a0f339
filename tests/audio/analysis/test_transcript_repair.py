"""The repair of a transcript removes what is certainly wrong, and no word."""

import pytest

from audio.analysis.transcript_lint import lint_transcript
from audio.analysis.transcript_repair import REPAIRABLE_CODES, repair_transcript


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        ("The <b>first</b> room.", "The first room."),
        ("Almost&nbsp;two tons.", "Almost two tons."),
        ("Salt &amp; pepper.", "Salt & pepper."),
        ("It is **very** old.", "It is very old."),
        ("One line.\nAnd another.", "One line. And another."),
        ("Left | right.", "Left right."),
        ("A\u200bcross the sea\u00ad.", "Across the sea."),
        ("The cafÃ© is open.", "The café is open."),
        ("می\u200cخواهم.", "می\u200cخواهم."),
        ("Room 12 costs 5 % more at www.example.org.", "Room 12 costs 5 % more at www.example.org."),
        ("ALL IN CAPITALS HERE", "ALL IN CAPITALS HERE"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("Das Café ist offen.", "Das Café ist offen."),
    ],
)
def test_repair_changes_only_what_is_certain(text: str, repaired: str) -> None:
    assert repair_transcript(text) == repaired


@pytest.mark.parametrize(
    "text", ["The <i>old</i> harbor.", "Tea | cake.", "Two\nlines.", "In\u200bvisible.", "CafÃ© du port."]
)
def test_repaired_text_has_no_repairable_finding(text: str) -> None:
    def list_codes(checked: str) -> set[str]:
        return {one.code for one in lint_transcript(checked, None)} & set(REPAIRABLE_CODES)

    assert list_codes(text)
    assert not list_codes(repair_transcript(text))
