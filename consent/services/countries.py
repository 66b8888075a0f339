"""Lists of countries in contracts and voices: ISO 3166-1 codes, or only WORLDWIDE."""

from collections.abc import Collection, Sequence

from babel import Locale
from django.utils.translation import get_language, gettext, to_locale
from django_countries import countries

from consent.models import WORLDWIDE
from voicehub.talent_languages import SOURCE_LANGUAGE
from voicehub.text import join_with_and


def list_countries() -> list[tuple[str, str]]:
    """All countries as (code, name), sorted by name."""
    return [(str(code), str(name)) for code, name in countries]


def describe_countries(codes: Sequence[str]) -> str:
    """“Austria and Germany”, or “worldwide”. A code that is no longer in use is shown as it is."""
    if WORLDWIDE in codes:
        return gettext("worldwide")
    return join_with_and(sorted(_name_country(code) for code in codes))


def _name_country(code: str) -> str:
    """In the active language. The list of countries itself is in English."""
    language = get_language() or SOURCE_LANGUAGE
    names = {} if language.startswith(SOURCE_LANGUAGE) else Locale.parse(to_locale(language)).territories
    return str(names.get(code) or countries.name(code)) or code


def includes_countries(allowed: Collection[str], wanted: Collection[str]) -> bool:
    """Whether `allowed` includes every country of `wanted`. Only a worldwide list includes another worldwide list."""
    return WORLDWIDE in allowed or set(wanted) <= set(allowed)
