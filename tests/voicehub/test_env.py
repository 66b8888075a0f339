"""Settings from the environment: invalid values are refused, and secrets have no default."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from voicehub import env

NAME = "VOICEHUB_TESTED"


@pytest.mark.parametrize(("text", "expected"), [("yes", True), ("TRUE", True), ("0", False), ("off", False)])
def test_boolean_accepts_common_spellings(monkeypatch: pytest.MonkeyPatch, text: str, expected: bool) -> None:
    monkeypatch.setenv(NAME, text)
    assert env.read_boolean(NAME, default=not expected) is expected


@pytest.mark.parametrize("text", ["maybe", "2", "falsch", "yes please"])
def test_boolean_refuses_other_values(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(NAME, text)
    with pytest.raises(ImproperlyConfigured, match=NAME):
        env.read_boolean(NAME, default=True)


@pytest.mark.parametrize("text", ["-1", "ten", "1.5", "2"])
def test_integer_refuses_text_and_numbers_below_its_minimum(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(NAME, text)
    with pytest.raises(ImproperlyConfigured, match="at least 3"):
        env.read_integer(NAME, 7, minimum=3)


def test_integer_refuses_numbers_above_its_maximum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "9")
    assert env.read_integer(NAME, 7, minimum=3, maximum=9) == 9
    with pytest.raises(ImproperlyConfigured, match="from 3 to 8"):
        env.read_integer(NAME, 7, minimum=3, maximum=8)


@pytest.mark.parametrize("name", ["missing.ttf", "font.txt"])
def test_font_must_be_a_font_file_that_exists(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    (tmp_path / "font.txt").touch()
    (tmp_path / "font.TTF").touch()
    assert env.read_font(NAME) == ""
    monkeypatch.setenv(NAME, str(tmp_path / "font.TTF"))
    assert env.read_font(NAME) == str(tmp_path / "font.TTF")
    monkeypatch.setenv(NAME, str(tmp_path / name))
    with pytest.raises(ImproperlyConfigured, match="path of a font file"):
        env.read_font(NAME)


@pytest.mark.parametrize("name", ["missing.svg", "logo.gif", "large.png"])
def test_logo_must_be_a_small_picture_that_exists(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    for file, size in (("logo.SVG", 9), ("logo.gif", 9), ("large.png", env.MAX_LOGO_BYTES + 1)):
        (tmp_path / file).write_bytes(b"x" * size)
    assert env.read_logo(NAME) == ""
    monkeypatch.setenv(NAME, str(tmp_path / "logo.SVG"))
    assert env.read_logo(NAME) == str(tmp_path / "logo.SVG")
    monkeypatch.setenv(NAME, str(tmp_path / name))
    with pytest.raises(ImproperlyConfigured, match="at most 20 kB"):
        env.read_logo(NAME)


def test_url_without_scheme_is_refused_and_trailing_slash_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "https://voices.example/")
    assert env.read_url(NAME, "") == "https://voices.example"
    monkeypatch.setenv(NAME, "voices.example")
    with pytest.raises(ImproperlyConfigured, match="http"):
        env.read_url(NAME, "")


def test_secret_is_read_from_variable_then_named_file_then_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "tested").write_text("from the folder\n")
    assert env.read_secret(NAME, tmp_path) == "from the folder"
    (tmp_path / "elsewhere").write_text("from a file\n")
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "elsewhere"))
    assert env.read_secret(NAME, tmp_path) == "from a file"
    monkeypatch.setenv(NAME, "from the variable")
    assert env.read_secret(NAME, tmp_path) == "from the variable"


@pytest.mark.parametrize("content", [None, "", "  \n"])
def test_missing_or_empty_secret_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "tested").write_text(content)
    with pytest.raises(ImproperlyConfigured, match=f"Set {NAME} or {NAME}_FILE"):
        env.read_secret(NAME, tmp_path)


def test_secret_with_missing_named_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "tested").write_text("the old one")
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "missing"))
    with pytest.raises(ImproperlyConfigured):
        env.read_secret(NAME, tmp_path)


def test_mail_server_url_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "smtp://studio%40x:p%3Aw@mail.example:587?tls=1")
    assert env.read_mail_server(NAME) == env.MailServer("mail.example", 587, "studio@x", "p:w", tls=True, ssl=False)


@pytest.mark.parametrize("text", ["mail.example:25", "http://mail.example", "smtp://"])
def test_mail_server_refuses_other_urls(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(NAME, text)
    with pytest.raises(ImproperlyConfigured, match="smtp://"):
        env.read_mail_server(NAME)


def test_mail_server_is_none_if_not_set() -> None:
    assert env.read_mail_server(NAME) is None
