"""The code page of names that are not UTF-8 is found by a table, by plausible words, and by the language."""

import pytest

from audio.archives.name_encoding import LANGUAGE_PAGES, OTHER_PAGES, PAGES, choose_code_page, describe_code_page


def choose(page: str, *names: str, table: tuple[str, ...] = (), language: str = "") -> list[str]:
    """The names as they are read that were packed in this code page."""
    raw = [name.encode(page) for name in names]
    chosen = choose_code_page(raw, table.__contains__, language)
    return [name.decode(chosen) for name in raw]


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("cp437", ["Größe 01.wav", "Füße.wav", "naïve.wav"]),
        ("cp850", ["São Paulo.wav", "øre.wav", "Ocaña 1.wav"]),
        ("cp1252", ["Größe.wav"]),
        ("cp1252", ["café/take – 01.wav"]),
        ("cp1251", ["Запись.wav"]),
        ("cp1251", ["тест/привет мир.wav"]),
        ("cp866", ["Запись 1.wav"]),
        ("cp866", ["ЗАПИСЬ.wav"]),
        ("cp932", ["録音.wav", "こんにちは.wav"]),
        ("cp932", ["表示 1.wav"]),
        ("gbk", ["录音.wav", "你好世界.wav"]),
        ("cp949", ["녹음.wav", "안녕하세요.wav"]),
        ("big5", ["錄音.wav", "你好.wav"]),
        ("mac_roman", ["Größe.wav", "café.wav"]),
    ],
)
def test_plausible_words_tell_the_code_page(page: str, names: list[str]) -> None:
    assert choose(page, *names) == names
    assert choose(page, *names, language="en-US") == names


@pytest.mark.parametrize(
    ("page", "name", "language"),
    [
        ("cp852", "Łódź 1.wav", "pl-PL"),
        ("cp1250", "příliš.wav", "cs-CZ"),
        ("cp932", "第1話.wav", "ja-JP"),
        ("big5", "測試.wav", "zh-TW"),
        ("gbk", "中文.wav", "zh-CN"),
        ("cp857", "ışık.wav", "tr"),
        ("cp737", "Ελλάδα.wav", "el-GR"),
    ],
)
def test_language_decides_between_code_pages_that_are_as_plausible(page: str, name: str, language: str) -> None:
    assert choose(page, name) != [name], "the name alone does not tell"
    assert choose(page, name, language=language) == [name]


def test_table_decides_against_plausible_words_and_the_language() -> None:
    assert choose("cp1252", "Žofka", language="de-DE") == ["Äofka"]
    assert choose("cp1252", "Žofka", table=("Žofka",), language="de-DE") == ["Žofka"]


def test_code_page_with_most_names_of_the_table_is_chosen() -> None:
    names = ("Žofka", "Žaneta", "Žena")
    assert choose("cp1252", *names, table=("Žofka", "Žena", "Äaneta")) == list(names)


def test_any_bytes_have_a_code_page() -> None:
    every_byte = bytes(range(128, 256))
    assert choose_code_page([every_byte, b"\x81"], lambda _name: False) in PAGES


def test_every_code_page_has_a_name_for_people_and_keeps_ascii() -> None:
    pages = {page for pages in LANGUAGE_PAGES.values() for page in pages}
    assert pages <= PAGES.keys() | OTHER_PAGES.keys()
    ascii_bytes = bytes(range(128))
    for page in PAGES | OTHER_PAGES:
        assert describe_code_page(page)
        assert ascii_bytes.decode(page) == ascii_bytes.decode()
