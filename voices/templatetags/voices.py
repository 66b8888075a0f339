"""Tags and filters for builds, scores, the provider's flags, and the voices of a talent."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django import template
from django.db.models import Count, Q
from django.utils.html import format_html
from django.utils.safestring import SafeString

from consent.models import Talent
from consent.presenters import find_contract_fix
from consent.services.gate import BuildPermission
from providers import registry
from voicehub.templatetags.studio import status_badge
from voicehub.text import format_time
from voices import access, presenters
from voices.models import Build, BuildRecording, BuildStatus, RecordingStatus, RemoteVoice, Voice
from voices.presenters import (
    SUSPENDED_BADGE,
    PreviewList,
    build_name,
    load_preview_list,
    tier_label,
)
from voices.services.builds.recheck import HOLDABLE_STATUSES, find_held_voices

register = template.Library()

OUTDATED_LABEL = "Earlier result"
STATUS_TEXTS = {
    BuildStatus.QUEUED: "Queued; will be sent within seconds.",
    BuildStatus.SUBMITTING: "Sending",
    BuildStatus.UNCONFIRMED: "The provider's response was lost. Checking whether the build arrived.",
    BuildStatus.TRAINING: "The provider is training the voice.",
}


@register.filter
def provider_label(slug: str) -> str:
    return registry.get_provider_label(slug)


@register.simple_tag
def contract_fix(voice: Voice, permission: BuildPermission) -> SafeString:
    """The link to the page on which a person can remove the gate's reasons against the contract."""
    label, url = find_contract_fix(voice.talent, permission)
    return format_html('<a href="{}">{}</a>', url, label)


register.filter(tier_label)

register.filter(build_name)


@register.filter
def describe_build(build: Build) -> str:
    """A build as one line of a list: "Resemble AI, rapid, 3 November 2025, 14:02: ready"."""
    return f"{build_name(build)}, {format_time(build.created_at)}: {build.get_status_display().lower()}"


@register.filter
def describe_progress(build: Build) -> str:
    """What a build does now: "Sending 14 of 20 recordings"."""
    account = build.remote_voice.account
    if account.paused_at:
        return f"Waiting: the account {account.name} is paused."
    if (
        build.status == BuildStatus.SUBMITTING
        and build.progress_message.startswith("Sending recordings")
        and build.progress_total
    ):
        return f"Sending {build.progress_done} of {build.progress_total} recordings"
    if build.has_unknown_provider_status:
        return "Unknown status. Check the provider's website, then answer here."
    message = build.progress_message if build.status in (BuildStatus.QUEUED, BuildStatus.SUBMITTING) else ""
    return message or STATUS_TEXTS.get(BuildStatus(build.status), "")


@register.filter
def elapsed_seconds(build: Build) -> float | None:
    """Seconds from the start of a build to its end. None while the build is active."""
    return (build.finished_at - build.created_at).total_seconds() if build.finished_at else None


@register.filter
def format_decimals(value: float | None, places: int = 2) -> str:
    """0.8712 → "0.87", -3.5 → "−3.50" with a true minus sign, None → "–"."""
    return "–" if value is None else f"{value:z.{places}f}".replace("-", "−")


@register.filter
def format_kilohertz(rate: int) -> str:
    """44100 → "44.1 kHz", 16000 → "16 kHz"."""
    return f"{rate / 1000:g} kHz"


@register.filter
def convert_to_percent(share: float) -> int:
    """Convert a share of 0 to 1 to percent, for a <progress max="100">. Values outside 0 to 1 are clamped."""
    return round(max(0.0, min(1.0, share)) * 100)


@register.filter
def provider_flags(row: BuildRecording) -> list[tuple[str, str]]:
    """The provider's marks on a recording, as (severity, label); the worst first."""
    flags = []
    if row.is_silent:
        flags.append(("bad", "Silent"))
    if row.is_outlier:
        flags.append(("wait", "Another speaker or sound"))
    if row.is_active is False or row.discard_reason:
        flags.append(("over", "Not used"))
    return flags


@register.inclusion_tag("voices/_talent_voices.html", takes_context=True)
def talent_voices(context: template.Context, talent: Talent) -> dict[str, Any]:
    """The voices of a talent, for the talent's page. Each has its number of usable recordings and of builds."""
    usable = Q(recordings__status=RecordingStatus.ACCEPTED, recordings__active=True)
    voices = talent.voices.annotate(
        usable=Count("recordings", filter=usable, distinct=True), built=Count("builds", distinct=True)
    ).order_by("name")
    return {"talent": talent, "voices": voices, "perms": context["perms"]}


register.filter("account_badge", presenters.make_account_badge)
register.filter("remote_kind", presenters.get_remote_kind)


@register.simple_tag
def list_remote_voices(voice: Voice) -> Sequence[RemoteVoice]:
    """The remote voices of a voice, newest first. One without an id is left out, unless it is retired."""
    return list(access.query_remote_voices().filter(voice=voice).exclude(remote_id="", retired_at=None)[:50])


@register.simple_tag
def find_held(remotes: Sequence[RemoteVoice]) -> frozenset[UUID]:
    """The ids of the remote voices whose consent or contract is suspended."""
    return find_held_voices(remotes)


@register.simple_tag
def remote_badge(remote: RemoteVoice, held: Collection[UUID] = ()) -> presenters.StatusBadge:
    return presenters.make_remote_badge(remote, is_held=remote.pk in held)


@register.simple_tag
def build_badge(build: Build, held: Collection[UUID] = (), outdated: Collection[UUID] = ()) -> SafeString:
    """The status of a build. A ready build is held, and a training build also, if its remote voice is held.

    `outdated` are the ids of the builds of `find_outdated_builds`.
    """
    if build.pk in outdated:
        return format_html('<span class="state state-over">{}</span>', OUTDATED_LABEL)
    is_held = build.remote_voice_id in held and build.status in HOLDABLE_STATUSES
    badge = format_html('<span class="state state-{}">{}</span>', SUSPENDED_BADGE.severity, SUSPENDED_BADGE.label)
    if is_held and build.status == BuildStatus.READY:
        return badge
    return format_html("{} {}", status_badge(build), badge) if is_held else status_badge(build)


@register.simple_tag(takes_context=True)
def get_preview_list(context: template.Context, remote: RemoteVoice) -> PreviewList:
    return load_preview_list(remote, context["request"].user)
