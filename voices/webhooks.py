"""Two endpoints for providers, each protected by an unguessable token: callbacks, and the dataset of one build.

No vendor signs its callbacks, so a callback is stored but not trusted: it only triggers a status request.
"""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from voicehub.client_address import get_client_address
from voicehub.upload_limits import CALLBACK_BYTES
from voices.models import Build
from voices.services.builds.dataset import open_dataset
from voices.services.builds.poll import find_build_by_callback_token, receive_callback


@csrf_exempt
@login_not_required
@require_http_methods(["POST", "HEAD"])
def handle_callback(request: HttpRequest, provider: str, token: str) -> HttpResponse:
    """Receive a callback about a build. Some providers test the URL with a HEAD request."""
    build = _get_build(provider, token)
    if request.method == "HEAD":
        return HttpResponse(status=204)
    body = request.read(CALLBACK_BYTES + 1)
    if len(body) > CALLBACK_BYTES:
        return HttpResponse("At most 64 KiB.", status=413, content_type="text/plain")
    receive_callback(build, body, get_client_address(request))
    return HttpResponse(status=204)


def _get_build(provider: str, token: str) -> Build:
    build = find_build_by_callback_token(provider, token)
    if build is None:
        raise Http404
    return build


@login_not_required
@require_safe
def serve_dataset(request: HttpRequest, token: str, name: str) -> HttpResponseBase:
    """The frozen recordings of one build, until its URL expires. Every download is recorded."""
    dataset = open_dataset(token, get_client_address(request), request.headers.get("User-Agent", ""))
    if dataset is None or dataset.name != name:
        raise Http404
    response = HttpResponse() if request.method == "HEAD" else StreamingHttpResponse(dataset.chunks)
    response.headers["Content-Type"] = dataset.content_type
    response.headers["Content-Disposition"] = content_disposition_header(True, dataset.name) or "attachment"
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Length"] = str(dataset.size)
    return response
