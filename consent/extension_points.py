"""The providers by name, for people. This app knows nothing of voices, so the app that knows them offers them here."""

from collections.abc import Callable

Names = Callable[[], list[tuple[str, str]]]

_offered: list[Names] = []


def offer(names: Names) -> None:
    """Have `names` asked for (slug, name) pairs whenever a page needs them."""
    _offered.append(names)


def choices() -> list[tuple[str, str]]:
    """Every provider on offer as (slug, name)."""
    return [pair for names in _offered for pair in names()]


def label(slug: str) -> str:
    """The provider's own name; its slug where nobody offers it (any more)."""
    return dict(choices()).get(slug, slug)
