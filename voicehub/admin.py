from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django_rq.models import Dashboard

from audio.findings.thresholds import THRESHOLD_INFO
from voicehub import outbox
from voicehub.admin_base.actions import run_on_rows
from voicehub.admin_base.groups import STAFF, WORK
from voicehub.admin_base.rows import ReadOnlyAdmin, StudioAdmin
from voicehub.admin_base.versions import VersionedForm
from voicehub.models import Task, ThresholdOverride, User
from voicehub.queue_admin import QueueAdmin
from voicehub.refusals import ActionRefused
from voicehub.user_admin import StudioUserAdmin

# Roles are defined in code (voicehub.roles), and the next migration would undo edits made in the admin.
admin.site.unregister(Group)


admin.site.register(User, StudioUserAdmin)
admin.site.unregister(Dashboard)
admin.site.register(Dashboard, QueueAdmin)


@admin.register(Task)
class TaskAdmin(ReadOnlyAdmin):
    """Background tasks in every status: waiting, running, done or failed (with the reason)."""

    group = WORK
    purpose = "Background tasks: waiting, running, done or failed"
    list_display = ["kind", "status", "is_running", "attempts", "reason", "due_at", "created_at", "seen_by"]
    list_filter = ["status", "kind", "created_at"]
    list_select_related = ["seen_by"]
    search_fields = ["object_id", "reason"]
    actions = ["retry_tasks", "mark_seen"]
    action_permission = "voicehub.change_task"

    @admin.display(description="running")
    def is_running(self, task: Task) -> str:
        return "Yes" if task.lease is not None else "No"

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


def retry_task(task: Task) -> str:
    if not outbox.retry_task(task):
        raise ActionRefused("Not started, because it has not failed or the same task is already waiting.")
    return "Runs again. If it fails again, it is back on Today."


def list_threshold_choices() -> list[tuple[str, str]]:
    """Every threshold's name, with its default value and unit."""
    return [(name, f"{name} ({threshold.default:g} {threshold.unit})") for name, threshold in THRESHOLD_INFO.items()]


class ThresholdForm(VersionedForm):
    name = forms.ChoiceField(choices=list_threshold_choices, help_text="The default value is in brackets.")

    class Meta:
        model = ThresholdOverride
        fields = ["provider", "tier", "name", "value", "reason"]


@admin.register(ThresholdOverride)
class ThresholdOverrideAdmin(StudioAdmin):
    """This studio's own thresholds. A threshold is the measured value from which VoiceHub reports a finding."""

    group = STAFF
    purpose = "Measured values from which this studio gets a finding"
    form = ThresholdForm
    list_display = ["name", "value", "default_value", "provider", "tier", "reason"]
    list_filter = ["provider", "tier", "name"]

    @admin.display(description="default value")
    def default_value(self, row: ThresholdOverride) -> str:
        known = THRESHOLD_INFO.get(row.name)
        return f"{known.default:g} {known.unit}" if known else "threshold no longer exists"
