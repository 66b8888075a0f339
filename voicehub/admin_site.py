"""The admin site for staff with the admin role. Its sign-in page is the dashboard's."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from voicehub.admin_base.groups import GROUPS, Attention, Counted


def count_problems(model_admin: "admin.ModelAdmin[Any]", request: HttpRequest) -> list[dict[str, str]]:
    """The rows of a list that need a person: how many of each kind, and the address that lists them."""
    lookups: tuple[Attention, ...] = getattr(model_admin, "attention", ())
    if not lookups:
        return []
    opts = model_admin.model._meta
    url = reverse(f"{model_admin.admin_site.name}:{opts.app_label}_{opts.model_name}_changelist")
    rows = model_admin.model._default_manager.order_by()
    problems = []
    for lookup, one, many, tone in lookups:
        values = {name: value.split(",") if name.endswith("__in") else value for name, value in lookup.items()}
        if count := rows.filter(**values).count():
            text = f"{count:,} {one if count == 1 else many}"
            problems.append({"text": text, "tone": tone, "url": f"{url}?{urlencode(lookup)}"})
    return problems


def count_rows(model_admin: "admin.ModelAdmin[Any]") -> str:
    """How many rows a list has, or how many of them wait. Empty for a list that grows with each call or recording."""
    counted: Counted | None = getattr(model_admin, "counted", None)
    if counted is None:
        return ""
    lookup, word = counted
    return f"{model_admin.model._default_manager.filter(**lookup).count():,} {word}".strip()


class StudioAdminSite(admin.AdminSite):
    site_header = "VoiceHub administration"
    site_title = "VoiceHub"
    index_title = "Administration"
    enable_nav_sidebar = False  # the rail has the same links

    def get_urls(self) -> list[Any]:
        """All URLs except `view_on_site`, which redirects to any row's page without checking permissions on the row."""
        return [entry for entry in super().get_urls() if getattr(entry, "name", "") != "view_on_site"]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The models by task. The page of one app lists the models of this app."""
        apps = super().get_app_list(request, app_label)
        entries = [self._describe_entry(entry, request.path) for app in apps for entry in app["models"]]
        return apps if app_label else [group for name in GROUPS if (group := self._make_group(name, entries))]

    def _describe_entry(self, entry: dict[str, Any], path: str) -> dict[str, Any]:
        model_admin = self._registry[entry["model"]]
        entry["name"] = getattr(model_admin, "menu_name", "") or entry["name"]
        entry["purpose"] = getattr(model_admin, "purpose", "")
        entry["place"] = getattr(model_admin, "place", 0)
        entry["is_current"] = bool(entry["admin_url"]) and path.startswith(entry["admin_url"])
        return entry

    def _make_group(self, name: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
        """The group as the templates expect an app. Empty if the user may see none of its models."""
        models = [entry for entry in entries if getattr(self._registry[entry["model"]], "group", "") == name]
        models.sort(key=lambda entry: (entry["place"] == 0, entry["place"], entry["name"]))
        label = name.lower().replace(" ", "-")
        is_current = any(entry["is_current"] for entry in models)
        more = [entry for entry in models if not entry["place"]]
        group = {"name": name, "app_label": label, "has_module_perms": True, "models": models, "is_current": is_current}
        return {**group, "more": more if len(more) < len(models) else []} if models else {}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The first page, with what needs a person."""
        admins = [one for one in self._registry.values() if one.has_view_permission(request)]
        problems = [problem for one in admins for problem in count_problems(one, request)]
        page = super().index(request, {"problems": problems, **(extra_context or {})})
        groups = (page.context_data or {})["app_list"]
        for entry in (entry for group in groups for entry in group["models"]):
            entry["count"] = count_rows(self._registry[entry["model"]]) if entry["admin_url"] else ""
        return page

    def app_index(self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None) -> Any:
        """The first page has all models by task. A list of one app would have other groups."""
        response = super().app_index(request, app_label, extra_context)  # refuses an unknown app
        return redirect("admin:index") if response.status_code == 200 else response

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """A person changes the own password on the pages of the profile."""
        return redirect("account_change_password")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """One way out for the studio and the admin (`voicehub.sign_in.views.sign_out`)."""
        return redirect("account_logout", preserve_request=True)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Redirect to the dashboard's sign-in page, which leads back to the admin. Staff without access get a 403."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next", reverse("admin:index")))
