"""Who played or opened which file of a talent: the page, and the same as CSV."""

import csv
from collections.abc import Iterator
from io import StringIO
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from audio.transcripts.cleaning import escape_cell
from consent.access import get_talent_or_404, require_permission
from consent.lists.file_accesses import FileAccessFilter, FileAccessTable, query_file_accesses
from consent.models import Talent
from consent.names import VIEW_NAMES
from consent.services.file_access import get_kind_label
from voicehub.confirmation import require_confirmation
from voicehub.lists.pages import load_list

VIEW_ACCESSES = "consent.view_fileaccess"
COLUMNS = ("hour", "last_time", "person", "file", "description", "requests")
CHUNK_SIZE = 1000


@require_permission("consent.view_talent", VIEW_ACCESSES, VIEW_NAMES)
@require_safe
def file_accesses(request: HttpRequest, pk: UUID) -> HttpResponse:
    talent = get_talent_or_404(pk)
    listing = load_list(request, query_file_accesses(talent), FileAccessTable, FileAccessFilter)
    return render(request, "consent/file_accesses.html", {"talent": talent, "list": listing})


@require_permission("consent.view_talent", VIEW_ACCESSES, VIEW_NAMES)
@require_safe
@require_confirmation(on_get=True, page="consent:file_accesses")
def file_accesses_export(_request: HttpRequest, pk: UUID) -> StreamingHttpResponse:
    """All rows, newest first. Texts are escaped against formula injection."""
    talent = get_talent_or_404(pk)
    response = StreamingHttpResponse(_generate_lines(talent), content_type="text/csv; charset=utf-8")
    name = f"file-access-{slugify(talent.shown_name) or 'talent'}.csv"
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return response


def _generate_lines(talent: Talent) -> Iterator[str]:
    # The mark tells spreadsheets that the text is UTF-8.
    yield "\ufeff" + _format_line(COLUMNS)
    for row in query_file_accesses(talent).iterator(CHUNK_SIZE):
        times = (timezone.localtime(moment).strftime("%Y-%m-%d %H:%M") for moment in (row.hour, row.last_at))
        yield _format_line((*times, row.reader_name, get_kind_label(row.kind), row.label, row.count))


def _format_line(cells: tuple[str | int, ...]) -> str:
    line = StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL).writerow([escape_cell(str(cell)) for cell in cells])
    return line.getvalue()
