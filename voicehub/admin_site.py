"""The admin: behind the same sign-in as everything else, for people of the admin role."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse


class StudioAdminSite(admin.AdminSite):
    site_header = "VoiceHub administration"
    site_title = "VoiceHub administration"
    index_title = "Everything that is stored"

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is one door: the dashboard's sign-in, which leads back here whoever may come in."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next", reverse("admin:index")))
