"""The sign-ins of the sample are printed once, by the start that creates them."""

from pathlib import Path

import pytest

from launcher.studio import Greeting

SECRET = "ada     admin     1234-5678-9abc\n"


def greet(sign_ins: Path, *, sample: bool, text: str = "") -> str:
    """What a start prints. `text` is written by the sample after the start."""
    lines: list[str] = []
    greeting = Greeting("http://127.0.0.1:8000", sign_ins, sample=sample)
    greeting.print_line = lines.append
    greeting._was_served = True
    greeting.print_when_ready()
    if text:
        sign_ins.write_text(text, encoding="utf-8")
    greeting.print_when_ready()
    greeting.print_when_ready()
    return "\n".join(lines)


def test_sign_ins_are_printed_once_and_later_starts_name_the_file(tmp_path: Path) -> None:
    sign_ins = tmp_path / "sign-ins.txt"
    first = greet(sign_ins, sample=True, text=SECRET)
    assert first.count(SECRET) == 1
    second = greet(sign_ins, sample=True)
    assert SECRET.strip() not in second
    assert str(sign_ins) in second


@pytest.mark.parametrize("is_old", [True, False])
def test_without_the_sample_no_sign_ins_are_printed(tmp_path: Path, is_old: bool) -> None:
    sign_ins = tmp_path / "sign-ins.txt"
    if is_old:
        sign_ins.write_text(SECRET, encoding="utf-8")
    text = greet(sign_ins, sample=False, text=SECRET)
    assert "VoiceHub is at" in text
    assert "1234" not in text
    assert str(sign_ins) not in text
