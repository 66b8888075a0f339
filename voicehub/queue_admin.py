"""The queue pages of django-rq in the admin, with a permission check."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import django_rq.admin
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern
from rq.exceptions import NoSuchJobError

from voicehub.admin_base.groups import WORK

# django-rq creates this permission, but only checks `is_staff`.
MANAGE_QUEUES = "django_rq.admin"


class QueueAdmin(django_rq.admin.QueueAdmin):
    """django-rq's pages, which only check `is_staff`, restricted to users with MANAGE_QUEUES."""

    group = WORK
    purpose = "What waits for the workers, and the workers"
    place = 2
    menu_name = "Queues"

    def get_urls(self) -> list[URLPattern]:
        # The pages of single rows are left out, because the model has no table.
        excluded = {None, *(f"django_rq_dashboard_{action}" for action in ("add", "history", "delete", "change"))}
        all_patterns = super().get_urls()  # type: ignore[no-untyped-call]  # django-rq gives it no types
        patterns = [pattern for pattern in all_patterns if pattern.name not in excluded]
        for pattern in patterns:
            pattern.callback = self.admin_site.admin_view(require_queue_permission(pattern.callback))
        return patterns

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MANAGE_QUEUES)

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm(MANAGE_QUEUES)

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm(MANAGE_QUEUES)

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


# django-rq raises these for a missing job, worker or scheduler.
MISSING_ERRORS = (NoSuchJobError, ValueError, ImproperlyConfigured)


def require_queue_permission(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Decorator: require MANAGE_QUEUES, and raise 404 for a job, worker or scheduler that no longer exists."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.has_perm(MANAGE_QUEUES):
            raise PermissionDenied
        try:
            return view(request, *args, **kwargs)
        except MISSING_ERRORS:
            raise Http404 from None

    return guarded
