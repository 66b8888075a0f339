"""Tags and filters for builds, scores, the provider's flags, and the voices of a talent."""

import re
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from consent.models import Consent, ConsentStatus, Talent
from consent.models.consent import APPROVED_STATUSES
from consent.presenters import find_contract_fix
from consent.services.gate import BuildPermission
from providers import registry
from voicehub.lists.pages import load_part
from voicehub.text import format_decimals, format_time, split_sentences
from voicehub.wave_paths import make_wave_digits
from voices import access, presenters
from voices.build_results.marks import list_found
from voices.build_results.trends import load_trends
from voices.lists.voices import load_voice_badges
from voices.models import Build, BuildStatus, OfflineProof, Preview, RemoteVoice, Voice
from voices.presenters import (
    PreviewList,
    build_name,
    load_preview_list,
    tier_label,
)
from voices.recording_rows import SOUND_BARS
from voices.services.builds.offline_proof import provider_requires_proof
from voices.services.builds.recheck import VoiceStates
from voices.services.builds.spec import shorten_clip_names
from voices.work_progress import WorkProgress, WorkResult, make_build_result

register = template.Library()

ABILITY_LABELS = {
    "text_to_speech": "speech from text",
    "fill": "filling gaps in speech",
    "voice_conversion": "speech from another voice",
    "speech_to_speech": "speech from another voice",
}
READY_STATUSES = ("ready", "finished")


@register.filter
def unready_abilities(remote: RemoteVoice) -> str:
    """The abilities of a voice that its provider does not report as ready: “Speech from text, filling gaps in speech”.

    An ability that VoiceHub does not know is among the technical details only.
    """
    unready = (name for name, status in remote.components.items() if status.lower() not in READY_STATUSES)
    return ", ".join(ABILITY_LABELS[name] for name in unready if name in ABILITY_LABELS).capitalize()


@register.filter
def expected_end(build: Build) -> str:
    """When the provider expects the training to end: “Expected at 14:32.”"""
    if build.status != BuildStatus.TRAINING or build.expected_at is None:
        return ""
    end, now = timezone.localtime(build.expected_at), timezone.localtime()
    day = "" if end.date() == now.date() else f"on {date_format(end, 'F j')} "
    return f"{'Expected' if end > now else 'It was expected'} {day}at {date_format(end, 'H:i')}."


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
register.filter(shorten_clip_names)
register.filter(split_sentences)


@register.filter
def describe_build(build: Build) -> str:
    """A build as one line of a list: "Resemble AI, rapid, November 3, 2025, 14:02: ready"."""
    return f"{build_name(build)}, {format_time(build.created_at)}: {build.get_status_display().lower()}"


@register.filter
def find_progress(progress_by_id: Mapping[UUID, WorkProgress], row: Build | RemoteVoice) -> WorkProgress | None:
    return progress_by_id.get(row.pk)


@register.filter
def find_by_id(rows: Mapping[UUID, Any], key: UUID) -> Any:
    return rows.get(key)


@register.filter
def sound_bars(preview: Preview) -> str:
    """The waveform of a preview: one digit for each bar."""
    return make_wave_digits(preview.peaks, SOUND_BARS)


@register.filter
def build_result(build: Build) -> WorkResult:
    return make_build_result(build)


@register.filter
def elapsed_seconds(build: Build) -> float | None:
    """Seconds from the start of a build to its end. None while the build is active."""
    return (build.finished_at - build.created_at).total_seconds() if build.finished_at else None


@register.filter
def format_kilohertz(rate: int) -> str:
    """44100 → "44.1 kHz", 16000 → "16 kHz"."""
    return f"{rate / 1000:g} kHz"


@register.filter
def convert_to_percent(share: float) -> int:
    """Convert a share of 0 to 1 to percent, for a <progress max="100">. Values outside 0 to 1 are clamped."""
    return round(max(0.0, min(1.0, share)) * 100)


register.filter(list_found)
register.filter(format_decimals)


