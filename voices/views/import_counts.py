"""What an import has of each kind, counted in the database, and the figures that lead to its lists."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from urllib.parse import urlencode

from django.db.models import Count, Q, Sum

from voicehub.text import format_duration
from voices.models import Import, ImportClipState, ImportFileKind, ImportFileStatus, ImportLineReason, ImportStatus
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


MAIN = (ImportClipState.READY, ImportClipState.ADDED)
IS_MAIN = Q(status__in=MAIN)


@dataclass(frozen=True, slots=True)
class Figure:
    show: Show
    label: str
    tone: str
    count: int
    note: str
    is_current: bool = False

    @property
    def shown(self) -> str:
        return f"{self.count:,}"

    @property
    def url(self) -> str:
        return f"?{urlencode({'show': self.show.value})}" if self.show.value else "?"


class ImportCounts:
    """The counts of an import, in three queries whatever its size."""

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
        left_out = Q(kind=ImportFileKind.OTHER) | Q(kind=ImportFileKind.ARCHIVE, findings__0__severity="refused")
        return self.import_set.files.aggregate(
            all=Count("pk"),
            uploading=Count("pk", filter=Q(status=ImportFileStatus.UPLOADING) & ~IS_JOINING),
            joining=Count("pk", filter=IS_JOINING),
            waiting=Count("pk", filter=Q(status=ImportFileStatus.UPLOADED)),
            side=Count("pk", filter=Q(kind=ImportFileKind.SIDE)),
            refused_files=Count("pk", filter=left_out),
        )

    @property
    def ready(self) -> int:
        return int(self.clips["ready"])

    @property
    def earlier(self) -> int:
        return self.lines.get(ImportLineReason.EARLIER, 0)

    @property
    def loose(self) -> int:
        """Lines that are the text of no file."""
        return sum(self.lines.values()) - self.earlier

    @property
    def refused(self) -> int:
        return int(self.clips["refused"]) + self.files["refused_files"]

    def list_figures(self, current: Show) -> list[Figure]:
        """The first figure, and each of the others that is not zero or that is shown."""
        figures = self._make_figures()
        return [
            Figure(one.show, one.label, one.tone, one.count, one.note, one.show is current)
            for one in figures
            if one.count or one.show in {Show.CLIPS, current}
        ]

    def _make_figures(self) -> Iterator[Figure]:
        clips, is_added = self.clips, self.import_set.status == ImportStatus.ADDED
        length = f"{format_duration(clips['seconds'])} of sound" if clips["main"] else "No recording was found"
        yield Figure(Show.CLIPS, "Added" if is_added else "Ready to add", "good", int(clips["main"]), length)
        yield Figure(Show.WITHOUT_TEXT, "No transcript", "wait", int(clips["without_text"]), "Can be typed later")
        yield Figure(Show.LINES, "Lines without file", "wait", self.loose, "Lines of tables")
        in_voice = int(clips["in_voice"])
        note = f"{in_voice} in the voice" if in_voice else "Of files here"
        yield Figure(Show.DUPLICATES, "Duplicates", "idle", int(clips["duplicates"]), note)
        yield Figure(Show.CONVERTED, "Converted", "idle", int(clips["converted"]), "Originals are kept")
        yield Figure(Show.REFUSED, "Not usable", "bad", self.refused, "With reasons")
        yield Figure(Show.EARLIER, "Earlier transcripts", "new", self.earlier, "Of the voice")

    def describe_addition(self) -> str:
        """What the main button says."""
        if self.ready:
            return f"Add {_format_many(self.ready, 'recording', 'recordings')}"
        return f"Set {_format_many(self.earlier, 'transcript', 'transcripts')}" if self.earlier else ""


def is_plain(figures: Sequence[Figure], counts: ImportCounts) -> bool:
    """Whether one sentence says as much as the figures: all clips are alike."""
    shown = {figure.show for figure in figures}
    return shown <= {Show.CLIPS, Show.WITHOUT_TEXT} and counts.clips["without_text"] in {0, counts.clips["main"]}


def _format_many(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def read_show(text: str) -> Show:
    try:
        return Show(text)
    except ValueError:
        return Show.CLIPS
