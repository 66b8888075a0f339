"""Writes docs/providers.md from the adapters' data: `.venv/bin/python -m docs.providers > docs/providers.md`."""

import math
import os
import sys
from collections.abc import Iterable, Iterator

import django

from providers.base import Provider
from providers.options import OptionKind, TierOption
from providers.rules import Instructions
from providers.types import Capabilities, ConsentProof, Handover, Limit

INTRODUCTION = """# Providers

`python -m docs.providers` generates this page from the adapters' data, and a test checks that the page is current. If
a vendor's documentation states another limit, an admin can override the limit under Limit overrides. VoiceHub shows the
source of the override with it. The last section explains how to add a provider.
"""
HANDOVER_LABELS = {
    Handover.RECORDINGS: "one by one",
    Handover.DATASET_URL: "an archive that the vendor downloads",
    Handover.SIGNED_PUT_TEXTS: "an uploaded archive with transcripts",
    Handover.SIGNED_PUT_CLIPS: "an uploaded archive without transcripts",
    Handover.SIGNED_PUT_WAV: "one uploaded WAV",
    Handover.FILE_IDS: "uploaded files",
    Handover.ONE_FILE: "one file",
}
PROOF_LABELS = {
    ConsentProof.NONE: "not required",
    ConsentProof.OFFLINE: "sent offline",
    ConsentProof.BASE64_WAV: "a WAV in the call",
    ConsentProof.AUDIO_FILE: "an audio file",
}
ADDING_A_PROVIDER = """
A provider is a package in `providers/` and one in `sandbox/`, each with an `__init__.py`. `providers/registry.py` and
`sandbox/registry.py` find these packages. If one cannot be imported, VoiceHub does not start. Change existing code
of the application only for something that no provider has needed yet:

- a limit with a new name: add its label to `LIMIT_LABELS` in `voices/views/accounts.py`.
- a new handover: add it to `Handover` in `providers/types.py`, its labels to `voices/models/choices.py` (then run
  `manage.py makemigrations voices`) and to `docs/providers.py`, the code that packs its files to
  `voices/services/builds/`, and a sample file to `tests/providers/factories.py`.

Add or change these files, then run `make test`:
"""
# The path of each file, and what it holds. <slug> is the short name of the provider.
FILES = (
    (
        "providers/<slug>/capabilities.py",
        "what each tier can do and requires, as data; each limit has its source and date. The form, the preflight and"
        " this page use this data. A caution is what staff should know before they send a voice. `DATA_USE` is what"
        " talents read about the vendor.",
    ),
    (
        "providers/<slug>/parsing.py",
        "pure functions that parse the vendor's responses: statuses, reports, refusals, callbacks. They make no calls.",
    ),
    (
        "providers/<slug>/adapter.py",
        "an `HttpProvider` that makes the vendor's calls, and `ADAPTER = …`, by which the registry finds it. Its `slug`"
        " is the name of the package; lists are sorted by `list_position`, then by `label`. It announces every call"
        " that creates or starts something with `journal.before_call`, passes `creates=True` (`post_form` does so"
        " itself), and records each remote id at once.",
    ),
    (
        "sandbox/<slug>/urls.py",
        "`API`, a `VendorApi`: the vendor's mount point, its URLs, the form of its errors, how its trainings end."
        " The views beside it serve the API as the vendor's own client expects it.",
    ),
    (
        "sandbox/<slug>/constants.py",
        "the vendor's numbers. What the vendor's documentation leaves open, we decide and label as ours.",
    ),
    (
        "consent/migrations",
        "a migration with the statement that talents read aloud: exact text, source and date, as in"
        " `0005_more_statements.py`. Without a statement no consent can be requested for the provider.",
    ),
    (
        "tests/sandbox",
        "tests that compare each call with the vendor's documentation, with the official client if there is one. Add to"
        " `test_error_forms.py` one of the vendor's paths and the field that holds its error texts.",
    ),
    (
        "tests/providers/test_<slug>.py",
        "the tests that all providers share, which `contract.py` explains, and the vendor's special cases. `make test`"
        " fails for a provider without the shared tests.",
    ),
    (
        "tests/consent/services/test_disclosure.py",
        "in `RECIPIENT_TEXTS`, what the pages tell a talent about what the provider receives.",
    ),
    (
        "tests/voices/services/builds/test_all_providers.py",
        "in `BILLED`, what the sandbox records as billed for one build.",
    ),
    (
        "tests/voices/services/builds/test_readiness.py",
        "the provider in `PROVIDERS`, its row among the expected rows, and the tests that list all providers.",
    ),
    (
        "tests/security/test_providers.py",
        "the provider in `PROVIDERS_WITH_ID_URLS`, if its calls have the id of a voice in their path.",
    ),
    ("tests/browser/test_providers.py", "in `CASES`, what staff see of a build at the provider."),
    ("docs/sandbox.md", "its rows in the tables of base URLs and of operations, and the number of providers."),
    ("docs/providers.md", "this page: `.venv/bin/python -m docs.providers > docs/providers.md`."),
    ("README.md", "its name, and the number of providers."),
    ("CHANGELOG.md", "a line about the new provider."),
)


