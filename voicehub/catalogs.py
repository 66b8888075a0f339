"""The translations in locale/: their fingerprints, their texts, and those of the scripts.

`python -m tests.support.messages` writes them. English needs none: it is in the code.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babel.messages.mofile import read_mo
from django.conf import settings
from django.utils.translation import to_locale

from voicehub.json_fields import hash_json

PAGES, SCRIPTS = DOMAINS = ("django", "djangojs")


@dataclass(frozen=True, slots=True)
class Translation:
    """A text in English and in another language. A text with a number has a form for one and for many."""

    english: tuple[str, ...]
    translated: tuple[str, ...]


def get_catalog_path(language: str, domain: str, suffix: str = ".mo") -> Path:
    return Path(settings.LOCALE_PATHS[0]) / to_locale(language) / "LC_MESSAGES" / f"{domain}{suffix}"


@cache
def hash_catalog(language: str) -> str:
    """The SHA-256 of all texts and their translations into this language, as canonical JSON."""
    return hash_json([[one.english, one.translated] for one in list_translations(language)])


@cache
def load_script_texts(language: str) -> dict[str, str]:
    """The translations of the texts in static/js, by the English text. Empty for English."""
    return {one.english[0]: one.translated[0] for one in _read_catalog(language, SCRIPTS)}


def list_translations(language: str) -> list[Translation]:
    """Everything that is translated into this language."""
    return [one for domain in DOMAINS for one in _read_catalog(language, domain)]


def _read_catalog(language: str, domain: str) -> Iterator[Translation]:
    path = get_catalog_path(language, domain)
    if not path.is_file():
        return
    with path.open("rb") as file:
        for message in read_mo(file):
            if message.id and message.string:
                yield Translation(_make_forms(message.id), _make_forms(message.string))


def _make_forms(text: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)
