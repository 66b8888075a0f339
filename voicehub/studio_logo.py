"""The logo of the studio on the pages of talents: the file of VOICEHUB_LOGO, or VoiceHub's own sign."""

import mimetypes
from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.http import require_safe

DEFAULT_LOGO = "img/favicon.svg"
CACHE_SECONDS = 7 * 24 * 3600  # the address changes with the file


def make_logo_url() -> str:
    """The address of the logo. It contains when the file was changed, so that no browser shows an old one."""
    try:
        changed_at = Path(settings.VOICEHUB_LOGO).stat().st_mtime_ns if settings.VOICEHUB_LOGO else 0
    except OSError:  # deleted since the start
        changed_at = 0
    return f"{reverse('studio_logo')}?{changed_at:x}" if changed_at else static(DEFAULT_LOGO)


@login_not_required
@require_safe
def send_logo(_request: HttpRequest) -> HttpResponse:
    path = Path(settings.VOICEHUB_LOGO)
    try:
        content = path.read_bytes() if settings.VOICEHUB_LOGO else b""
    except OSError:
        content = b""
    if not content:
        raise Http404("No logo is set.")
    response = HttpResponse(content, content_type=mimetypes.guess_type(path.name)[0])
    response.headers["Cache-Control"] = f"public, max-age={CACHE_SECONDS}"
    return response
