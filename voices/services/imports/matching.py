"""Match the clips of an import with its texts, in any order in which they were uploaded, and find equal clips.

It is repeated after each change, and replaces what the match before found.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from audio.archives.transcripts import is_called_table
from audio.findings.findings import FileRefused, make_finding
from audio.transcripts.cleaning import clean_text
from audio.transcripts.names import CLIP_TEXT_SUFFIX
from audio.transcripts.rows import DELIMITERS, read_lines
from audio.transcripts.table import TableLine, TranscriptTable, read_table
from voicehub.storage import StoredFileLost
from voices.models import Import, ImportClip, ImportClipState, ImportLine, ImportLineReason, ImportText, ImportTextKind
from voices.models.imports import NAME_LENGTH
from voices.services.imports.clip_index import ClipIndex, have_same_bytes
from voices.services.imports.match_results import store_results
from voices.services.imports.texts import load_text
from voices.services.recordings.bulk.transcripts import MAX_TRANSCRIPT_LENGTH

CLIP_FIELDS = (
    "import_set", "source", "position", "name", "status", "sha256", "text", "normalized_text", "in_builds", "recording",
    "twin", "file",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidate:
    """A line that gives a clip its text."""

    source: ImportText
    line: TableLine

    @property
    def key(self) -> tuple[UUID, int]:
        return self.source.pk, self.line.number


@dataclass(slots=True)
class Match:
    """What the texts say. `candidates` and `choices` are by the id of the clip."""

    index: ClipIndex
    candidates: defaultdict[UUID, list[Candidate]] = field(default_factory=lambda: defaultdict(list))
    choices: defaultdict[UUID, set[bool]] = field(default_factory=lambda: defaultdict(set))
    lines: list[ImportLine] = field(default_factory=list)

    def note(self, text: ImportText, line: TableLine, reason: ImportLineReason, **fields: object) -> None:
        row = ImportLine(
            import_set=self.index.import_set, text_file=text, number=line.number, name=line.name[:NAME_LENGTH],
            text=line.text, reason=reason,
        )  # fmt: skip
        for name, value in fields.items():
            setattr(row, name, value)
        self.lines.append(row)


def match_texts(import_set: Import) -> None:
    """Give each clip its text. Raises ActionRefused if the import is not open anymore."""
    clips = list(
        import_set.clips.exclude(status=ImportClipState.ADDED)
        .only(*CLIP_FIELDS, "recording__transcript", "recording__file_name")
        .select_related("recording")
        .order_by("source__created_at", "source__name", "position")
    )
    texts = list(ImportText.objects.filter(file__import_set=import_set).order_by("file__created_at", "name"))
    match = Match(ClipIndex(import_set, clips))
    for text in texts:
        _read_text(match, text)
    store_results(import_set, clips, texts, _settle(match, clips), match.lines)


def _read_text(match: Match, text: ImportText) -> None:
    text.kind, text.line_count, text.matched_count, text.samples = ImportTextKind.TABLE, 0, 0, []
    if text.problem and not text.data and not text.content:  # it is too large or damaged
        return
    try:
        data = load_text(text)
    except StoredFileLost:
        text.problem = make_finding("file_lost").text
        return
    text.problem = ""
    if clips := _find_own_clips(match, text, data):
        _read_clip_text(match, text, data, clips)
        return
    try:
        table = _read_table(match, text, data)
    except FileRefused as refused:
        text.kind = ImportTextKind.TABLE if is_called_table(text.name) else ImportTextKind.OTHER
        text.problem = refused.finding.text if text.kind == ImportTextKind.TABLE else ""
        return
    if not is_called_table(text.name) and not any(match.index.may_know(line.name) for line in table.lines):
        text.kind = ImportTextKind.OTHER  # a text in which nothing is the name of a clip
        return
    _note_columns(text, table)
    _read_lines(match, text, table.lines)


def _find_own_clips(match: Match, text: ImportText, data: bytes) -> list[ImportClip]:
    """The clips whose text this file is: of the same name, with a text without columns."""
    if not text.name.lower().endswith(CLIP_TEXT_SUFFIX) or any(mark.encode() in data for mark in DELIMITERS[:2]):
        return []
    clips = match.index.find(text.name[: -len(CLIP_TEXT_SUFFIX)], text)
    return clips if clips and have_same_bytes(clips) else []


def _read_clip_text(match: Match, text: ImportText, data: bytes, clips: Sequence[ImportClip]) -> None:
    text.kind, text.line_count = ImportTextKind.CLIP_TEXT, 1
    try:
        line = TableLine(1, text.name, clean_text("".join(read_lines(data))))
    except FileRefused as refused:
        text.problem = refused.finding.text
        return
    _judge_line(match, text, line, clips)


def _read_table(match: Match, text: ImportText, data: bytes) -> TranscriptTable:
    if text.is_chosen:
        chosen = {"name_at": text.name_at, "text_at": text.text_at, "normalized_at": text.normalized_at}
        return read_table(data, match.index.is_known, **chosen)
    return read_table(data, match.index.is_known)


def _note_columns(text: ImportText, table: TranscriptTable) -> None:
    columns = table.columns
    text.line_count, text.samples, text.is_certain = len(table.lines), table.samples, columns.is_certain
    text.name_at, text.text_at, text.normalized_at = columns.name_at, columns.text_at, columns.normalized_at


def _read_lines(match: Match, text: ImportText, lines: Sequence[TableLine]) -> None:
    unknown = []
    for line in lines:
        if clips := match.index.find(line.name, text):
            _judge_line(match, text, line, clips)
        elif not _read_earlier(match, text, line):
            unknown.append(line)
    for line in unknown:
        _read_unknown(match, text, line)


def _judge_line(match: Match, text: ImportText, line: TableLine, clips: Sequence[ImportClip]) -> None:
    """Give the clips of this line its text, or note why not."""
    if len(clips) > 1 and not have_same_bytes(clips):
        match.note(text, line, ImportLineReason.AMBIGUOUS)
        return
    if clips[0].status == ImportClipState.REFUSED:
        match.note(text, line, ImportLineReason.REFUSED)
        return
    for clip in clips:
        if line.in_builds is not None:
            match.choices[clip.pk].add(line.in_builds)
    if not line.text:
        match.note(text, line, ImportLineReason.EMPTY)
    elif len(line.text) > MAX_TRANSCRIPT_LENGTH:
        match.note(text, line, ImportLineReason.TOO_LONG)
    else:
        for clip in clips:
            match.candidates[clip.pk].append(Candidate(text, line))


def _read_earlier(match: Match, text: ImportText, line: TableLine) -> bool:
    """Whether the line is about one recording that the voice has. It is noted if it changes the transcript."""
    rows = match.index.earlier.find(line.name)
    if len(rows) != 1:
        return False
    if line.text and len(line.text) <= MAX_TRANSCRIPT_LENGTH and line.text != rows[0].transcript:
        match.note(text, line, ImportLineReason.EARLIER, recording=rows[0], text_before=rows[0].transcript)
    return True


def _read_unknown(match: Match, text: ImportText, line: TableLine) -> None:
    """A name that fits nothing: perhaps it lost its leading zeros, and no other line has the whole name."""
    clips = match.index.propose(line.name, text)
    is_free = clips and have_same_bytes(clips) and not any(clip.pk in match.candidates for clip in clips)
    if not is_free or clips[0].status == ImportClipState.REFUSED:
        match.note(text, line, ImportLineReason.UNKNOWN)
    elif text.restores_zeros:
        _judge_line(match, text, line, clips)
    else:
        match.note(text, line, ImportLineReason.ZEROS_LOST, proposal=clips[0].name)


def _settle(match: Match, clips: Sequence[ImportClip]) -> list[ImportClip]:
    """Set the texts of the clips. Different texts of one clip are left out. Returns the clips that changed."""
    changed, used = [], set[tuple[UUID, int]]()
    for clip in clips:
        candidates = match.candidates.get(clip.pk, [])
        is_new = [candidate for candidate in candidates if candidate.key not in used]
        used.update(candidate.key for candidate in candidates)
        if len({candidate.line.text for candidate in candidates}) > 1:
            for candidate in is_new:
                match.note(candidate.source, candidate.line, ImportLineReason.REPEATED)
            candidates = is_new = []
        for candidate in is_new:
            candidate.source.matched_count += 1
        choices = match.choices.get(clip.pk, set())
        if _set_texts(clip, candidates[0].line if candidates else None, choices.pop() if len(choices) == 1 else None):
            changed.append(clip)
        if clip.recording and clip.text and not clip.recording.transcript and is_new:
            match.note(is_new[0].source, is_new[0].line, ImportLineReason.EARLIER, recording=clip.recording)
    return changed


def _set_texts(clip: ImportClip, line: TableLine | None, in_builds: bool | None) -> bool:
    """Whether this changes the clip."""
    before = (clip.text, clip.normalized_text, clip.in_builds)
    clip.text, clip.normalized_text = (line.text, line.normalized) if line else ("", "")
    if len(clip.normalized_text) > MAX_TRANSCRIPT_LENGTH:
        clip.normalized_text = ""
    clip.in_builds = in_builds
    return before != (clip.text, clip.normalized_text, clip.in_builds)
