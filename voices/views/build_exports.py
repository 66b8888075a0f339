"""The results of a build as files."""

from django.http import HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from consent.access import get_user, require_permission
from voices import access
from voices.services.builds.scores import order_worst_first
from voices.views.build_csv import generate_csv_lines


@require_permission("voices.view_build")
@require_safe
def build_export(request: HttpRequest, pk: str) -> StreamingHttpResponse:
    """The recordings of a build with their results, as CSV. Texts are escaped against formula injection."""
    build = get_object_or_404(access.query_builds(), pk=pk)
    access.require_open_recordings(build.voice, get_user(request))
    rows = generate_csv_lines(order_worst_first(build))
    response = StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8")
    name = f"{slugify(build.voice.name) or 'voice'}-{build.remote_voice.tier}-{build.created_at:%Y%m%d-%H%M}.csv"
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return response
