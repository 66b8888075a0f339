"""What the page of a voice shows of an upload that was interrupted, so that the person can continue it."""

from dataclasses import dataclass

from django.db.models import Count, F, IntegerField, Q
from django.db.models.functions import Greatest
from django.utils import timezone

from voicehub.models import User
from voicehub.text import format_count
from voices.models import Import, ImportFileStatus, ImportStatus, Voice
from voices.models.imports import IMPORT_LIFETIME


@dataclass(frozen=True, slots=True)
class UnfinishedImport:
    import_set: Import
    complete: int
    total: int

    @property
    def text(self) -> str:
        return f"{self.complete} of {format_count(self.total, 'file', 'files')} uploaded."


def find_unfinished_import(voice: Voice, user: User) -> UnfinishedImport | None:
    """The newest import of this person to this voice in which files are missing."""
    is_complete = Q(files__status__in=[ImportFileStatus.UPLOADED, ImportFileStatus.CHECKED])
    imports = Import.objects.filter(voice=voice, by=user, status=ImportStatus.OPEN)
    counted = imports.filter(created_at__gt=timezone.now() - IMPORT_LIFETIME).annotate(
        complete=Count("files", filter=is_complete),
        total=Greatest(Count("files"), F("planned_files"), output_field=IntegerField()),
    )
    row = counted.filter(complete__lt=F("total")).order_by("-created_at").first()
    return UnfinishedImport(row, row.complete, row.total) if row else None
