"""Writes the catalogs in locale/ from the texts in the code: `make messages`. It needs no GNU gettext.

    python -m tests.support.messages            add new texts, remove old ones, and compile
    python -m tests.support.messages --missing  print the texts without a translation, as JSON

Texts are found by the functions of gettext in Python, by `translate` and `blocktranslate` in templates, and by
`translate` in scripts.
"""

import io
import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation import to_locale
from django.utils.translation.template import templatize

from providers import registry
from voicehub.talent_languages import SOURCE_LANGUAGE, TALENT_LANGUAGES

ROOT = Path(__file__).resolve().parents[2]
LOCALE = ROOT / "locale"
LANGUAGES = [language for language in TALENT_LANGUAGES if language != SOURCE_LANGUAGE]
PAGES, SCRIPTS = DOMAINS = ("django", "djangojs")
PYTHON_FOLDERS = ("consent", "voices", "voicehub")
PYTHON_KEYWORDS: dict[str, Any] = {
    "_": None, "gettext": None, "gettext_lazy": None, "gettext_noop": None,
    "ngettext": (1, 2), "ngettext_lazy": (1, 2), "pgettext": ((1, "c"), 2),
}  # fmt: skip
SCRIPT_KEYWORDS: dict[str, Any] = {"translate": None}
COMMENT = "Translators:"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w*\}|%[sd]")
WIDTH = 120
FIRST_DAY = datetime(2026, 11, 29, tzinfo=UTC)
HEADER: dict[str, Any] = {
    "project": "VoiceHub",
    "version": "1",
    "header_comment": "# What talents read. `make messages` adds new texts; then translate them here and run it again.",
    "copyright_holder": "VoiceHub",
    "msgid_bugs_address": "none",
    "last_translator": "VoiceHub",
    "language_team": "none",
    "creation_date": FIRST_DAY,
    "revision_date": FIRST_DAY,
}


@cache
def collect_texts(domain: str) -> Catalog:
    """The texts of one domain, without translations."""
    catalog = Catalog()
    found = iterate_script_texts() if domain == SCRIPTS else iterate_page_texts()
    for place, text, comments, context in found:
        catalog.add(text, locations=[(place, 1)], auto_comments=comments, context=context)
    return catalog


def iterate_page_texts() -> Iterator[tuple[str, Any, list[str], str | None]]:
    for folder in PYTHON_FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield from extract_texts(path, "python", path.read_bytes(), PYTHON_KEYWORDS)
    for path in sorted(path for path in (ROOT / "templates").rglob("*") if path.suffix in {".html", ".txt"}):
        # What is left of the template are calls of gettext among other words, which is not quite Python.
        code = "\n".join(line.strip() for line in templatize(path.read_text()).splitlines())
        yield from extract_texts(path, "python", code.encode(), PYTHON_KEYWORDS)
    # Texts about providers are with their other facts, in a package that knows no Django.
    for provider in registry.PROVIDERS.values():
        if provider.data_use.deletion_limits:
            yield f"providers/{provider.slug}", provider.data_use.deletion_limits, [], None


def iterate_script_texts() -> Iterator[tuple[str, Any, list[str], str | None]]:
    for path in sorted((ROOT / "static" / "js").rglob("*.js")):
        yield from extract_texts(path, "javascript", path.read_bytes(), SCRIPT_KEYWORDS)


def extract_texts(
    path: Path, method: str, code: bytes, keywords: dict[str, Any]
) -> Iterator[tuple[str, Any, list[str], str | None]]:
    place = path.relative_to(ROOT).as_posix()
    options = {"encoding": "utf-8"}
    for _line, text, comments, context in extract(method, io.BytesIO(code), keywords, (COMMENT,), options, True):
        yield place, text, comments, context


def get_path(language: str, domain: str, suffix: str = ".po") -> Path:
    return LOCALE / to_locale(language) / "LC_MESSAGES" / f"{domain}{suffix}"


def read_catalog(language: str, domain: str) -> Catalog:
    path = get_path(language, domain)
    if not path.is_file():
        return Catalog(locale=to_locale(language))
    with path.open("rb") as file:
        return read_po(file, locale=to_locale(language))


def make_catalog(language: str, domain: str) -> Catalog:
    """The texts of today with the translations that the catalog has. Its header changes only with the texts."""
    old, new = read_catalog(language, domain), Catalog(locale=to_locale(language), fuzzy=False, **HEADER)
    for message in collect_texts(domain):
        if message.id:
            known = old.get(message.id, message.context)
            places = sorted({(place, 1) for place, _line in message.locations})
            new.add(
                message.id,
                known.string if known else ("" if isinstance(message.id, str) else ("",) * new.num_plurals),
                locations=places,
                auto_comments=message.auto_comments,
                context=message.context,
            )
    return new


def compile_catalog(catalog: Catalog) -> bytes:
    """The content of the .mo file. Its header has only what gettext needs."""
    output = io.BytesIO()
    write_mo(output, catalog)
    return output.getvalue()


def render_catalog(catalog: Catalog) -> bytes:
    output = io.BytesIO()
    write_po(output, catalog, width=WIDTH, sort_output=True, omit_header=False, include_lineno=False)
    return output.getvalue()


def is_translated(message: Message) -> bool:
    forms = [message.string] if isinstance(message.string, str) else list(message.string or ())
    return bool(forms) and all(forms)


def list_missing(language: str) -> list[Any]:
    """The texts without a translation into this language."""
    catalogs = [make_catalog(language, domain) for domain in DOMAINS]
    return [message.id for catalog in catalogs for message in catalog if message.id and not is_translated(message)]


def write_catalogs() -> None:
    for language in LANGUAGES:
        for domain in DOMAINS:
            catalog = make_catalog(language, domain)
            path = get_path(language, domain)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(render_catalog(catalog))
            path.with_suffix(".mo").write_bytes(compile_catalog(read_catalog(language, domain)))
        sys.stdout.write(f"{language}: {len(list_missing(language))} texts without a translation\n")


if __name__ == "__main__":
    if "--missing" in sys.argv:
        missing = {language: list_missing(language) for language in LANGUAGES}
        sys.stdout.write(json.dumps(missing, ensure_ascii=False, indent=1) + "\n")
    else:
        write_catalogs()
