"""The imports of a voice that wait for a person, on its page and on Today."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from voicehub.row_counts import count_rows
from voicehub.text import format_count
from voices.models import Import, ImportClip, ImportClipState, ImportFile, ImportFileStatus, ImportStatus, Voice
from voices.services.imports.rows import IS_JOINING

MAX_SHOWN = 10
# An import that was left alone for this long is a step on Today.
WAITING_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class OpenImport:
    row: Import
    tone: str
    state: str
    summary: str

    @property
    def name(self) -> str:
        return str(self.row.by)


def query_open_imports() -> QuerySet[Import]:
    """Imports that are not finished, with their counts. One in which nothing has arrived is left out."""
    clips = ImportClip.objects.filter(import_set=OuterRef("pk"))
    files = ImportFile.objects.filter(import_set=OuterRef("pk"))
    ready = clips.filter(status=ImportClipState.READY)
    return (
        Import.objects.filter(Exists(files), status__in=[ImportStatus.OPEN, ImportStatus.ADDING])
        .select_related("by")
        .annotate(
            ready_count=count_rows(ready),
            textless_count=count_rows(ready.filter(text="")),
            refused_count=count_rows(clips.filter(status=ImportClipState.REFUSED)),
            checked_count=count_rows(files.filter(status=ImportFileStatus.CHECKED)),
            waiting_count=count_rows(files.filter(Q(status=ImportFileStatus.UPLOADED) | IS_JOINING)),
        )
    )


def load_open_imports(voice: Voice) -> list[OpenImport]:
    """The newest ones first."""
    rows = query_open_imports().filter(voice=voice).order_by("-created_at")
    return [_make_open_import(row) for row in rows[:MAX_SHOWN]]


def query_waiting_imports() -> QuerySet[Import]:
    """Those that were neither added nor discarded for a day, oldest first."""
    rows = query_open_imports().filter(status=ImportStatus.OPEN, created_at__lt=timezone.now() - WAITING_AFTER)
    return rows.order_by("created_at")


def _make_open_import(row: Import) -> OpenImport:
    if row.status == ImportStatus.ADDING:
        return OpenImport(row, "busy", "Being added", describe_import(row))
    # A file whose upload was broken off is a choice of the review, and is not checked.
    if row.work_started_at or _get_count(row, "waiting") or not _get_count(row, "checked"):
        return OpenImport(row, "busy", "Being checked", describe_import(row))
    return OpenImport(row, "new", "Ready to review", describe_import(row))


def describe_import(row: Import) -> str:
    """“78 recordings ready, 28 without transcript, 4 not usable”."""
    ready, textless, refused = (_get_count(row, name) for name in ("ready", "textless", "refused"))
    if not ready and not refused:
        return format_count(_get_count(row, "file"), "file", "files")
    parts = [f"{format_count(ready, 'recording', 'recordings')} ready"]
    parts += [f"{textless} without transcript"] if textless else []
    parts += [f"{refused} not usable"] if refused else []
    return ", ".join(parts)


def _get_count(row: Import, name: str) -> int:
    return int(getattr(row, f"{name}_count"))
