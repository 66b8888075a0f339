"""Where a long recording is split: the proposal, and the clips that a person made of it."""

import base64
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from django.db import transaction
from django.utils import timezone

from audio.datasets.segment import Split, split_clip
from audio.findings.findings import FileRefused, Severity
from audio.wav.riff import Float32
from voicehub import outbox
from voicehub.outbox import Lease
from voicehub.refusals import ActionRefused
from voices.models import CutProposal, Recording
from voices.models.recording_lengths import CLIP_LIMITS, LONGEST_PROPOSED_CLIP
from voices.services.recordings.figures import update_figures
from voices.services.recordings.whole_clip import Report, open_whole_clip

Span = tuple[int, int]

PROPOSE_TASK = "propose_cuts"
MAX_CLIPS = 10_000
SHOWN_PROBLEMS = 5
# How often the page may show another share.
REPORT_SECONDS = 1.0
PEAKS_PER_SECOND = 100
ONLY_LONG = f"Only a recording with speech and of more than {LONGEST_PROPOSED_CLIP:g} seconds can be split."
NOT_PROPOSED = "The cuts of this recording are not known yet. Wait until they are shown, then split it."
# A number of seconds, such as 12.5, or a position such as 1:02:12.5. No file has as many digits as would be costly.
POSITION = re.compile(r"(?:(?:(\d{1,4}):)?(\d{1,4}):)?(\d{1,7}(?:\.\d{1,9})?)")


def request_cuts(recording: Recording) -> None:
    """Enqueue the proposal of the cuts, unless there is one already. Raises ActionRefused if it cannot be split."""
    if not recording.can_be_cut:
        raise ActionRefused(ONLY_LONG)
    with transaction.atomic():
        proposal, is_new = CutProposal.objects.get_or_create(
            recording=recording, defaults={"requested_at": timezone.now()}
        )
        if proposal.has_failed:
            proposal.requested_at, proposal.has_failed, proposal.read_share = timezone.now(), False, 0
            proposal.save(update_fields=["requested_at", "has_failed", "read_share"])
            is_new = True
        if is_new:
            outbox.enqueue_task(PROPOSE_TASK, recording.pk)


def propose_cuts(recording_id: str, lease: Lease) -> None:
    """Read the recording once, and store where a split would cut it and what its waveform shows."""
    rows = CutProposal.objects.filter(recording__id=recording_id, proposed_at=None)
    proposal = rows.select_related("recording").first()
    if proposal is None:
        return
    if not proposal.recording.can_be_cut:
        proposal.delete()  # split meanwhile, without waiting for this proposal
        return
    try:
        with open_whole_clip(proposal.recording, lease, _make_report(proposal)) as (clip, _folder):
            split = split_clip(clip)
    except FileRefused as refused:
        with transaction.atomic():
            refuse_split(proposal.recording, refused)
            proposal.delete()
        return
    _store_split(proposal, split)


def handle_proposal_failure(recording_id: str) -> None:
    """Called when the task failed repeatedly. A user can try again."""
    CutProposal.objects.filter(recording__id=recording_id, proposed_at=None).update(has_failed=True)


def refuse_split(recording: Recording, refused: FileRefused) -> None:
    """Store why a recording cannot be split, among its findings. For one that is usable whole, it is no error."""
    finding = replace(refused.finding, severity=Severity.WARNING) if recording.is_usable else refused.finding
    with transaction.atomic():
        stored = Recording.objects.select_for_update().only("findings").get(pk=recording.pk)
        Recording.objects.filter(pk=recording.pk).update(findings=[*stored.findings, finding.as_dict()])
        update_figures(Recording.objects.filter(pk=recording.pk))


def _make_report(proposal: CutProposal) -> Report:
    last = time.monotonic()

    def report(share: float) -> None:
        nonlocal last
        if time.monotonic() - last >= REPORT_SECONDS:
            last = time.monotonic()
            CutProposal.objects.filter(pk=proposal.pk).update(read_share=share)

    return report


