from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django_rq.models import Dashboard

from audio.findings.thresholds import THRESHOLD_INFO
from voicehub import outbox
from voicehub.admin_site import ReadOnlyAdmin
from voicehub.models import Task, ThresholdOverride, User
from voicehub.queue_admin import QueueAdmin
from voicehub.user_admin import StudioUserAdmin

# Roles are defined in code (voicehub.roles), and the next migration would undo edits made in the admin.
admin.site.unregister(Group)


admin.site.register(User, StudioUserAdmin)
admin.site.unregister(Dashboard)
admin.site.register(Dashboard, QueueAdmin)


@admin.register(Task)
class TaskAdmin(ReadOnlyAdmin):
    """Background tasks in every status: waiting, running, done or failed (with the reason)."""

    list_display = ["kind", "object_id", "status", "due_at", "attempts", "is_running", "reason", "created_at"]
    list_filter = ["status", "kind"]
    search_fields = ["object_id", "reason"]
    date_hierarchy = "created_at"
    actions = ["retry_tasks"]

    @admin.display(boolean=True, description="running")
    def is_running(self, task: Task) -> bool:
        return task.lease is not None

    @admin.action(description="Retry failed tasks", permissions=["view"])
    def retry_tasks(self, request: HttpRequest, tasks: QuerySet[Task]) -> None:
        if not request.user.is_superuser and not request.user.has_perm("voicehub.change_task"):
            self.message_user(request, "Your role cannot retry tasks. Ask an admin.", messages.ERROR)
            return
        retried = sum(outbox.retry_task(task) for task in tasks)
        self.message_user(request, f"{retried} of {len(tasks)} tasks will run again.", messages.SUCCESS)


def list_threshold_choices() -> list[tuple[str, str]]:
    """Every threshold's name, with its default value and unit."""
    return [(name, f"{name} ({threshold.default:g} {threshold.unit})") for name, threshold in THRESHOLD_INFO.items()]


class ThresholdForm(forms.ModelForm[ThresholdOverride]):
    name = forms.ChoiceField(choices=list_threshold_choices, help_text="The default value is in brackets.")

    class Meta:
        model = ThresholdOverride
        fields = ["provider", "tier", "name", "value", "reason"]


@admin.register(ThresholdOverride)
class ThresholdOverrideAdmin(admin.ModelAdmin[ThresholdOverride]):
    """This studio's own thresholds. A threshold is the measured value from which VoiceHub reports a finding."""

    form = ThresholdForm
    list_display = ["name", "value", "default_value", "provider", "tier", "reason"]
    list_filter = ["provider", "tier", "name"]

    @admin.display(description="default value")
    def default_value(self, row: ThresholdOverride) -> str:
        known = THRESHOLD_INFO.get(row.name)
        return f"{known.default:g} {known.unit}" if known else "threshold no longer exists"
