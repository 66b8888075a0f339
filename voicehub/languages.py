"""Language tags (BCP 47) and the letters of their languages, from the Unicode CLDR."""

import unicodedata
from functools import cache

from babel import Locale, UnknownLocaleError
from babel.core import get_global, parse_locale
from babel.localedata import locale_identifiers

# The first words of the Unicode names of a script's letters. Scripts that are missing here are not checked.
LETTER_NAMES = {
    "Arab": ("ARABIC",),
    "Cyrl": ("CYRILLIC",),
    "Deva": ("DEVANAGARI",),
    "Grek": ("GREEK",),
    "Hans": ("CJK",),
    "Hant": ("CJK", "BOPOMOFO"),
    "Hebr": ("HEBREW",),
    "Jpan": ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "CJK"),
    "Kore": ("HANGUL", "CJK"),
    "Latn": (),
    "Thai": ("THAI",),
}
# Names of companies and providers are in Latin letters in texts of every language. A modifier letter is a mark.
EVERYWHERE = ("LATIN", "MODIFIER", "FEMININE", "MASCULINE", "COMBINING", "IDEOGRAPHIC")


def normalize_language(tag: str) -> str:
    """The tag of a known language in its usual form: "EN-us" becomes "en-US". Raises ValueError if it is none."""
    try:
        Locale.parse(tag, sep="-")
        language, territory, script, *_ = parse_locale(tag, sep="-")
    except (UnknownLocaleError, ValueError, TypeError):
        raise ValueError(f"“{tag}” is not a known language. Use a tag such as en-US or ja-JP.") from None
    return "-".join(part for part in (language, script, territory) if part)


@cache
def list_language_choices() -> list[tuple[str, str]]:
    """Each language of a country with its name in English, such as ("de-AT", "German (Austria)"), sorted by name."""
    tags = [identifier.replace("_", "-") for identifier in locale_identifiers() if identifier.count("_") == 1]
    named = [(tag, Locale.parse(tag, sep="-").get_display_name("en") or tag) for tag in tags if _has_country(tag)]
    return sorted(named, key=lambda choice: choice[1])


def _has_country(tag: str) -> bool:
    country = tag.partition("-")[2]
    return len(country) == 2 and country.isupper()


def find_foreign_letters(text: str, tag: str) -> str:
    """The letters of the text that belong to another script than that of the language. Copied texts may have such."""
    names = LETTER_NAMES.get(_find_script(tag))
    if names is None:
        return ""
    allowed = (*EVERYWHERE, *names)
    found = [letter for letter in text if _is_letter(letter) and _name_script(letter) not in allowed]
    return "".join(dict.fromkeys(found))


def _find_script(tag: str) -> str:
    language, territory, script, *_ = parse_locale(tag, sep="-")
    likely = get_global("likely_subtags")
    found = likely.get(f"{language}_{territory}") or likely.get(language) or ""
    return script or next((part for part in found.split("_") if len(part) == 4), "")


def _is_letter(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LM"


def _name_script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]
