"""Writes docs/providers.md from what the adapters declare: `python -m docs.providers > docs/providers.md`."""

import os
import sys
from collections.abc import Iterable, Iterator

import django

from providers.types import Capabilities, ConsentProof, Handover, Limit

HEAD = """# Providers

Made from the adapters' own data by `python -m docs.providers`; a test keeps it so. Where a vendor's pages disagree, an
admin can override a limit under Limit overrides, and the override's source is shown with it. The last section is for
whoever adds a provider.
"""
WAYS = {
    Handover.RECORDINGS: "one by one",
    Handover.DATASET_URL: "an archive that the vendor fetches",
    Handover.SIGNED_PUT_TEXTS: "an uploaded archive with texts",
    Handover.SIGNED_PUT_CLIPS: "an uploaded archive without texts",
    Handover.SIGNED_PUT_WAV: "one uploaded WAV",
    Handover.FILE_IDS: "uploaded files",
    Handover.ONE_FILE: "one file",
}
PROOFS = {
    ConsentProof.NONE: "not asked for",
    ConsentProof.OFFLINE: "shown offline",
    ConsentProof.BASE64_WAV: "a WAV in the call",
    ConsentProof.AUDIO_FILE: "an audio file",
}
ADDING = """
These files, and no change to any other code: `providers/registry.py` and `sandbox/registry.py` find the packages beside
them, and a broken one stops the start. Only what no provider needed before is added where all share it: a way to hand
recordings over (`Handover` in `providers/types.py`, its label in `voices/models/choices.py`, its file in
`tests/providers/making.py`), or a statement that its consents need (a migration in `consent/migrations` that has it
word for word, with source and date).
"""
# Path and what it holds; <slug> is the provider's.
FILES = (
    (
        "providers/<slug>/capabilities.py",
        "what each tier can do and asks for, as data; each limit with its source and date. The form, the preflight and"
        " this page come from it. What staff should know before they send anybody's voice is a caution.",
    ),
    (
        "providers/<slug>/parsing.py",
        "reads the vendor's answers: statuses, reports, refusals, callbacks. Pure functions, without the client.",
    ),
    (
        "providers/<slug>/adapter.py",
        "an `HttpProvider` that makes the vendor's calls, under 200 lines, and `ADAPTER`, its name for the registry."
        " Its `slug` is the name of the package; lists are sorted by `list_position`, then by `label`. It announces"
        " every call that creates or starts something with `journal.about_to`, passes `creates=True`, and writes each"
        " remote id at once.",
    ),
    (
        "sandbox/<slug>/urls.py",
        "`API`, a `VendorApi`: where the vendor is mounted, its URLs, the form of its errors, how its trainings end."
        " Beside it are the views, which serve the same API for real, as the vendor's own client expects it.",
    ),
    (
        "sandbox/<slug>/constants.py",
        "the vendor's numbers, and what the vendor leaves open, decided and labelled as ours.",
    ),
    (
        "tests/sandbox",
        "the vendor's page, asked of the sandbox call by call, by the official client where there is one.",
    ),
    (
        "tests/providers/test_<slug>.py",
        "the shared contract, and what is the vendor's own. A provider without the contract fails the suite.",
    ),
    ("docs/sandbox.md", "its lines in the tables of base URLs and of operations."),
    ("docs/providers.md", "this page: `python -m docs.providers > docs/providers.md`."),
    ("CHANGELOG.md", "a line."),
)


def page() -> str:
    """The whole page as Markdown."""
    from providers.registry import all_providers

    tiers = [(provider, tier) for provider in all_providers() for tier in provider.tiers.values()]
    parts = [HEAD, "\n## All tiers at a glance\n", table(GLANCE, (glance(p.label, tier) for p, tier in tiers))]
    for provider, tier in tiers:
        parts.append(f"\n## {provider.label}, {tier.label.lower()} (`{provider.slug}`, `{tier.tier}`)\n")
        parts.append(f"\n{tier.summary} Cost: {tier.cost}.\n")
        parts.append(bullets(tier.cautions))
        parts.append(table(["what", "how"], capabilities(tier)))
        parts.append(table(["limit", "value", "kind", "source", "read on"], limits(tier.limits.items())))
    parts.append("\n## Adding a provider\n")
    parts.append(ADDING)
    parts.append(bullets(f"`{path}`: {text}" for path, text in FILES))
    return "".join(parts)


GLANCE = ["provider", "tier", "handed over as", "proof of consent", "recordings", "seconds", "trained again", "found"]
GLANCE += ["listed", "renamed", "visibility set", "deleted", "previewed", "credits"]


def glance(label: str, tier: Capabilities) -> tuple[str, ...]:
    """A tier's line of the first table."""
    return (
        label,
        tier.label,
        words(WAYS[way] for way in tier.handover),
        PROOFS[tier.consent_proof],
        span(tier.limits.get("least_recordings"), tier.limits.get("most_recordings")),
        span(tier.limits.get("least_seconds") or tier.limits.get("advised_seconds"), tier.limits.get("most_seconds")),
        yes(tier.trains_again),
        yes(tier.can_find),
        yes(tier.can_list),
        yes(tier.can_rename),
        yes(tier.can_set_visibility),
        yes(tier.can_delete),
        yes(tier.can_preview),
        str(tier.credits or ""),
    )


def span(least: Limit | None, most: Limit | None) -> str:
    """From the one to the other, as far as both are there; nothing for neither."""
    named = (("from", least), ("to", most))
    return " ".join(f"{word} {amount(limit)}{'' if limit.hard else ' advised'}" for word, limit in named if limit)


def amount(limit: Limit) -> str:
    return f"{limit.value:,.10g}"


def capabilities(tier: Capabilities) -> Iterator[tuple[str, str]]:
    yield "recordings are handed over as", words(WAYS[way] for way in tier.handover)
    if Handover.ONE_FILE in tier.handover:
        yield "one file is written as", str(tier.encoding).upper()
    yield "languages", ", ".join(tier.languages) or "none are named"
    yield "consent is proved by", PROOFS[tier.consent_proof]
    yield "the end is told by", words(tier.news)
    yield "asked for news every", f"{tier.poll_seconds:g} s"
    yield "what comes back", words(tier.reports) or "the status alone"
    yield "a transcript for each recording", yes(tier.transcript_required)
    yield "one voice is trained again", yes(tier.trains_again)
    yield "a voice is found by its name", yes(tier.can_find)
    yield "the account's voices are listed", yes(tier.can_list)
    yield "a voice is renamed", yes(tier.can_rename)
    yield "a voice is made private or public", yes(tier.can_set_visibility)
    yield "a voice is deleted", yes(tier.can_delete)
    yield "a voice is previewed", yes(tier.can_preview)
    yield "private unless asked otherwise", "yes" if tier.private_by_default else "no, or not stated"
    yield "credits charged on success", str(tier.credits or "none, or not stated")


def limits(items: Iterable[tuple[str, Limit]]) -> Iterator[tuple[str, ...]]:
    for name, limit in items:
        kind = ": ".join(filter(None, ("required" if limit.hard else "advice", limit.note)))
        yield name.replace("_", " "), f"{amount(limit)} {limit.unit}", kind, limit.source, limit.checked


def table(head: list[str], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def bullets(lines: Iterable[str]) -> str:
    text = "".join(f"- {line}\n" for line in lines)
    return f"\n{text}" if text else ""


def words(names: Iterable[object]) -> str:
    return ", ".join(str(name).replace("_", " ") for name in names)


def yes(said: bool) -> str:
    return "yes" if said else "no"


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voicehub.settings")
    django.setup()
    sys.stdout.write(page())
