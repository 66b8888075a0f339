"""What is open to providers, each by an unguessable token: their callbacks in, and the dataset of one build out.

No vendor signs what it sends, so a callback is stored and believed in nothing; it only makes us ask.
"""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from voicehub.middleware import get_client_address
from voicehub.upload_limits import CALLBACK_BYTES
from voices.models import Build
from voices.services.builds.dataset import open_dataset
from voices.services.builds.poll import find_build_by_callback_token, receive_callback


@csrf_exempt
@login_not_required
@require_http_methods(["POST", "HEAD"])
def handle_callback(request: HttpRequest, provider: str, token: str) -> HttpResponse:
    """Take what a provider has to say of a build; HEAD is how some try the address out."""
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
    """The frozen recordings of one build, for as long as its address lives; every opening is written down."""
    found = open_dataset(token, get_client_address(request), request.headers.get("User-Agent", ""))
    if found is None or found.name != name:
        raise Http404
    response = HttpResponse() if request.method == "HEAD" else StreamingHttpResponse(found.chunks)
    response.headers["Content-Type"] = found.content_type
    response.headers["Content-Disposition"] = content_disposition_header(True, found.name) or "attachment"
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Length"] = str(found.size)
    return response
