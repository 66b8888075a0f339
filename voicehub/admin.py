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

# The roles are a table in the code (voicehub.roles); editing them here would last until the next migration.
admin.site.unregister(Group)


admin.site.register(User, StudioUserAdmin)
admin.site.unregister(Dashboard)
admin.site.register(Dashboard, QueueAdmin)


@admin.register(Task)
class TaskAdmin(ReadOnlyAdmin):
    """The work of the house: what waits, what is under way, what was given up and why."""

    list_display = ["kind", "object_id", "status", "due_at", "attempts", "is_running", "reason", "created_at"]
    list_filter = ["status", "kind"]
    search_fields = ["object_id", "reason"]
    date_hierarchy = "created_at"
    actions = ["retry_tasks"]

    @admin.display(boolean=True, description="under way")
    def is_running(self, task: Task) -> bool:
        return task.lease is not None

    @admin.action(description="Try again what was given up", permissions=["view"])
    def retry_tasks(self, request: HttpRequest, tasks: QuerySet[Task]) -> None:
        if not request.user.is_superuser and not request.user.has_perm("voicehub.change_task"):
            self.message_user(request, "Your role may not start work again.", messages.ERROR)
            return
        done = sum(outbox.retry_task(task) for task in tasks)
        self.message_user(request, f"{done} of {len(tasks)} will be tried again.", messages.SUCCESS)


def list_threshold_choices() -> list[tuple[str, str]]:
    """Every threshold by its name, with its unit and what it is without anybody's change."""
    return [(name, f"{name} ({one.default:g} {one.unit})") for name, one in THRESHOLD_INFO.items()]


class ThresholdForm(forms.ModelForm[ThresholdOverride]):
    name = forms.ChoiceField(choices=list_threshold_choices, help_text="In brackets what holds without a change.")

    class Meta:
        model = ThresholdOverride
        fields = ["provider", "tier", "name", "value", "reason"]


@admin.register(ThresholdOverride)
class ThresholdOverrideAdmin(admin.ModelAdmin[ThresholdOverride]):
    """From where on a measured value becomes a finding, where this studio wants it otherwise."""

    form = ThresholdForm
    list_display = ["name", "value", "default_value", "provider", "tier", "reason"]
    list_filter = ["provider", "tier", "name"]

    @admin.display(description="usual value")
    def default_value(self, row: ThresholdOverride) -> str:
        known = THRESHOLD_INFO.get(row.name)
        return f"{known.default:g} {known.unit}" if known else "no such threshold any more"