def render_page() -> str:
    """The whole page as Markdown."""
    from providers.registry import list_providers

    tiers = [(provider, tier) for provider in list_providers() for tier in provider.tiers.values()]
    parts = [
        INTRODUCTION,
        "\n## Overview of all tiers\n",
        render_table(OVERVIEW_COLUMNS, (list_overview_cells(p.label, tier) for p, tier in tiers)),
    ]
    for provider, tier in tiers:
        parts.append(f"\n## {provider.label}, {tier.label.lower()} (`{provider.slug}`, `{tier.tier}`)\n")
        parts.append(f"\n{tier.summary} Cost: {tier.cost}.\n")
        parts.append(render_bullets(tier.cautions))
        parts.append(render_table(["what", "how"], list_capabilities(tier)))
        parts.append(render_deletion_steps(tier.manual_deletion))
        parts.append(render_options(tier))
        parts.append(render_table(["limit", "value", "kind", "source", "checked on"], list_limits(tier.limits.items())))
    parts.append("\n## How long one recording may be\n")
    parts.append(LENGTHS)
    parts.append(render_table(LENGTH_COLUMNS, (row for p, tier in tiers for row in list_length_cells(p.label, tier))))
    parts.append("\n## What becomes of recordings\n")
    parts.append(render_table(DATA_COLUMNS, (list_data_cells(provider) for provider in list_providers())))
    parts.append("\n## Adding a provider\n")
    parts.append(ADDING_A_PROVIDER)
    parts.append(render_bullets(f"`{path}`: {text}" for path, text in FILES))
    return "".join(parts)


LENGTHS = """
A recording of up to 2 hours is usable. Whether it is sent whole depends on the tier and on the way of sending. If it is
too long, readiness names it and links to its cuts: a build that sends all recordings is refused until it is cut or
excluded, and a build that chooses the best leaves it out and says so. One sound that is made of all recordings takes
each of them whole. The limits are checked again before the build is sent.
"""
LENGTH_COLUMNS = ["provider", "tier", "sent as", "longest recording", "if it is longer"]


def list_length_cells(label: str, tier: Capabilities) -> Iterator[tuple[str, ...]]:
    # The models need the settings, which are read after this module when it runs as a command.
    from voices.services.builds.lengths import SELECTING_HANDOVERS, find_length_limit, is_joined

    for way in tier.handover:
        limit = find_length_limit(tier, tier.limits, way)
        names = [f"{limit.seconds:g} s"] if limit.seconds < math.inf else []
        names += [f"{limit.size / 1_000_000:g} MB as WAV"] if limit.size < math.inf else []
        refused = "left out" if way in SELECTING_HANDOVERS else "the build is refused"
        is_downloaded_wav = way == Handover.DATASET_URL and is_joined(way, tier.tier)
        sent_as = "one WAV that the vendor downloads" if is_downloaded_wav else HANDOVER_LABELS[way]
        yield label, tier.label, sent_as, " and ".join(names) or "any: sent whole", refused if names else ""


DATA_COLUMNS = ["provider", "works in", "may train its own models", "limits of a deletion", "source", "checked on"]
NOT_KNOWN = "not known"


def list_data_cells(provider: type[Provider]) -> tuple[str, ...]:
    """What the notice to a talent says of the provider."""
    use = provider.data_use
    may_train = NOT_KNOWN if use.may_train is None else format_yes_no(use.may_train)
    where = ", ".join(use.countries) or NOT_KNOWN
    return provider.label, where, may_train, use.deletion_limits or "none named", use.source, use.checked


OVERVIEW_COLUMNS = ["provider", "tier", "sent as", "proof of consent", "recordings", "seconds", "can retrain", "found"]
OVERVIEW_COLUMNS += ["listed", "renamed", "visibility set", "deleted", "previewed", "credits"]


def list_overview_cells(label: str, tier: Capabilities) -> tuple[str, ...]:
    return (
        label,
        tier.label,
        format_names(HANDOVER_LABELS[way] for way in tier.handover),
        PROOF_LABELS[tier.consent_proof],
        format_range(tier.limits.get("least_recordings"), tier.limits.get("most_recordings")),
        format_range(
            tier.limits.get("least_seconds") or tier.limits.get("advised_seconds"), tier.limits.get("most_seconds")
        ),
        format_yes_no(tier.can_retrain),
        format_yes_no(tier.can_find),
        format_yes_no(tier.can_list),
        format_yes_no(tier.can_rename),
        format_yes_no(tier.can_set_visibility),
        format_yes_no(tier.can_delete),
        format_yes_no(tier.can_preview),
        str(tier.credits or ""),
    )


def format_range(least: Limit | None, most: Limit | None) -> str:
    """A text such as "from 3 to 20 advised". Either limit may be missing; "advised" means that it is only advice."""
    words_and_limits = (("from", least), ("to", most))
    return " ".join(
        f"{word} {format_amount(limit)}{'' if limit.hard else ' advised'}" for word, limit in words_and_limits if limit
    )


def format_amount(limit: Limit) -> str:
    return f"{limit.value:,.10g}"


