"""Root URLconf. Views that need no sign-in are marked with `login_not_required`."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.http import require_safe

from voicehub.login_throttle import SignInView
from voicehub.notifications import notifications


@login_not_required
@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """Health check for load balancers. It does not query the database."""
    return HttpResponse("ok", content_type="text/plain")


urlpatterns = [
    path("", include("voices.dashboard_urls")),
    path("sign-in/", SignInView.as_view(), name="login"),
    path("sign-out/", auth.LogoutView.as_view(), name="logout"),
    path("notifications/", notifications, name="notifications"),
    path("healthz", healthz, name="healthz"),
    path("administration/", admin.site.urls),
    path("", include("consent.urls")),
    path("", include("consent.public_urls")),
    path("", include("voices.urls")),
    path("", include("voices.webhook_urls")),
]
