"""Root URLconf. Views that need no sign-in are marked with `login_not_required`."""

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.urls import include, path
from django.views.decorators.http import require_safe

from voicehub.component_page import show_components
from voicehub.notifications import notifications
from voicehub.studio_logo import send_logo


@login_not_required
@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """Health check for load balancers. It does not query the database."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
def session_state(request: HttpRequest) -> JsonResponse:
    """Who is signed in, and a valid CSRF token, for a page that was opened before the last sign-in."""
    return JsonResponse({"user": str(request.user.pk), "token": get_token(request)})


handler403 = "voicehub.denied.answer_denied"
handler500 = "voicehub.problem_pages.answer_server_error"

urlpatterns = [
    path("", include("voices.dashboard_urls")),
    path("", include("voicehub.sign_in.urls")),
    path("notifications/", notifications, name="notifications"),
    path("components/", show_components, name="components"),
    path("session/", session_state, name="session_state"),
    path("logo/", send_logo, name="studio_logo"),
    path("healthz", healthz, name="healthz"),
    path("administration/", admin.site.urls),
    path("", include("consent.urls")),
    path("", include("consent.public_urls")),
    path("", include("voices.urls")),
    path("", include("voices.webhook_urls")),
]
