"""Writes docs/providers.md from what the adapters declare: `python -m docs.providers > docs/providers.md`."""

import os
import sys
from collections.abc import Iterable, Iterator

import django

from providers.types import Capabilities, ConsentProof, Handover, Limit

HEAD = """# Providers

Generated from the adapters' data by `python -m docs.providers`; a test checks that it is current. If a vendor's pages
disagree, an admin can override a limit under Limit overrides, and the override's source is shown with it. The last
section explains how to add a provider.
"""
WAYS = {
    Handover.RECORDINGS: "one by one",
    Handover.DATASET_URL: "an archive that the vendor downloads",
    Handover.SIGNED_PUT_TEXTS: "an uploaded archive with transcripts",
    Handover.SIGNED_PUT_CLIPS: "an uploaded archive without transcripts",
    Handover.SIGNED_PUT_WAV: "one uploaded WAV",
    Handover.FILE_IDS: "uploaded files",
    Handover.ONE_FILE: "one file",
}
PROOFS = {
    ConsentProof.NONE: "not required",
    ConsentProof.OFFLINE: "sent offline",
    ConsentProof.BASE64_WAV: "a WAV in the call",
    ConsentProof.AUDIO_FILE: "an audio file",
}
ADDING = """
Add these files; no other code changes: `providers/registry.py` and `sandbox/registry.py` find the packages beside them,
and a broken package stops the start. Add to shared code only what no provider needed before: a handover (`Handover` in
`providers/types.py`, its label in `voices/models/choices.py`, its file in `tests/providers/making.py`), or a consent
statement (a migration in `consent/migrations` with its exact text, source and date).
"""
# Path and what it holds; <slug> is the provider's.
FILES = (
    (
        "providers/<slug>/capabilities.py",
        "abilities and requirements of each tier, as data; each limit with its source and date. The form, the preflight"
        " and this page use it. What staff should know before they send a voice is a caution.",
    ),
    (
        "providers/<slug>/parsing.py",
        "parses the vendor's responses: statuses, reports, refusals, callbacks. Pure functions, without the client.",
    ),
    (
        "providers/<slug>/adapter.py",
        "an `HttpProvider` that makes the vendor's calls, under 200 lines, and `ADAPTER`, its name for the registry."
        " Its `slug` is the name of the package; lists are sorted by `list_position`, then by `label`. It announces"
        " every call that creates or starts something with `journal.before_call`, passes `creates=True`, and records"
        " each remote id at once.",
    ),
    (
        "sandbox/<slug>/urls.py",
        "`API`, a `VendorApi`: the vendor's mount point, its URLs, the form of its errors, how its trainings end."
        " Beside it are the views, which serve the same API as the vendor's own client expects it.",
    ),
    (
        "sandbox/<slug>/constants.py",
        "the vendor's numbers, and our decisions on what the vendor leaves open, labeled as ours.",
    ),
    (
        "tests/sandbox",
        "tests of the sandbox against the vendor's page, call by call, with the official client if there is one.",
    ),
    (
        "tests/providers/test_<slug>.py",
        "the shared contract and the vendor's special cases. A provider without the contract fails the suite.",
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
        parts.append(table(["limit", "value", "kind", "source", "checked on"], limits(tier.limits.items())))
    parts.append("\n## Adding a provider\n")
    parts.append(ADDING)
    parts.append(bullets(f"`{path}`: {text}" for path, text in FILES))
    return "".join(parts)


GLANCE = ["provider", "tier", "sent as", "proof of consent", "recordings", "seconds", "can retrain", "found"]
GLANCE += ["listed", "renamed", "visibility set", "deleted", "previewed", "credits"]


def glance(label: str, tier: Capabilities) -> tuple[str, ...]:
    """A tier's row of the first table."""
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
    """The range from least to most; either may be missing."""
    named = (("from", least), ("to", most))
    return " ".join(f"{word} {amount(limit)}{'' if limit.hard else ' advised'}" for word, limit in named if limit)


def amount(limit: Limit) -> str:
    return f"{limit.value:,.10g}"


def capabilities(tier: Capabilities) -> Iterator[tuple[str, str]]:
    yield "recordings are sent as", words(WAYS[way] for way in tier.handover)
    if Handover.ONE_FILE in tier.handover:
        yield "encoding of one file", str(tier.encoding).upper()
    yield "languages", ", ".join(tier.languages) or "none named"
    yield "proof of consent", PROOFS[tier.consent_proof]
    yield "status updates by", words(tier.news)
    yield "polled every", f"{tier.poll_seconds:g} s"
    yield "report contains", words(tier.reports) or "only the status"
    yield "a transcript for each recording", yes(tier.transcript_required)
    yield "a voice can be retrained", yes(tier.trains_again)
    yield "a voice can be found by name", yes(tier.can_find)
    yield "the account's voices can be listed", yes(tier.can_list)
    yield "a voice can be renamed", yes(tier.can_rename)
    yield "visibility can be set", yes(tier.can_set_visibility)
    yield "a voice can be deleted", yes(tier.can_delete)
    yield "a voice can be previewed", yes(tier.can_preview)
    yield "private by default", "yes" if tier.private_by_default else "no, or not stated"
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


def yes(value: bool) -> str:
    return "yes" if value else "no"


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voicehub.settings")
    django.setup()
    sys.stdout.write(page())
