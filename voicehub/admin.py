from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django_rq.models import Dashboard

from audio.findings.thresholds import THRESHOLD_INFO
from providers import registry
from providers.types import Tier
from voicehub import outbox
from voicehub.admin_base.actions import run_on_rows
from voicehub.admin_base.formats import make_label
from voicehub.admin_base.groups import STAFF, WORK
from voicehub.admin_base.rows import ReadOnlyAdmin, StudioAdmin
from voicehub.admin_base.versions import VersionedForm
from voicehub.models import Task, ThresholdOverride, User
from voicehub.queue_admin import QueueAdmin
from voicehub.refusals import ActionRefused
from voicehub.text import format_minus
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
    list_display = ["kind", "status", "reason", "attempts", "due_at", "created_at", "seen_by"]
    short_columns = ("reason", "created_at")
    list_filter = ["status", "kind", "created_at"]
    list_select_related = ["seen_by"]
    search_fields = ["object_id", "reason"]
    actions = ["retry_tasks", "mark_seen"]
    action_permission = "voicehub.change_task"

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
    return [
        (name, f"{make_label(name)} (default {format_minus(f'{threshold.default:g}')} {threshold.unit})")
        for name, threshold in THRESHOLD_INFO.items()
    ]


def list_providers() -> list[tuple[str, str]]:
    return [("", "Every provider"), *registry.list_provider_choices()]


def list_tiers() -> list[tuple[str, str]]:
    return [("", "Every tier"), *((tier.value, tier.value.title()) for tier in Tier)]


class ThresholdForm(VersionedForm):
    provider = forms.ChoiceField(choices=list_providers, required=False)
    tier = forms.ChoiceField(choices=list_tiers, required=False)
    name = forms.ChoiceField(choices=list_threshold_choices, label="Threshold")

    class Meta:
        model = ThresholdOverride
        fields = ["provider", "tier", "name", "value", "reason"]


@admin.register(ThresholdOverride)
class ThresholdOverrideAdmin(StudioAdmin):
    """This studio's own thresholds. A threshold is the measured value from which VoiceHub reports a finding."""

    group = STAFF
    purpose = "Measured values from which this studio gets a finding"
    empty_text = "A threshold is the measured value from which a recording gets a finding. The defaults apply."
    formats = {"name": make_label}
    short_columns = ("value", "provider")
    form = ThresholdForm
    list_display = ["name", "value", "default_value", "provider", "tier", "reason"]
    list_filter = ["provider", "tier", "name"]

    @admin.display(description="default value")
    def default_value(self, row: ThresholdOverride) -> str:
        known = THRESHOLD_INFO.get(row.name)
        return f"{known.default:g} {known.unit}" if known else "threshold no longer exists"
