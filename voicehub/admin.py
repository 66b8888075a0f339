import re
from collections.abc import Iterable, Iterator
from typing import Any

from allauth.account import admin as _account_admin  # noqa: F401 - registers its models, which are replaced below
from allauth.account.models import EmailAddress
from allauth.mfa import admin as _mfa_admin  # noqa: F401 - registers its models, which are replaced below
from allauth.mfa.models import Authenticator
from allauth.socialaccount import admin as _social_admin  # noqa: F401 - registers its models
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.contrib.auth.models import AnonymousUser, Group
from django.db.models import Case, QuerySet, When
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django_rq.models import Dashboard

from audio.findings.thresholds import THRESHOLD_INFO
from providers import registry
from providers.types import Tier
from voicehub import outbox
from voicehub.admin_base.actions import run_on_rows
from voicehub.admin_base.columns import MAX_CHARACTERS
from voicehub.admin_base.formats import EMPTY, format_moment, make_label
from voicehub.admin_base.groups import STAFF, WORK
from voicehub.admin_base.rows import ReadOnlyAdmin, StudioAdmin
from voicehub.admin_base.subjects import find_subjects
from voicehub.admin_base.versions import VersionedForm
from voicehub.models import BrowserSession, SecurityEvent, Task, TaskStatus, ThresholdOverride, User
from voicehub.queue_admin import QueueAdmin
from voicehub.refusals import ActionRefused
from voicehub.security_admin import BrowserSessionAdmin, FactorAdmin, SecurityEventAdmin
from voicehub.task_labels import describe_task
from voicehub.text import format_minus
from voicehub.user_admin import StudioUserAdmin

# Failed tasks first, then those that wait, the next one first, then those that are done, the newest first.
RANK = Case(When(status=TaskStatus.FAILED, then=0), When(status=TaskStatus.WAITING, then=1), default=2).asc()
NEXT_DUE = Case(When(status=TaskStatus.WAITING, then="due_at")).asc()

# Roles are defined in code (voicehub.roles), and the next migration would undo edits made in the admin.
admin.site.unregister(Group)


# Sign-in at an identity provider stores nothing in these.
admin.site.unregister([SocialAccount, SocialApp, SocialToken])
admin.site.register(User, StudioUserAdmin)
admin.site.register(SecurityEvent, SecurityEventAdmin)
admin.site.register(BrowserSession, BrowserSessionAdmin)
admin.site.unregister([Authenticator, EmailAddress])  # the email of a user stands on the user's page
admin.site.register(Authenticator, FactorAdmin)
admin.site.unregister(Dashboard)
admin.site.register(Dashboard, QueueAdmin)


def name_subjects(tasks: Iterable[Any], user: User | AnonymousUser) -> None:
    """Give each task its `subject`, empty if it works on no row."""
    subjects = find_subjects(tasks, user)
    for task in tasks:
        task.subject = subjects.get(task.pk, "")


class TaskList(ChangeList):
    """The tasks of one page of the list, each with what it works on."""

    def get_ordering_field_columns(self) -> Any:
        """No heading has the arrow of the order until one is chosen."""
        return super().get_ordering_field_columns() if ORDER_VAR in self.params else {}

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        name_subjects(self.result_list, request.user)


