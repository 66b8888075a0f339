"""What an import has of each kind, counted in the database, and the figures that lead to its lists."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from urllib.parse import urlencode

from django.db.models import Count, Q, Sum

from voicehub.text import format_duration
from voices.models import (
    Import,
    ImportClipState,
    ImportFileKind,
    ImportFileStatus,
    ImportLineReason,
    ImportStatus,
    ImportText,
    ImportTextKind,
)
from voices.services.imports.rows import IS_JOINING


class Show(Enum):
    """The lists of the page. The value stands in its address."""

    CLIPS = ""
    WITHOUT_TEXT = "no-transcript"
    LINES = "lines"
    DUPLICATES = "duplicates"
    CONVERTED = "converted"
    REFUSED = "refused"
    EARLIER = "earlier"
    INCOMPLETE = "incomplete"
    OTHER = "not-needed"


TO_ADD = frozenset({Show.CLIPS, Show.WITHOUT_TEXT, Show.CONVERTED})
LEFT_OUT = frozenset({Show.LINES, Show.DUPLICATES, Show.REFUSED, Show.INCOMPLETE, Show.OTHER})
MAX_NOTED = 2
MAIN = (ImportClipState.READY, ImportClipState.ADDED)
IS_MAIN = Q(status__in=MAIN)
IS_INCOMPLETE = Q(status=ImportFileStatus.UPLOADING) & ~IS_JOINING
IS_REFUSED_FILE = Q(kind=ImportFileKind.OTHER) | Q(kind=ImportFileKind.ARCHIVE, findings__0__severity="refused")
IS_OTHER_TEXT = Q(kind=ImportTextKind.OTHER, problem="")


@dataclass(frozen=True, slots=True)
class Figure:
    """One list, with its number of rows."""

    show: Show
    label: str
    tone: str
    count: int
    is_current: bool = False

    @property
    def shown(self) -> str:
        return f"{self.count:,}"

    @property
    def url(self) -> str:
        return f"?{urlencode({'show': self.show.value or 'all'})}"


@dataclass(frozen=True, slots=True)
class Group:
    """A figure of the page with its lists, `parts`. If it is current, the page shows one of these."""

    label: str
    tone: str
    count: int
    note: str
    parts: Sequence[Figure]

    @property
    def is_current(self) -> bool:
        return any(part.is_current for part in self.parts)

    @property
    def shown(self) -> str:
        return f"{self.count:,}"

    @property
    def url(self) -> str:
        return self.parts[0].url


class ImportCounts:
    """The counts of an import, in four queries whatever its size."""

    def __init__(self, import_set: Import) -> None:
        self.import_set = import_set

    @cached_property
    def clips(self) -> dict[str, int | float]:
        return self.import_set.clips.aggregate(
            main=Count("pk", filter=IS_MAIN),
            ready=Count("pk", filter=Q(status=ImportClipState.READY)),
            seconds=Sum("seconds", filter=IS_MAIN, default=0.0),
            without_text=Count("pk", filter=IS_MAIN & Q(text="")),
            converted=Count("pk", filter=IS_MAIN & ~Q(wav="")),
            long=Count("pk", filter=IS_MAIN & Q(is_long=True)),
            duplicates=Count("pk", filter=Q(status=ImportClipState.DUPLICATE)),
            in_voice=Count("pk", filter=Q(status=ImportClipState.DUPLICATE, recording__isnull=False)),
            refused=Count("pk", filter=Q(status=ImportClipState.REFUSED)),
        )

    @cached_property
    def lines(self) -> dict[str, int]:
        rows = self.import_set.lines.order_by().values_list("reason").annotate(Count("pk"))
        return dict(rows)

    @cached_property
    def files(self) -> dict[str, int]:
        """All parts of the `joining` ones have arrived.

        `refused_files` were left out as a whole: other files, and archives that cannot be read.
        """
        return self.import_set.files.aggregate(
            all=Count("pk"),
            uploading=Count("pk", filter=IS_INCOMPLETE),
            joining=Count("pk", filter=IS_JOINING),
            waiting=Count("pk", filter=Q(status=ImportFileStatus.UPLOADED)),
            side=Count("pk", filter=Q(kind=ImportFileKind.SIDE)),
            refused_files=Count("pk", filter=IS_REFUSED_FILE),
        )

    @cached_property
    def texts(self) -> dict[str, int]:
        """Texts of one recording each, those that cannot be read, and those in which nothing is a transcript."""
        texts = ImportText.objects.filter(file__import_set=self.import_set)
        return texts.aggregate(
            clip_texts=Count("pk", filter=Q(kind=ImportTextKind.CLIP_TEXT, problem="")),
            unread=Count("pk", filter=~Q(problem="")),
            other=Count("pk", filter=IS_OTHER_TEXT),
        )

    @property
    def file_text(self) -> str:
        return _format_many(self.files["all"], "file", "files")

    @property
    def ready(self) -> int:
        return int(self.clips["ready"])

    @property
    def with_text(self) -> int:
        return int(self.clips["main"] - self.clips["without_text"])

    @property
    def earlier(self) -> int:
        return self.lines.get(ImportLineReason.EARLIER, 0)

    @property
    def loose(self) -> int:
        """Lines that are the text of no file."""
        return sum(self.lines.values()) - self.earlier

    @property
    def refused(self) -> int:
        return int(self.clips["refused"]) + self.files["refused_files"] + self.texts["unread"]

    @property
    def other(self) -> int:
        """Files that no import needs."""
        return self.files["side"] + self.texts["other"]

    @property
    def left_out(self) -> int:
        """All that the list of left-out files and lines has."""
        return self.refused + self.other + self.loose + int(self.clips["duplicates"]) + self.files["uploading"]

    def list_figures(self, current: Show) -> list[Figure]:
        """The first figure, and each of the others that is not zero or that is shown."""
        figures = self._make_figures()
        return [
            Figure(one.show, one.label, one.tone, one.count, one.show is current)
            for one in figures
            if one.count or one.show in {Show.CLIPS, current}
        ]

    def _make_figures(self) -> Iterator[Figure]:
        clips = self.clips
        yield Figure(Show.CLIPS, "All", "good", int(clips["main"]))
        yield Figure(Show.WITHOUT_TEXT, "No transcript", "wait", int(clips["without_text"]))
        yield Figure(Show.CONVERTED, "Converted", "idle", int(clips["converted"]))
        yield Figure(Show.REFUSED, "Not usable", "bad", self.refused)
        yield Figure(Show.INCOMPLETE, "Not uploaded completely", "wait", self.files["uploading"])
        yield Figure(Show.LINES, "Lines without file", "wait", self.loose)
        yield Figure(Show.DUPLICATES, "Duplicates", "idle", int(clips["duplicates"]))
        yield Figure(Show.OTHER, "Not needed", "idle", self.other)
        yield Figure(Show.EARLIER, "Earlier transcripts", "new", self.earlier)

    def list_groups(self, figures: Sequence[Figure]) -> list[Group]:
        """What is added, what is changed, and what is left out, as far as there is any."""
        to_add, left_out = ([one for one in figures if one.show in shows] for shows in (TO_ADD, LEFT_OUT))
        earlier = [one for one in figures if one.show is Show.EARLIER]
        is_added = self.import_set.status == ImportStatus.ADDED
        groups = [Group("Added" if is_added else "Ready to add", "good", int(self.clips["main"]), self.length, to_add)]
        if earlier:
            note = "Set in recordings of the voice" if is_added else "Changes in recordings of the voice"
            groups.append(Group("Earlier transcripts", "new", self.earlier, note, earlier))
        if left_out:
            groups.append(Group("Left out", "wait", self.left_out, _describe_largest(left_out), left_out))
        return groups

    @property
    def length(self) -> str:
        clips = self.clips
        return f"{format_duration(clips['seconds'])} of sound" if clips["main"] else "No recording was found"

    def describe_addition(self) -> str:
        """What the main button says."""
        if self.ready:
            return f"Add {_format_many(self.ready, 'recording', 'recordings')}"
        return f"Set {_format_many(self.earlier, 'transcript', 'transcripts')}" if self.earlier else ""


def is_plain(figures: Sequence[Figure], counts: ImportCounts) -> bool:
    """Whether one sentence says as much as the figures: all clips are alike."""
    shown = {figure.show for figure in figures if not (figure.show is Show.OTHER and not figure.is_current)}
    return shown <= {Show.CLIPS, Show.WITHOUT_TEXT} and counts.clips["without_text"] in {0, counts.clips["main"]}


def _describe_largest(figures: Sequence[Figure]) -> str:
    """“5 not usable, 5 lines without file and more”."""
    largest = sorted((one for one in figures if one.count), key=lambda one: -one.count)
    text = ", ".join(f"{one.shown} {one.label.lower()}" for one in largest[:MAX_NOTED])
    return f"{text} and more" if len(largest) > MAX_NOTED else text


def _format_many(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def read_show(text: str, counts: ImportCounts) -> Show:
    """The list that an address names. Without one, all recordings, or the first list that has rows."""
    if text:
        return Show(text) if text in {one.value for one in Show} else Show.CLIPS
    if counts.clips["main"]:
        return Show.CLIPS
    return next((figure.show for figure in counts.list_figures(Show.CLIPS) if figure.count), Show.CLIPS)
