"""Writes docs/providers.md from what the adapters declare: `python -m docs.providers > docs/providers.md`."""

import os
import sys
from collections.abc import Iterable, Iterator

import django

HEAD = """# Providers

Made from the adapters' own data by `python -m docs.providers`; a test keeps it so. Where a vendor's pages disagree, an
admin can override a limit under Limit overrides, and the override's source is shown with it.
"""


def page() -> str:
    """The whole page as Markdown."""
    from voices.providers.registry import all_providers
    from voices.providers.types import Capabilities

    def capabilities(tier: Capabilities) -> Iterator[tuple[str, str]]:
        yield "recordings are handed over", words(tier.handover)
        yield "consent is proved by", words([tier.consent_proof])
        yield "the end is told by", words(tier.news)
        yield "what comes back", words(tier.reports)
        yield "a transcript for each recording", yes(tier.transcript_required)
        yield "a voice is found by its name", yes(tier.can_find)
        yield "a voice is changed", yes(tier.can_update)
        yield "a voice is deleted", yes(tier.can_delete)
        yield "a voice is previewed", yes(tier.can_preview)
        yield "private unless asked otherwise", yes(tier.private_by_default)

    def limits(tier: Capabilities) -> Iterator[tuple[str, ...]]:
        for name, limit in tier.limits.items():
            kind = "required" if limit.hard else f"advice: {limit.note}"
            yield name.replace("_", " "), f"{limit.value:g} {limit.unit}", kind, limit.source, limit.checked

    parts = [HEAD]
    for provider in all_providers():
        for tier in provider.tiers.values():
            parts.append(f"\n## {provider.label}, {tier.label.lower()} (`{provider.slug}`, `{tier.tier}`)\n")
            parts.append(f"\n{tier.summary} Cost: {tier.cost}.\n")
            parts.append(table(["what", "how"], capabilities(tier)))
            parts.append(table(["limit", "value", "kind", "source", "read on"], limits(tier)))
    return "".join(parts)


def table(head: list[str], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def words(names: Iterable[object]) -> str:
    return ", ".join(str(name).replace("_", " ") for name in names)


def yes(said: bool) -> str:
    return "yes" if said else "no"


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voicehub.settings")
    django.setup()
    sys.stdout.write(page())
