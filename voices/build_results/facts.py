"""How the builds of a comparison were made, as rows of text. Rows in which all agree are apart."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from voicehub.text import format_duration
from voices.models import Account, AccountMode, Build

LETTERS = "ABCD"  # of the builds of a comparison
NOT_STATED = "not stated"
FLAGS = (("silent", "silent"), ("outliers", "with another speaker or sound"), ("unused", "not used"))
Counts = Mapping[str, float]


class Facts(NamedTuple):
    """Rows of a label and, if the builds differ, a text for the letter of each build."""

    different: list[tuple[str, list[tuple[str, str]]]]
    equal: list[tuple[str, str]]


def make_facts(builds: Sequence[Build], counts: Sequence[Counts]) -> Facts:
    """`counts` are those of `count_recordings`. The length of speech is one of the facts only if it is equal."""
    rows = list(_list_rows(builds, counts))
    different = [(label, list(zip(LETTERS, texts, strict=False))) for label, texts in rows if len(set(texts)) > 1]
    lengths = {round(count["seconds"] or 0) for count in counts}
    speech = [("Speech", format_duration(lengths.pop()))] if len(lengths) == 1 else []
    return Facts(different, speech + [(label, texts[0]) for label, texts in rows if len(set(texts)) == 1])


def _list_rows(builds: Sequence[Build], counts: Sequence[Counts]) -> Iterator[tuple[str, list[str]]]:
    yield "Recordings", [str(count["clips"]) for count in counts]
    yield "Flagged by the provider", [_describe_flags(count) for count in counts]
    if any(count["noise"] is not None for count in counts):
        yield "Signal to noise, average", [_describe_noise(count["noise"]) for count in counts]
    yield "Recordings sent", [build.get_handover_display() for build in builds]
    yield "Account", [_describe_account(build.remote_voice.account) for build in builds]
    yield "Duration", [_describe_duration(build) for build in builds]
    yield "Started by", [str(build.started_by) for build in builds]


def _describe_flags(count: Counts) -> str:
    flags = [f"{count[name]} {label}" for name, label in FLAGS if count[name]]
    return (", ".join(flags) or "none") if count["reported"] else NOT_STATED


def _describe_noise(noise: float | None) -> str:
    return NOT_STATED if noise is None else f"{noise:.1f} dB"


def _describe_account(account: Account) -> str:
    return f"{account.name}, sandbox" if account.mode == AccountMode.SANDBOX else account.name


def _describe_duration(build: Build) -> str:
    end = build.finished_at
    return format_duration((end - build.created_at).total_seconds()) if end else NOT_STATED
