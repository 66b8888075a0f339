from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import django_rq.admin
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.auth.models import Group
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern
from django_rq.models import Dashboard
from rq.exceptions import NoSuchJobError

from audio.findings.thresholds import EXPLAINED
from voicehub import outbox
from voicehub.admin_site import LookOnly
from voicehub.models import Task, ThresholdOverride, User
from voicehub.roles import MANAGE_QUEUES

# The roles are a table in the code (voicehub.roles); editing them here would last until the next migration.
admin.site.unregister(Group)


# Fields that give power, for superusers only; the roles are given by groups.
POWERS = {"is_superuser", "user_permissions"}
LAST_SUPERUSER = "This is the last superuser who can sign in. Make another one first."


def leaves_no_superuser(gone: Iterable[Any]) -> bool:
    """Whether without these people nobody could give powers any more. Locks the superusers that there are."""
    left = User.objects.select_for_update().filter(is_superuser=True, is_active=True, is_staff=True)
    keys = set(left.values_list("pk", flat=True))
    return bool(keys) and not keys - {person.pk for person in gone}


class PersonForm(UserChangeForm[User]):
    """Refuses to take the last superuser's powers away."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        powers = ("is_superuser", "is_active", "is_staff")
        keeps = all(cleaned.get(name, getattr(self.instance, name)) for name in powers)
        if self.instance.is_superuser and not keeps and leaves_no_superuser([self.instance]):
            raise forms.ValidationError(LAST_SUPERUSER)
        return cleaned


@admin.register(User)
class PeopleAdmin(UserAdmin[User]):
    """People and their roles. Only superusers touch superusers and the fields that give powers."""

    form = PersonForm
    list_display = ["username", "first_name", "last_name", "email", "roles", "is_active", "last_login"]
    list_filter = ["groups", "is_active", "is_staff"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description="roles")
    def roles(self, user: User) -> str:
        return ", ".join(group.name for group in user.groups.all())

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if request.user.is_superuser:
            return fieldsets
        return [
            (name, {**options, "fields": [field for field in options["fields"] if field not in POWERS]})
            for name, options in fieldsets
        ]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return self._may_touch(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return self._may_touch(request, obj) and super().has_delete_permission(request, obj)

    def _may_touch(self, request: HttpRequest, obj: User | None) -> bool:
        return obj is None or not obj.is_superuser or bool(request.user.is_superuser)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[Any], Any, set[str], list[Any]]:
        """Of the page of one person and of the action on many: both ask this before they delete."""
        found, counts, lacking, protected = super().get_deleted_objects(objs, request)
        with transaction.atomic():
            if leaves_no_superuser(objs):
                protected = [*protected, LAST_SUPERUSER]
        return found, counts, lacking, protected


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
GONE = (NoSuchJobError, ValueError, ImproperlyConfigured)


def may_manage_queues(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Decorator: the permission for the queues; what is gone meanwhile is a page that is not there."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.has_perm(MANAGE_QUEUES):
            raise PermissionDenied
        try:
            return view(request, *args, **kwargs)
        except GONE:
            raise Http404 from None

    return guarded


admin.site.unregister(Dashboard)
admin.site.register(Dashboard, QueueAdmin)


@admin.register(Task)
class TaskAdmin(LookOnly):
    """The work of the house: what waits, what is under way, what was given up and why."""

    list_display = ["kind", "object_id", "status", "due_at", "attempts", "under_way", "reason", "created_at"]
    list_filter = ["status", "kind"]
    search_fields = ["object_id", "reason"]
    date_hierarchy = "created_at"
    actions = ["try_again"]

    @admin.display(boolean=True, description="under way")
    def under_way(self, task: Task) -> bool:
        return task.lease is not None

    @admin.action(description="Try again what was given up", permissions=["view"])
    def try_again(self, request: HttpRequest, tasks: QuerySet[Task]) -> None:
        if not request.user.is_superuser and not request.user.has_perm("voicehub.change_task"):
            self.message_user(request, "Your role may not start work again.", messages.ERROR)
            return
        done = sum(outbox.try_again(task) for task in tasks)
        self.message_user(request, f"{done} of {len(tasks)} will be tried again.", messages.SUCCESS)


def threshold_choices() -> list[tuple[str, str]]:
    """Every threshold by its name, with its unit and what it is without anybody's change."""
    return [(name, f"{name} ({one.default:g} {one.unit})") for name, one in EXPLAINED.items()]


class ThresholdForm(forms.ModelForm[ThresholdOverride]):
    name = forms.ChoiceField(choices=threshold_choices, help_text="In brackets what holds without a change.")

    class Meta:
        model = ThresholdOverride
        fields = ["provider", "tier", "name", "value", "reason"]


@admin.register(ThresholdOverride)
class ThresholdOverrideAdmin(admin.ModelAdmin[ThresholdOverride]):
    """From where on a measured value becomes a finding, where this studio wants it otherwise."""

    form = ThresholdForm
    list_display = ["name", "value", "usual", "provider", "tier", "reason"]
    list_filter = ["provider", "tier", "name"]

    @admin.display(description="usual value")
    def usual(self, row: ThresholdOverride) -> str:
        known = EXPLAINED.get(row.name)
        return f"{known.default:g} {known.unit}" if known else "no such threshold any more"
