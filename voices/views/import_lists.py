"""The lists of an import: what a page shows of each clip and of each line of a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.urls import reverse

from audio.findings.templates import Severity
from voicehub.text import format_duration
from voices.models import Import, ImportClip, ImportClipState, ImportLine, ImportLineReason
from voices.recording_rows import RowChip, make_finding_chip
from voices.views.import_counts import IS_MAIN, Show
from voices.views.import_left_out import LeftOutRows, explain_clip, list_parts

PAGE_SIZE = 50
MAX_FOUND = 12
OF_SEVERAL_TABLES = frozenset({Show.REFUSED, Show.INCOMPLETE, Show.OTHER})
MINUTE = 60
LONG_NOTE = "Long recording: it can be cut into clips after it is added"
CONDITIONS: Mapping[Show, Q] = {
    Show.CLIPS: IS_MAIN,
    Show.WITHOUT_TEXT: IS_MAIN & Q(text=""),
    Show.CONVERTED: IS_MAIN & ~Q(wav=""),
    Show.DUPLICATES: Q(status=ImportClipState.DUPLICATE),
}
FIELDS = (
    "import_set", "name", "status", "is_usable", "is_long", "seconds", "file", "wav", "findings", "text",
    "normalized_text", "in_builds", "recording__file_name", "twin__name", "twin__status", "twin__text",
    "recording__transcript",
)  # fmt: skip
CHIP_TONES = {"bad": "bad", "wait": "wait"}


@dataclass(frozen=True, slots=True)
class ClipRow:
    """One clip in a list. `play_url` is empty if its sound is not kept, `use_url` if it cannot replace its twin."""

    name: str
    folder: str
    play_url: str
    length: str
    text: str
    normalized: str
    note: str
    chips: Sequence[RowChip]
    use_url: str
    is_refused: bool
    kept: "KeptClip | None"


@dataclass(frozen=True, slots=True)
class KeptClip:
    """What has the audio of a duplicate, and is added or is in the voice. `reason` says why there is no choice."""

    name: str
    folder: str
    text: str
    reason: str


def load_list(import_set: Import, show: Show, number: str) -> "Page[Any]":
    if show in {Show.LINES, Show.EARLIER}:
        return load_lines(import_set, show, number)
    return (
        load_left_out(import_set, show, number) if show in OF_SEVERAL_TABLES else load_clips(import_set, show, number)
    )


def load_clips(import_set: Import, show: Show, number: str) -> "Page[Any]":
    rows = import_set.clips.filter(CONDITIONS[show]).select_related("recording", "twin").only(*FIELDS)
    page = Paginator(rows.order_by("name", "pk"), PAGE_SIZE).get_page(number)
    shown: Page[Any] = page  # the rows of the page instead of the clips
    shown.object_list = [_make_row(clip, show) for clip in page.object_list]
    return shown


def load_found_clips(import_set: Import) -> list[ClipRow]:
    """A few clips of an import that is worked on, those that cannot be used first. Two queries with an index."""
    rows = import_set.clips.select_related("recording", "twin").only(*FIELDS).order_by("name", "pk")
    refused = list(rows.filter(status=ImportClipState.REFUSED)[: MAX_FOUND // 2])
    return [_make_row(clip, Show.CLIPS) for clip in (*refused, *rows.filter(IS_MAIN)[: MAX_FOUND - len(refused)])]


def load_left_out(import_set: Import, show: Show, number: str) -> "Page[Any]":
    """Files, texts and clips that are left out, each with its reason."""
    return Paginator(LeftOutRows(list_parts(import_set, show)), PAGE_SIZE).get_page(number)  # type: ignore[arg-type]  # it has what a page needs


def load_lines(import_set: Import, show: Show, number: str) -> "Page[Any]":
    """The lines that fit no file, or those that are of recordings which the voice has."""
    is_earlier = Q(reason=ImportLineReason.EARLIER)
    rows: QuerySet[ImportLine] = import_set.lines.filter(is_earlier if show is Show.EARLIER else ~is_earlier)
    fields = ("import_set", "number", "name", "text", "reason", "proposal", "text_before", "text_file__name")
    rows = rows.select_related("text_file").only(*fields)
    return Paginator(rows.order_by("text_file__name", "text_file", "number", "pk"), PAGE_SIZE).get_page(number)


def _split_path(name: str) -> tuple[str, str]:
    """The name and the folder."""
    path = PurePath(name)
    return path.name, "" if str(path.parent) == "." else str(path.parent)


def _make_row(clip: ImportClip, show: Show) -> ClipRow:
    return ClipRow(
        *_split_path(clip.name),
        reverse("voices:import_clip_audio", args=[clip.pk]) if clip.is_playable else "",
        _format_length(clip.seconds),
        clip.text,
        clip.normalized_text,
        _describe(clip, show),
        _list_chips(clip),
        reverse("voices:import_twin", args=[clip.pk]) if clip.can_replace_twin else "",
        clip.status == ImportClipState.REFUSED,
        _make_kept(clip),
    )


def _make_kept(clip: ImportClip) -> KeptClip | None:
    if clip.recording:
        return KeptClip(clip.recording.file_name, "in the voice", clip.recording.transcript, "The voice has it")
    if not clip.twin:
        return None
    reason = "" if clip.can_replace_twin or clip.twin.status != ImportClipState.READY else "Kept for its transcript"
    return KeptClip(*_split_path(clip.twin.name), clip.twin.text, reason)


def _format_length(seconds: float) -> str:
    if not seconds:
        return ""
    return f"{seconds:.1f} s" if seconds < MINUTE else format_duration(seconds)


def _describe(clip: ImportClip, show: Show) -> str:
    """Why it is not added, what was done with it, or what can be done later."""
    if clip.status in {ImportClipState.REFUSED, ImportClipState.DUPLICATE}:
        return explain_clip(clip)
    if clip.is_long:
        return LONG_NOTE
    if show is not Show.CONVERTED:
        return ""
    return " ".join(str(one["text"]) for one in clip.findings if one["severity"] == Severity.FIXED)


def _list_chips(clip: ImportClip) -> list[RowChip]:
    chips = [make_finding_chip(one) for one in clip.findings if one["severity"] == Severity.WARNING]
    found = [RowChip(chip.title, CHIP_TONES.get(chip.tone, "")) for chip in chips]
    return list(dict.fromkeys([*found, *([RowChip("Converted", "")] if clip.wav else [])]))