def list_capabilities(tier: Capabilities) -> Iterator[tuple[str, str]]:
    yield "recordings are sent as", format_names(HANDOVER_LABELS[way] for way in tier.handover)
    if Handover.ONE_FILE in tier.handover:
        yield "encoding of one file", str(tier.encoding).upper()
    yield "languages", ", ".join(tier.languages) or "none named"
    yield "proof of consent", PROOF_LABELS[tier.consent_proof]
    yield "accounts without proof of consent", tier.consent_exemption or "none named"
    yield "status updates by", format_names(tier.status_updates)
    yield "polled every", f"{tier.poll_seconds:g} s"
    stated = tier.expected_training
    yield "time of a training", f"“{stated.words}” ({stated.source}, {stated.checked})" if stated else "not stated"
    yield "report contains", format_names(tier.report_contents) or "only the status"
    yield "a transcript for each recording", format_yes_no(tier.requires_transcript)
    yield "a voice can be retrained", format_yes_no(tier.can_retrain)
    if rule := tier.outlier_rule:
        yield "another speaker or sound", f"{rule.text}. Source: {rule.source}; checked on {rule.checked}."
    if effect := tier.retraining_effect:
        origin = f"Source: {effect.source}; checked on {effect.checked}."
        yield (
            "while a voice is trained again",
            f"{effect.meanwhile} {effect.after_failure} {effect.earlier_training} {origin}",
        )
    yield "a voice can be found by name", format_yes_no(tier.can_find)
    yield "the account's voices can be listed", format_yes_no(tier.can_list)
    yield "a voice can be renamed", format_yes_no(tier.can_rename)
    yield "visibility can be set", format_yes_no(tier.can_set_visibility)
    yield "a voice can be deleted", format_yes_no(tier.can_delete)
    yield "uploaded files can be deleted", format_yes_no(tier.can_delete_files)
    yield "a voice can be previewed", format_yes_no(tier.can_preview)
    yield "longest text to preview", format_preview_limit(tier)
    yield "reports how much of the account is used", format_yes_no(tier.can_report_usage)
    yield "private by default", "yes" if tier.is_private_by_default else "no, or not stated"
    yield "credits charged on success", str(tier.credits or "none, or not stated")


def format_preview_limit(tier: Capabilities) -> str:
    from voices.services.previews import DEFAULT_TEXT_CHARACTERS

    if not tier.can_preview:
        return "none"
    limit = tier.limits.get("longest_preview")
    own = f"{DEFAULT_TEXT_CHARACTERS} characters, a limit of VoiceHub: the vendor states none"
    return f"{format_amount(limit)} {limit.unit}" if limit else own


def list_limits(items: Iterable[tuple[str, Limit]]) -> Iterator[tuple[str, ...]]:
    for name, limit in items:
        kind = ": ".join(filter(None, ("required" if limit.hard else "advice", limit.note)))
        yield name.replace("_", " "), f"{format_amount(limit)} {limit.unit}", kind, limit.source, limit.checked


def render_options(tier: Capabilities) -> str:
    """The fields that a person sets for a build, and the emotion of a recording. Empty if the tier has none."""
    options = [("each build", option) for option in tier.options]
    options += [("each recording", tier.emotion)] if tier.emotion else []
    rows = [
        (option.label, scope, describe_values(option), describe_default(option), option.source, option.checked)
        for scope, option in options
    ]
    return render_table(["option", "set for", "values", "default", "source", "checked on"], rows) if rows else ""


def describe_values(option: TierOption) -> str:
    if option.kind is OptionKind.SWITCH:
        return "yes or no"
    labels = ", ".join(label for _value, label in option.choices)
    if option.kind is OptionKind.CHOICE:
        return labels
    return f"text of at most {option.max_length:,} characters" + (f", such as {labels}" if labels else "")


def describe_default(option: TierOption) -> str:
    if isinstance(option.default, bool):
        return format_yes_no(option.default)
    return dict(option.choices).get(option.default, option.default) or "none"


def render_table(column_names: list[str], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [column_names, ["---"] * len(column_names), *rows]
    return "\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def render_deletion_steps(instructions: Instructions | None) -> str:
    """How a person deletes a voice that VoiceHub cannot delete. Empty for other tiers."""
    if instructions is None:
        return ""
    origin = f"Source: {instructions.source}, checked on {instructions.checked}."
    return f"\nDeletion by a person: {' '.join(instructions.steps)} {origin}\n"


def render_bullets(lines: Iterable[str]) -> str:
    text = "".join(f"- {line}\n" for line in lines)
    return f"\n{text}" if text else ""


def format_names(names: Iterable[object]) -> str:
    return ", ".join(str(name).replace("_", " ") for name in names)


def format_yes_no(value: bool) -> str:
    return "yes" if value else "no"


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voicehub.settings")
    # The settings do not load without secrets. The page uses none.
    os.environ.setdefault("VOICEHUB_SECRET_KEY", "unused")
    os.environ.setdefault("VOICEHUB_FIELD_KEYS", "unused")
    django.setup()
    sys.stdout.write(render_page())
