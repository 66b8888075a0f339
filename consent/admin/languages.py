"""The languages in which talents' pages and mails are offered."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path

from consent.access import get_user
from consent.models import LanguageRelease
from consent.models.language_release import RELEASABLE
from consent.services.talent_languages import end_release, is_catalog_changed, release_language
from voicehub.admin_base.actions import run_on_rows
from voicehub.admin_base.groups import STAFF
from voicehub.admin_base.rows import ReadOnlyAdmin
from voicehub.catalogs import list_translations


@admin.register(LanguageRelease)
class LanguageReleaseAdmin(ReadOnlyAdmin):
    """An admin releases a language by adding a row. The actions end a release, or renew it after a change."""

    group = STAFF
    purpose = "Languages of the pages and mails that talents get"
    menu_name = "Languages for talents"
    place = 4
    counted = ({}, "")
    row_word = "release"
    empty_text = "Talents’ pages and mails are in English until an admin releases another language."
    list_display = ["language", "state", "released_by", "released_at", "ended_by", "ended_at"]
    list_filter = ["language", "ended_at"]
    list_select_related = ["released_by", "ended_by"]
    readonly_fields = ["state"]
    actions = ["end", "renew"]
    action_permission = "consent.add_languagerelease"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(self.action_permission)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fields(request, obj) if obj else ["language"]

    @admin.display(description="state")
    def state(self, release: LanguageRelease) -> str:
        if release.ended_at:
            return "Not offered since it ended"
        if is_catalog_changed(release):
            return "Offered. The translations have changed since: read them again, then release them again"
        return "Offered"

    def save_model(self, request: HttpRequest, obj: LanguageRelease, form: Any, change: bool) -> None:
        obj.pk = release_language(obj.language, get_user(request)).pk
        obj.refresh_from_db()

    @admin.action(description="Stop offering it", permissions=["operate"])
    def end(self, request: HttpRequest, releases: QuerySet[LanguageRelease]) -> None:
        def stop(release: LanguageRelease) -> str:
            end_release(release, get_user(request))
            return "No longer offered. Pages and mails are in English now."

        run_on_rows(request, releases, stop)

    @admin.action(description="Release the translations of today", permissions=["operate"])
    def renew(self, request: HttpRequest, releases: QuerySet[LanguageRelease]) -> None:
        def release_again(release: LanguageRelease) -> str:
            release_language(release.language, get_user(request))
            return "Released with the translations of today."

        run_on_rows(request, releases, release_again)

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.texts_page)
        return [path("texts/<slug:language>/", page, name="consent_languagerelease_texts"), *super().get_urls()]

    def texts_page(self, request: HttpRequest, language: str) -> HttpResponse:
        """All translations into a language beside the English text, to read before a release."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        name = dict(RELEASABLE).get(language)
        if name is None:
            raise Http404("No translations into this language.")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Texts in {name}",
            "language": language,
            "translations": list_translations(language),
        }
        return render(request, "admin/consent/languagerelease/texts.html", context)
