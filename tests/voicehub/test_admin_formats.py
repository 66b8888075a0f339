"""How the admin shows values."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from voicehub.admin_base.formats import format_json, format_json_text, format_number, format_seconds, make_label


@pytest.mark.parametrize(
    ("seconds", "text"), [(5.8350113378684805, "5.8 s"), (0, "0.0 s"), (149.2, "2 min 29 s"), (59.97, "1 min")]
)
def test_seconds_read_as_a_duration(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(5.8350113, "5.84"), (44100, "44,100"), (44100.4, "44,100"), (0.00012345, "0.000123")],
)
def test_numbers_have_few_digits(number: float, text: str) -> None:
    assert format_number(number) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "–"),
        ([], "–"),
        (None, "–"),
        ({"sample_rate": 16000}, '<dl class="facts"><dt>Sample rate</dt><dd>16,000</dd></dl>'),
        ({"is_ok": True}, '<dl class="facts"><dt>Is ok</dt><dd>Yes</dd></dl>'),
        ({"a": {"b": ["x", 1.5]}},
         '<dl class="facts"><dt>A</dt><dd><dl class="facts"><dt>B</dt><dd>x, 1.5</dd></dl></dd></dl>'),
        ([{"severity": "look", "code": "noisy", "text": "It is noisy.", "advice": "Move.", "at": None}],
         '<ul class="entries"><li>It is noisy. Move.</li></ul>'),
        (["<b>"], "&lt;b&gt;"),
        ("2026-11-28T14:05:10+00:00", "Nov 28, 2026, 14:05"),
        ("2026-13-99T99:99", "2026-13-99T99:99"),
        ("0" * 64, f'<code class="code">{"0" * 64}</code>'),
    ],
)  # fmt: skip
def test_json_reads_as_labels_and_values(value: Any, text: str) -> None:
    assert str(format_json(value)) == text


def test_dates_and_times_are_short() -> None:
    assert format_json(datetime(2026, 11, 28, 14, 5, 10, tzinfo=UTC)) == "Nov 28, 2026, 14:05"
    assert format_json(date(2026, 11, 8)) == "Nov 8, 2026"


def test_long_json_is_cut() -> None:
    assert str(format_json(list(range(1000)))).endswith("49, and 950 more")
    deep: Any = "end"
    for _ in range(100):
        deep = [deep]
    assert len(str(format_json(deep))) < 500
    assert len(str(format_json("x" * 1_000_000))) < 21_000


def test_response_body_that_is_no_json_stays_as_it_is() -> None:
    assert format_json_text("<html>Bad gateway") == "<html>Bad gateway"
    assert format_json_text('{"ok": false}') == '<dl class="facts"><dt>Ok</dt><dd>No</dd></dl>'
    assert format_json_text("[" * 100_000).startswith("[[")


def test_codes_become_words() -> None:
    assert (make_label("sample_rate"), make_label("si_sdr"), make_label("")) == ("Sample rate", "SI-SDR", "–")