def _store_split(proposal: CutProposal, split: Split) -> None:
    measured = split.speech_levels
    proposal.segments = [[segment.start, segment.end] for segment in split.segments]
    proposal.speech = [[round(start, 3), round(end, 3)] for start, end in measured.speech.segments]
    proposal.method, proposal.peaks = measured.speech.method, encode_peaks(measured.peaks)
    proposal.read_share, proposal.proposed_at, proposal.has_failed = 1, timezone.now(), False
    proposal.save()


def encode_peaks(peaks: Float32) -> str:
    """The loudest sample of each 10 ms as one byte each, in Base64."""
    return base64.b64encode(np.ceil(np.minimum(peaks, 1) * 255).astype(np.uint8).tobytes()).decode()


# --- The clips of a person ---


def format_clips(clips: Sequence[Sequence[int]], rate: int) -> str:
    """A line with the start and the end of each clip in seconds, exact to the sample."""
    return "\n".join(f"{_format_seconds(start, rate)} {_format_seconds(end, rate)}" for start, end in clips)


def _format_seconds(frame: int, rate: int) -> str:
    whole, part = f"{frame / rate:.6f}".split(".")
    return f"{whole}.{part.rstrip('0'):0<2}"


def parse_clips(text: str, recording: Recording) -> list[Span]:
    """The clips of such lines, in samples. Raises ActionRefused with the first problems."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise ActionRefused("There is no clip. Keep at least one part of the recording.")
    if len(lines) > MAX_CLIPS:
        raise ActionRefused(f"There are {len(lines):,} clips. A recording is split into at most {MAX_CLIPS:,}.")
    clips = [_parse_line(line, recording.sample_rate) for line in lines]
    problems = [
        *(f"Line {number} is not a start and an end in seconds, such as 12.5 20.25." for number in _list_unread(clips)),
        *list_problems([clip for clip in clips if clip], recording),
    ]
    if problems:
        more = len(problems) - SHOWN_PROBLEMS
        raise ActionRefused(*problems[:SHOWN_PROBLEMS], *([f"There are {more} more problems."] if more > 0 else ()))
    return [clip for clip in clips if clip]


def _list_unread(clips: Sequence[Span | None]) -> Iterator[int]:
    return (number for number, clip in enumerate(clips, start=1) if clip is None)


def _parse_line(line: str, rate: int) -> Span | None:
    positions = [POSITION.fullmatch(word) for word in line.split()]
    if len(positions) != 2 or not all(positions):
        return None
    start, end = (_read_position(match, rate) for match in positions if match)
    return start, end


def _read_position(match: re.Match[str], rate: int) -> int:
    hours, minutes, seconds = match.groups(default="0")
    return round((int(hours) * 3600 + int(minutes) * 60 + float(seconds)) * rate)


def list_problems(clips: Sequence[Span], recording: Recording) -> Iterator[str]:
    """What speaks against these clips: their order, their place in the recording, and the limits of each."""
    rate, frames = recording.sample_rate, round(recording.seconds * recording.sample_rate)
    shortest, longest = CLIP_LIMITS.min_seconds, CLIP_LIMITS.max_seconds
    for number, (start, end) in enumerate(clips, start=1):
        name, seconds = f"Clip {number}, at {_format_position(start / rate)},", (end - start) / rate
        if end > frames:
            yield f"{name} ends after the recording, which lasts {recording.seconds:.2f} s."
        elif end <= start:
            yield f"{name} ends before it begins."
        elif seconds < shortest:
            yield f"{name} lasts {seconds:.2f} s. A clip lasts at least {shortest:g} s: remove a cut beside it."
        elif seconds > longest:
            yield f"{name} lasts {seconds:.2f} s. A clip lasts at most {longest:g} s: add a cut."
    for number, (before, after) in enumerate(pairwise(clips), start=2):
        if after[0] < before[1]:
            yield f"Clip {number}, at {_format_position(after[0] / rate)}, begins before clip {number - 1} ends."


def _format_position(seconds: float) -> str:
    return f"{int(seconds) // 60}:{seconds % 60:05.2f}"
