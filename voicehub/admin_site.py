"""The admin: behind the same sign-in as everything else, for people of the admin role."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import reverse


def get_staff_page(_admin: object, row: Any) -> str | None:
    """The row's own page in the dashboard, for the link “View on site”."""
    return row.get_absolute_url() if hasattr(row, "get_absolute_url") else None


class StudioAdminSite(admin.AdminSite):
    site_header = "VoiceHub administration"
    site_title = "VoiceHub administration"
    index_title = "Everything that is stored"

    def get_urls(self) -> list[Any]:
        """Without the address that leads from any row to its page: it asks for no permission on the row."""
        return [entry for entry in super().get_urls() if getattr(entry, "name", "") != "view_on_site"]

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        super().register(model_or_iterable, admin_class, **{"view_on_site": get_staff_page, **options})

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is one door: the dashboard's sign-in, which leads back here whoever may come in."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next", reverse("admin:index")))


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """Every field can be read and searched, none changed; rows are neither added nor deleted here."""

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        return False


class NoDeleteAdmin(admin.ModelAdmin[Any]):
    """Rows that other rows stand on: edited, but never deleted."""

    def has_delete_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        return False
