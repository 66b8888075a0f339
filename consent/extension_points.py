"""What this app needs from apps that it does not import: provider names, and comparing takes with recordings."""

from collections.abc import Callable

from consent.models import Talent

Names = Callable[[], list[tuple[str, str]]]
Compare = Callable[[Talent], None]

_names: list[Names] = []
_comparisons: list[Compare] = []


def register_providers(names: Names) -> None:
    """Have `names` asked for (slug, name) pairs whenever a page needs them."""
    _names.append(names)


def list_provider_choices() -> list[tuple[str, str]]:
    """Every provider on offer as (slug, name)."""
    return [pair for names in _names for pair in names()]


def get_provider_label(slug: str) -> str:
    """The provider's own name; its slug where no app offers it (any more)."""
    return dict(list_provider_choices()).get(slug, slug)


def register_comparison(compare: Compare) -> None:
    """Have `compare` called for a talent whose newest take was just checked; it is to come back to `set_match`."""
    _comparisons.append(compare)


def compare_with_recordings(talent: Talent) -> None:
    """Ask every app that has recordings of this talent to compare them with the talent's takes."""
    for compare in _comparisons:
        compare(talent)