@admin.register(Task)
class TaskAdmin(ReadOnlyAdmin):
    """Background tasks in every status: waiting, done or failed (with the reason)."""

    group = WORK
    purpose = "Background tasks: waiting, done or failed"
    place = 1
    attention = (({"status__exact": "failed", "seen_at__isnull": True}, "failed task", "failed tasks", "bad"),)
    counted = ({"status": "waiting"}, "waiting")
    list_display = ["task", "about", "status", "due", "created_at"]
    short_columns = ("about", "due", "created_at")
    named_columns = ("due", "created_at")
    ordering = (RANK, NEXT_DUE, "-created_at")
    readonly_fields = ("about",)
    list_filter = ["status", "kind", "created_at"]
    search_fields = ["object_id", "reason"]
    actions = ["retry_tasks", "mark_seen"]
    action_permission = "voicehub.change_task"

    def may_read_rows(self, request: HttpRequest) -> bool:
        """The reason of a refused mail has the address."""
        return request.user.has_perm("consent.view_contacts")

    def name_row(self, row: Task) -> str:
        return describe_task(row.kind)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return TaskList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Task | None:
        task = super().get_object(request, object_id, from_field)
        if task is not None:
            name_subjects([task], request.user)
        return task

    @admin.display(description="about")
    def about(self, row: Any) -> str:
        return row.subject or EMPTY

    @admin.display(description="due", ordering="due_at")
    def due(self, row: Task) -> str:
        return format_moment(row.due_at) if row.status == TaskStatus.WAITING else EMPTY

    @admin.display(description="task", ordering="kind")
    def task(self, row: Task) -> SafeString | str:
        name, facts = describe_task(row.kind), ". ".join(list_task_facts(row))
        return format_html('{} <small class="sub">{}</small>', name, facts) if facts else name

    @admin.action(description="Try again", permissions=["operate"])
    def retry_tasks(self, request: HttpRequest, tasks: QuerySet[Task]) -> None:
        run_on_rows(request, tasks, retry_task)

    @admin.action(description="Mark as seen", permissions=["operate"])
    def mark_seen(self, request: HttpRequest, tasks: QuerySet[Task]) -> None:
        def mark(task: Task) -> str:
            if not (isinstance(request.user, User) and outbox.mark_task_seen(task, request.user)):
                raise ActionRefused("Not marked, because it has not failed or is already marked as seen.")
            return "Marked as seen. It is no longer on Today."

        run_on_rows(request, tasks, mark)


def list_task_facts(task: Task) -> Iterator[str]:
    """What tells a task apart from one that ran once and well: that it was repeated, and why."""
    if task.attempts > 1:
        yield f"{task.attempts} attempts"
    if task.reason:
        yield Truncator(task.reason).chars(MAX_CHARACTERS)


def retry_task(task: Task) -> str:
    if not outbox.retry_task(task):
        raise ActionRefused("Not started, because it has not failed or the same task is already waiting.")
    return "Runs again. If it fails again, it is back on Today."


def name_threshold(name: str) -> str:
    """In words, without its unit, which stands behind the value."""
    return make_label(re.sub("_(dbfs|db|hz|seconds|share)$", "", name))


def describe_default(name: str) -> str:
    """The default value with its unit. Empty if VoiceHub has no such threshold anymore."""
    known = THRESHOLD_INFO.get(name)
    return f"{format_minus(f'{known.default:g}')} {known.unit}" if known else ""


def list_threshold_choices() -> list[tuple[str, str]]:
    """Every threshold's name, with its default value and unit."""
    return [(name, f"{name_threshold(name)} (default {describe_default(name)})") for name in THRESHOLD_INFO]


def list_providers() -> list[tuple[str, str]]:
    return [("", "Every provider"), *registry.list_provider_choices()]


def list_tiers() -> list[tuple[str, str]]:
    return [("", "Every tier"), *((tier.value, tier.value.title()) for tier in Tier)]


class ThresholdForm(VersionedForm):
    provider = forms.ChoiceField(choices=list_providers, required=False)
    tier = forms.ChoiceField(choices=list_tiers, required=False)
    name = forms.ChoiceField(choices=list_threshold_choices, label="Threshold")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if default := describe_default(self.instance.name):
            self.fields["value"].help_text = f"Default: {default}."

    class Meta:
        model = ThresholdOverride
        fields = ["name", "value", "provider", "tier", "reason"]
        help_texts = {
            "value": "A number, in the unit of the default.",
            "reason": "Required. Why this studio differs, and where the value comes from.",
        }
        widgets = {"reason": forms.Textarea(attrs={"rows": 2})}


@admin.register(ThresholdOverride)
class ThresholdOverrideAdmin(StudioAdmin):
    """This studio's own thresholds. A threshold is the measured value from which VoiceHub reports a finding."""

    group = STAFF
    purpose = "Measured values from which this studio gets a finding"
    place = 4
    counted = ({}, "")
    empty_text = "A recording gets a finding when a measured value passes a threshold. All have their default value."
    formats = {"name": name_threshold}
    short_columns = ("value", "provider")
    form = ThresholdForm
    list_display = ["name", "value", "default_value", "provider", "tier", "reason"]
    list_filter = ["provider", "tier", "name"]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        defaults = [
            {"name": name, "label": name_threshold(name), "default": describe_default(name)} for name in THRESHOLD_INFO
        ]
        return super().changelist_view(request, {"defaults": defaults, **(extra_context or {})})

    @admin.display(description="default value")
    def default_value(self, row: ThresholdOverride) -> str:
        return describe_default(row.name) or "threshold no longer exists"
