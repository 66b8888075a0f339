"""The queues in the admin: django-rq's pages, behind a permission of their own."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import django_rq.admin
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern
from rq.exceptions import NoSuchJobError

# django-rq makes this permission, and asks for nothing but `is_staff`.
MANAGE_QUEUES = "django_rq.admin"


class QueueAdmin(django_rq.admin.QueueAdmin):
    """django-rq's pages, which ask for nothing but `is_staff`, behind a permission of their own."""

    def get_urls(self) -> list[URLPattern]:
        # Without those of single rows: its model has no table.
        rows = {None, *(f"django_rq_dashboard_{act}" for act in ("add", "history", "delete", "change"))}
        every = super().get_urls()  # type: ignore[no-untyped-call]  # django-rq gives it no types
        patterns = [pattern for pattern in every if pattern.name not in rows]
        for pattern in patterns:
            pattern.callback = self.admin_site.admin_view(may_manage_queues(pattern.callback))
        return patterns

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MANAGE_QUEUES)

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm(MANAGE_QUEUES)

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm(MANAGE_QUEUES)

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


# What django-rq raises for a job, a worker or a scheduler that is not there.
REMOVED_PATHS = (NoSuchJobError, ValueError, ImproperlyConfigured)


def may_manage_queues(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Decorator: the permission for the queues; what is gone meanwhile is a page that is not there."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.has_perm(MANAGE_QUEUES):
            raise PermissionDenied
        try:
            return view(request, *args, **kwargs)
        except REMOVED_PATHS:
            raise Http404 from None

    return guarded
