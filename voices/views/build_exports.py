"""The results of a build as files."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from consent.access import require_permission
from consent.services.file_access import send_recorded
from voicehub.confirmation import require_confirmation
from voices.build_results.report import make_report
from voices.models import Build
from voices.services.file_access import describe_report, describe_table
from voices.views.build_csv import generate_csv_lines, query_csv_rows
from voices.views.build_page import get_open_build


@require_permission("voices.view_build")
@require_safe
@require_confirmation(on_get=True, page="voices:build")
def build_export(request: HttpRequest, pk: str) -> HttpResponseBase:
    """The recordings of a build with their results, as CSV. Texts are escaped against formula injection."""
    build = get_open_build(request, pk)
    response = StreamingHttpResponse(generate_csv_lines(query_csv_rows(build)), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = make_disposition(build, "csv")
    return send_recorded(request, describe_table(build.voice, build.pk, "results of a build"), response)


@require_permission("voices.view_build")
@require_safe
def build_report(request: HttpRequest, pk: str) -> HttpResponse:
    """The report of a build that has ended, as PDF."""
    build = get_open_build(request, pk)
    if build.is_active:
        messages.error(request, "The build is still in progress. Its report is there when it ends.")
        return redirect(build)
    response = HttpResponse(make_report(build), content_type="application/pdf")
    response.headers["Content-Disposition"] = make_disposition(build, "pdf")
    return send_recorded(request, describe_report(build), response)


def make_disposition(build: Build, suffix: str) -> str:
    """The header of a download, with a name such as “warm-narrator-rapid-20251103-1402.csv”."""
    name = f"{slugify(build.voice.name) or 'voice'}-{build.remote_voice.tier}-{build.created_at:%Y%m%d-%H%M}.{suffix}"
    return content_disposition_header(True, name) or "attachment"
