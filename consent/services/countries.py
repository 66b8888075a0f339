"""Lists of countries in contracts and voices: ISO 3166-1 codes, or only WORLDWIDE."""

from collections.abc import Collection, Sequence

from django_countries import countries

from consent.models import WORLDWIDE
from voicehub.text import join_with_and


def list_countries() -> list[tuple[str, str]]:
    """All countries as (code, name), sorted by name."""
    return [(str(code), str(name)) for code, name in countries]


def describe_countries(codes: Sequence[str]) -> str:
    """“Austria and Germany”, or “worldwide”. A code that is no longer in use is shown as it is."""
    if WORLDWIDE in codes:
        return WORLDWIDE
    return join_with_and(sorted(str(countries.name(code)) or code for code in codes))


def includes_countries(allowed: Collection[str], wanted: Collection[str]) -> bool:
    """Whether `allowed` includes every country of `wanted`. Only a worldwide list includes another worldwide list."""
    return WORLDWIDE in allowed or set(wanted) <= set(allowed)
