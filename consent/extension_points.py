"""Extension points for apps that this app must not import: provider names, comparing takes with recordings."""

from collections.abc import Callable

from consent.models import Talent

ListProviders = Callable[[], list[tuple[str, str]]]
CompareSpeakers = Callable[[Talent], None]

_provider_lists: list[ListProviders] = []
_comparisons: list[CompareSpeakers] = []


def register_providers(list_providers: ListProviders) -> None:
    """Register a source of (slug, name) pairs. It is called whenever a page needs them."""
    _provider_lists.append(list_providers)


def list_provider_choices() -> list[tuple[str, str]]:
    """All available providers as (slug, name)."""
    return [pair for list_providers in _provider_lists for pair in list_providers()]


def get_provider_label(slug: str) -> str:
    """The provider's name, or its slug if no app offers it (any longer)."""
    return dict(list_provider_choices()).get(slug, slug)


def register_comparison(compare: CompareSpeakers) -> None:
    """Register a function to call for a talent whose take was just checked. It must call `save_speaker_match`."""
    _comparisons.append(compare)


def compare_with_recordings(talent: Talent) -> None:
    """Ask every app that has recordings of this talent to compare them with the talent's takes."""
    for compare in _comparisons:
        compare(talent)
