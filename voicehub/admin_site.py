"""The admin site for staff with the admin role. Its sign-in page is the dashboard's."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import reverse


def get_dashboard_url(_admin: object, row: Any) -> str | None:
    """The URL of the row's dashboard page, for the link “View on site”."""
    return row.get_absolute_url() if hasattr(row, "get_absolute_url") else None


class StudioAdminSite(admin.AdminSite):
    site_header = "VoiceHub administration"
    site_title = "VoiceHub administration"
    index_title = "All stored data"

    def get_urls(self) -> list[Any]:
        """All URLs except `view_on_site`, which redirects to any row's page without checking permissions on the row."""
        return [entry for entry in super().get_urls() if getattr(entry, "name", "") != "view_on_site"]

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        super().register(model_or_iterable, admin_class, **{"view_on_site": get_dashboard_url, **options})

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Redirect to the dashboard's sign-in page, which leads back to the admin. Staff without access get a 403."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next", reverse("admin:index")))


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """Rows can be read and searched, but not added, changed or deleted."""

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        return False


class NoDeleteAdmin(admin.ModelAdmin[Any]):
    """Rows can be changed but not deleted, because other rows depend on them."""

    def has_delete_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        return False
