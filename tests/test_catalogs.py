"""The translations of everything that talents read: complete, current, with the same placeholders, and compiled."""

import re
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Message
from django.template.base import Lexer, TokenType

from tests.support.messages import (
    DOMAINS,
    LANGUAGES,
    PLACEHOLDER,
    ROOT,
    collect_texts,
    compile_catalog,
    get_path,
    is_translated,
    read_catalog,
)
from voicehub.catalogs import Translation, get_catalog_path, hash_catalog, list_translations, load_script_texts

CATALOGS = [(language, domain) for language in LANGUAGES for domain in DOMAINS]
# What no translation may contain: formal languages, and no other kind of quotes than those of the language.
INFORMAL = {
    "de": re.compile(r"\b(du|dir|dich|dein\w*)\b", re.IGNORECASE),
    "fr": re.compile(r"\b(tu|toi|ton|tes)\b", re.IGNORECASE),
    "es": re.compile(r"\b(tú|tu|tus|te|ti|vosotros)\b", re.IGNORECASE),
    "pt-br": re.compile(r"\b(tu|teu|tua|teus|tuas)\b", re.IGNORECASE),
}
HINT = "run `make messages`, translate the texts that it adds, and run it again"


def list_messages(language: str, domain: str) -> list[Message]:
    return [message for message in read_catalog(language, domain) if message.id]


def list_forms(text: Any) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


@pytest.mark.parametrize(("language", "domain"), CATALOGS)
def test_catalog_has_every_text_of_the_code_and_no_other(language: str, domain: str) -> None:
    wanted = {(message.context, message.id) for message in collect_texts(domain) if message.id}
    assert {(message.context, message.id) for message in list_messages(language, domain)} == wanted, HINT


@pytest.mark.parametrize(("language", "domain"), CATALOGS)
def test_every_text_is_translated_and_no_translation_is_a_guess(language: str, domain: str) -> None:
    messages = list_messages(language, domain)
    assert [message.id for message in messages if not is_translated(message)] == [], HINT
    assert [message.id for message in messages if message.fuzzy] == []


@pytest.mark.parametrize(("language", "domain"), CATALOGS)
def test_translations_have_the_placeholders_of_the_text(language: str, domain: str) -> None:
    for message in list_messages(language, domain):
        wanted = set(PLACEHOLDER.findall(list_forms(message.id)[-1]))
        for form in list_forms(message.string):
            found = set(PLACEHOLDER.findall(form))
            # The form for one may leave out the number, as in “your recording”.
            is_complete = found == wanted or (len(list_forms(message.id)) > 1 and found < wanted)
            assert is_complete, (message.id, form)


@pytest.mark.parametrize(("language", "domain"), CATALOGS)
def test_translations_keep_the_markup_and_address_people_formally(language: str, domain: str) -> None:
    for message in list_messages(language, domain):
        for form in list_forms(message.string):
            assert re.findall(r"<[^>]+>", form) == re.findall(r"<[^>]+>", list_forms(message.id)[0]), message.id
            assert not (language in INFORMAL and INFORMAL[language].search(form)), form


@pytest.mark.parametrize(("language", "domain"), CATALOGS)
def test_compiled_catalog_is_that_of_the_texts(language: str, domain: str) -> None:
    compiled = get_path(language, domain, ".mo").read_bytes()
    assert compiled == compile_catalog(read_catalog(language, domain)), HINT


# Templates that a talent reads, and the words in them that are the same in every language.
TALENT_TEMPLATES = [
    *sorted((ROOT / "templates" / "public").glob("*.html")),
    ROOT / "templates" / "public_base.html",
    *(ROOT / "templates" / "consent" / f"{name}.html" for name in ("_recorder", "_statement_text", "_take_file_form")),
    *sorted((ROOT / "templates" / "consent" / "mail").glob("talent_*.txt")),
    *(
        ROOT / "templates" / "consent" / "mail" / name
        for name in ("invitation.txt", "reminder.txt", "private_link.txt")
    ),
]
NAMES = {"PDF", "VoiceHub"}
SCRIPT_NAMES = {"Samsung Internet", "WAVEfmt "}
SENTENCE = re.compile(r'"([A-Z][^"\n]* [^"\n]*)"')


@pytest.mark.parametrize("path", TALENT_TEMPLATES, ids=lambda path: path.name)
def test_templates_for_talents_have_no_words_outside_gettext(path: Path) -> None:
    html, is_inside = "", False
    for token in Lexer(path.read_text()).tokenize():
        if token.token_type == TokenType.BLOCK and token.contents.split()[0] in {"blocktranslate", "endblocktranslate"}:
            is_inside = not token.contents.startswith("end")
        elif token.token_type == TokenType.TEXT and not is_inside:
            html += token.contents
    for element in ("style", "script"):
        html = re.sub(rf"<{element}.*?</{element}>", "", html, flags=re.DOTALL)
    labels = re.findall(r'(?:aria-label|alt|title|placeholder)="([^"]*)"', html)
    words = re.findall(r"[A-Za-z]{3,}", " ".join([re.sub(r"<[^>]*>", " ", html), *labels]))
    assert set(words) <= NAMES


@pytest.mark.parametrize("path", sorted((ROOT / "static/js/recorder").glob("*.js")), ids=lambda path: path.name)
def test_scripts_of_the_recorder_have_no_sentence_outside_the_catalog(path: Path) -> None:
    code = "\n".join(line.partition("//")[0] for line in path.read_text().splitlines())
    texts = {message.id for message in list_messages("de", "djangojs")}
    assert [text for text in SENTENCE.findall(code) if text not in texts | SCRIPT_NAMES] == []


def test_django_reads_the_catalogs_that_the_tool_writes() -> None:
    for language, domain in CATALOGS:
        assert get_catalog_path(language, domain) == get_path(language, domain, ".mo")
        assert get_catalog_path(language, domain).is_relative_to(ROOT)


def test_fingerprint_covers_every_translation(monkeypatch: pytest.MonkeyPatch) -> None:
    before, rows = hash_catalog("de"), list_translations("de")
    assert len(rows) == sum(len(list_messages("de", domain)) for domain in DOMAINS)
    for place in (0, len(rows) - 1):
        changed = [*rows[:place], Translation(rows[place].english, ("Anders",)), *rows[place + 1 :]]
        monkeypatch.setattr("voicehub.catalogs.list_translations", lambda _language, changed=changed: changed)
        hash_catalog.cache_clear()
        assert hash_catalog("de") != before
    monkeypatch.undo()
    hash_catalog.cache_clear()


def test_scripts_get_their_texts_only_in_another_language() -> None:
    assert load_script_texts("en") == {}
    texts = load_script_texts("ja")
    assert set(texts) == {message.id for message in list_messages("ja", "djangojs")}
