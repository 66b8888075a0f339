"""The recordings that a build would send: all of them, or the best that fit the provider's limits."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from audio.datasets.concatenate import GAP_SECONDS
from audio.datasets.select import Candidate, SelectionLimits, compute_levels_quality, select_recordings
from audio.wav.pcm import HEADER_BYTES
from audio.wav.riff import BYTES_PER_FRAME
from providers.types import Capabilities, Encoding, Handover, Limit
from voicehub.text import format_duration
from voices.models import InclusionSource, Recording, RecordingStatus, Voice
from voices.services.recordings.inclusion import list_warning_codes
from voices.services.refused_recordings import not_refused_by

Json = Mapping[str, Any]

# If more files than this may be sent, select greedily: an exact selection would be too slow for a page.
GREEDY_FROM_FILES = 100
# What an index holds of each included recording (see `Recording.Meta`). Only `levels` opens the row.
CLIP_FIELDS = ("pk", "file_name", "seconds", "sample_rate", "selection_quality", "warning_codes", "active_by")
RESULTS = ("levels", "measures", "findings", "set_findings")


@dataclass(frozen=True, slots=True)
class ClipRow:
    """The fields of a recording that selection needs."""

    id: UUID
    name: str
    seconds: float
    rate: int
    quality: float
    codes: tuple[str, ...] = ()
    """The codes of its findings, of its own analysis and of the comparison with the other recordings."""
    levels: Mapping[str, Any] = field(default_factory=dict)
    """Its measures, if they were asked for."""
    is_chosen: bool = False
    """Whether a person put it into builds."""
    is_known: bool = True
    """Whether its quality and its codes are stored in columns of their own."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The recordings that a build would send, in their order, with their totals.

    `other_count` and `other_seconds` are of the recordings that are sent too, but were not read.
    """

    rows: tuple[ClipRow, ...]
    excluded_count: int
    is_single_file: bool
    other_count: int = 0
    other_seconds: float = 0.0

    @property
    def count(self) -> int:
        return len(self.rows) + self.other_count

    @property
    def speech_seconds(self) -> float:
        return sum(row.seconds for row in self.rows) + self.other_seconds

    @property
    def seconds(self) -> float:
        """With the silences of a single file."""
        gaps = GAP_SECONDS * max(0, self.count - 1) if self.is_single_file else 0.0
        return self.speech_seconds + gaps


def load_clip_rows(
    voice: Voice, provider: str = "", without: QuerySet[Recording] | None = None, *, with_levels: bool = False
) -> list[ClipRow]:
    """The recordings that would go into a build. Without those that `provider` refuses, and `without`, if given."""
    rows = _load_rows(_query_usable([voice.pk]).filter(not_refused_by(provider)), with_levels=with_levels)[voice.pk]
    left_out = frozenset(without.values_list("pk", flat=True)) if without is not None else frozenset()
    return [row for row in rows if row.id not in left_out]


def load_clip_rows_of_voices(voices: Collection[UUID], *, with_levels: bool = False) -> dict[UUID, list[ClipRow]]:
    """As `load_clip_rows`, by voice id, for any number of voices. A voice without such a recording is missing."""
    return _load_rows(_query_usable(voices), with_levels=with_levels)


def load_clip_rows_by_id(voice: Voice, ids: Collection[UUID]) -> list[ClipRow]:
    """Those of `load_clip_rows` that have one of these ids."""
    return _load_rows(_query_usable([voice.pk]).filter(pk__in=ids))[voice.pk]


def _query_usable(voices: Collection[UUID]) -> QuerySet[Recording]:
    return Recording.objects.filter(voice__in=voices, active=True, status=RecordingStatus.ACCEPTED)


def _load_rows(recordings: QuerySet[Recording], *, with_levels: bool = False) -> defaultdict[UUID, list[ClipRow]]:
    """By voice, in one query. A second one reads the results of recordings whose figures are not known."""
    rows = defaultdict[UUID, list[ClipRow]](list)
    results = ("levels", "measures") if with_levels else ()
    for voice, *values in recordings.values_list("voice", *CLIP_FIELDS, *results):
        rows[voice].append(_make_clip_row(*values))
    unknown = {row.id for group in rows.values() for row in group if not row.is_known}
    if unknown:
        read = {
            pk: (seconds, *found)
            for pk, seconds, *found in Recording.objects.filter(pk__in=unknown).values_list("pk", "seconds", *RESULTS)
        }
        for group in rows.values():
            group[:] = [_add_figures(row, *read[row.id]) if row.id in read else row for row in group]
    return rows


def _make_clip_row(
    pk: UUID,
    name: str,
    seconds: float,
    rate: int,
    quality: float | None,
    codes: str | None,
    active_by: str,
    levels: Mapping[str, Any] | None = None,
    measures: Mapping[str, Any] | None = None,
) -> ClipRow:
    return ClipRow(
        pk,
        name,
        seconds,
        rate,
        quality or 0.0,
        tuple((codes or "").split()),
        _merge_levels(levels or {}, measures or {}),
        active_by == InclusionSource.PERSON,
        is_known=quality is not None and codes is not None,
    )


def _merge_levels(levels: Mapping[str, Any], measures: Mapping[str, Any]) -> dict[str, Any]:
    return {**levels, **{name: value for name, value in measures.items() if value is not None}}


def _add_figures(
    row: ClipRow, seconds: float, levels: Json, measures: Json, findings: Sequence[Json], set_findings: Sequence[Json]
) -> ClipRow:
    """The row with the figures of these results, as far as they can be read."""
    return replace(
        row,
        quality=compute_levels_quality(seconds, levels, [finding["code"] for finding in findings]),
        codes=tuple(list_warning_codes(findings, set_findings)),
        levels=_merge_levels(levels, measures),
        is_known=True,
    )


def select_clips(
    rows: Sequence[ClipRow], capabilities: Capabilities, limits: Mapping[str, Limit], handover: str
) -> Selection:
    """The clips that a build by this handover would send."""
    one_file = handover == Handover.ONE_FILE
    if not (one_file or handover == Handover.FILE_IDS):
        return Selection(tuple(rows), 0, one_file)
    fitting = list(_filter_by_length(rows, limits))
    chosen = tuple(_choose_clips(fitting, capabilities, limits, one_file))
    return Selection(chosen, len(rows) - len(chosen), one_file)


def describe_shortage(chosen: Selection, limits: Mapping[str, Limit]) -> str:
    """Why the selection is too short for a build. Empty if it is long enough."""
    minimum, speech = limits.get("least_seconds"), chosen.speech_seconds
    if chosen.count and (minimum is None or speech >= minimum.value):
        return ""
    return f"Only {format_duration(speech)} can be sent: the other recordings contain no speech or are too long."


def _filter_by_length(rows: Sequence[ClipRow], limits: Mapping[str, Limit]) -> Iterator[ClipRow]:
    short, long = limits.get("shortest_clip"), limits.get("longest_clip")
    for row in rows:
        if (short is None or row.seconds >= short.value) and (long is None or row.seconds <= long.value):
            yield row


def _choose_clips(
    rows: list[ClipRow], capabilities: Capabilities, limits: Mapping[str, Limit], one_file: bool
) -> list[ClipRow]:
    if not rows:
        return []
    selection_limits = _combine_limits(rows, capabilities, limits, one_file)
    if selection_limits.max_files and selection_limits.max_files > GREEDY_FROM_FILES:
        return _choose_greedily(rows, selection_limits)
    return [
        rows[index]
        for index in select_recordings([Candidate(row.seconds, row.quality) for row in rows], selection_limits)
    ]


def _combine_limits(
    rows: list[ClipRow], capabilities: Capabilities, limits: Mapping[str, Limit], one_file: bool
) -> SelectionLimits:
    """Combine the limits of seconds, files and bytes. MP3 is encoded to fit, so its byte limit does not count here."""
    max_seconds_options = [limits["most_seconds"].value] if "most_seconds" in limits else []
    if "most_bytes" in limits and not (one_file and capabilities.encoding is Encoding.MP3):
        header_bytes = HEADER_BYTES * (1 if one_file else len(rows))
        max_seconds_options.append(
            (limits["most_bytes"].value - header_bytes) / (BYTES_PER_FRAME * max(row.rate for row in rows))
        )
    files = int(limits["most_recordings"].value) if "most_recordings" in limits else None
    return SelectionLimits(min(max_seconds_options, default=float("inf")), files, GAP_SECONDS if one_file else 0.0)


def _choose_greedily(rows: list[ClipRow], selection_limits: SelectionLimits) -> list[ClipRow]:
    """Choose the best clips first, as long as they fit. Return the chosen clips in their original order."""
    seconds_left, taken = selection_limits.max_seconds, set[UUID]()
    for row in sorted(rows, key=lambda row: -row.quality):
        if row.quality > 0 and row.seconds <= seconds_left and len(taken) < (selection_limits.max_files or len(rows)):
            seconds_left -= row.seconds
            taken.add(row.id)
    return [row for row in rows if row.id in taken]