@register.inclusion_tag("voices/_voice_trends.html")
def voice_trends(voice: Voice) -> dict[str, Any]:
    """Charts of the scores of a voice over its builds. The head of the page needs "studio/chart_scripts.html"."""
    return {"charts": load_trends(voice)}


@register.inclusion_tag("voices/_talent_voices.html", takes_context=True)
def talent_voices(context: template.Context, talent: Talent) -> dict[str, Any]:
    """The voices of a talent, for the talent's page. Each has its number of usable recordings and of builds."""
    voices = load_part(context["request"], access.query_counted_voices(talent), "voices")
    may_see_builds = context["request"].user.has_perm("voices.view_build")
    badges = load_voice_badges([voice.pk for voice in voices]) if may_see_builds else {}
    rows = [(voice, badges.get(voice.pk, "")) for voice in voices]
    shared = {name: context[name] for name in ("perms", "request")}
    return {"talent": talent, "voices": voices, "rows": rows, **shared}


@register.inclusion_tag("voices/_offline_proof_link.html")
def offline_proof_link(consent: Consent) -> dict[str, Any]:
    """The newest proof that was mailed for this consent, for the consent's page."""
    return {"consent": consent, "proof": access.query_offline_proofs(consent).first()}


@register.filter
def wants_offline_proof(consent: Consent) -> bool:
    """Whether the provider of this consent wants a proof by mail, and a proof can be or was recorded."""
    return provider_requires_proof(consent.provider) and (
        consent.status in (*APPROVED_STATUSES, ConsentStatus.WITHDRAWN) or consent.offline_proofs.exists()
    )


@register.simple_tag
def find_offline_proof(remote: RemoteVoice) -> OfflineProof | None:
    """The newest proof that was mailed to the account of this voice for its talent and purpose."""
    if remote.voice is None:
        return None
    subject = {"consent__talent": remote.voice.talent_id, "consent__purpose": remote.voice.purpose}
    return OfflineProof.objects.filter(account=remote.account_id, **subject).first()


register.filter("account_badge", presenters.make_account_badge)
register.filter("remote_kind", presenters.get_remote_kind)


@register.simple_tag
def remote_badge(remote: RemoteVoice, held: Collection[UUID] = ()) -> presenters.StatusBadge:
    return presenters.make_remote_badge(remote, is_held=remote.pk in held)


@register.simple_tag
def build_badge(
    build: Build, states: VoiceStates | Collection[UUID] = (), outdated: Collection[UUID] = ()
) -> SafeString:
    """The badges of a build, see `presenters.make_build_badges`. `states` may be the held voices only."""
    known = states if isinstance(states, VoiceStates) else VoiceStates(dict.fromkeys(states, ()))
    badges = presenters.make_build_badges(build, known, outdated)
    spans = ((badge.severity, badge.label) for badge in badges)
    return format_html_join(" ", '<span class="state state-{}">{}</span>', spans)


@register.simple_tag(takes_context=True)
def get_preview_list(context: template.Context, remote: RemoteVoice) -> PreviewList:
    return load_preview_list(remote, context["request"].user)


BAR_WIDTH = 192


@register.filter
def small_units(amount: str) -> SafeString:
    """“16 h 45 min”, with each unit in smaller type."""
    parts = re.split(r"([a-z]+)", amount)
    return format_html_join(
        "", "{}", ((format_html("<small>{}</small>", one) if one.isalpha() else one,) for one in parts)
    )


@register.simple_tag
def speech_bar(there: float, needed: float) -> SafeString:
    """A bar of what is there, with a mark at what is needed. The words beside it say both."""
    most = max(there, needed * 1.15) or 1
    return format_html(
        '<svg class="need-bar{met}" viewBox="0 0 {width} 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" y="2" width="{width}" height="6" rx="3"/>'
        '<rect class="fill" y="2" width="{fill}" height="6" rx="3"/>'
        '<rect class="mark" x="{mark}" width="2" height="10"/></svg>',
        met=" is-met" if there >= needed else "",
        width=BAR_WIDTH,
        fill=round(BAR_WIDTH * there / most, 1),
        mark=round(min(BAR_WIDTH - 2, BAR_WIDTH * needed / most), 1),
    )
