"""Badges, labels and change tokens of accounts, remote voices and builds. All pages use them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone

from audio.datasets.concatenate import GAP_SECONDS
from consent.models import ConsentStatus
from consent.services.gate import BuildPermission
from providers import registry
from providers.parsing import parse_number
from providers.types import Encoding, Handover, Tier
from voicehub.models import User
from voicehub.status_marks import get_tone
from voicehub.text import format_count, format_duration
from voicehub.tokens import hash_token
from voicehub.viewer import can_viewer
from voices import access
from voices.models import Account, Build, BuildStatus, Preview, PreviewStatus, Recording, RemoteVoice
from voices.row_polls import RowState, make_list_token
from voices.services.builds.gaps import GapKind
from voices.services.builds.recheck import VoiceStates, find_hold
from voices.services.previews import DEFAULT_TEXT_CHARACTERS, find_reasons_against_preview, get_longest_preview
from voices.services.remote_state import VoiceState, find_remote_state
from voices.work_progress import WorkProgress


@dataclass(frozen=True, slots=True)
class StatusBadge:
    severity: str
    label: str


# The fields of a voice in which a provider may say what its training cost.
CREDIT_FIELDS = ("creditsUsed", "credits_used", "credits")
SUSPENDED_BADGE = StatusBadge("wait", "Suspended")
OUTDATED_BADGE = StatusBadge("over", "Earlier result")
# What is said of a voice that the gate refuses, by the status of the consent of its build.
ENDED_LABELS = {ConsentStatus.WITHDRAWN: "Withdrawn", ConsentStatus.EXPIRED: "Ended"}
# What a build needs of a consent that is not in force yet.
CONSENT_GAPS = {ConsentStatus.SUBMITTED: "Consent to review", ConsentStatus.REQUESTED: "Waiting for consent"}
GAP_TONES = {CONSENT_GAPS[ConsentStatus.SUBMITTED]: "new"}  # as the consent itself has it
READY_BADGE, DOUBTS_BADGE = ("good", "Ready to build"), ("wait", "Ready, with doubts")
STATE_BADGES = {
    VoiceState.DELETED: StatusBadge("over", "Deleted"),
    VoiceState.ON_HOLD: StatusBadge("over", "Legal hold"),
    VoiceState.TO_DELETE: StatusBadge("wait", "To delete"),
    VoiceState.BEING_DELETED: StatusBadge("busy", "Being deleted"),
    VoiceState.BUILDING: StatusBadge("busy", "In progress"),
    VoiceState.NOT_CREATED: StatusBadge("over", "Not created"),
    VoiceState.TRAINING: StatusBadge("busy", "Training"),
    VoiceState.USABLE: StatusBadge("good", "Ready"),
    VoiceState.UNKNOWN: StatusBadge("wait", "Not known"),
    VoiceState.UNUSABLE: StatusBadge("bad", "Not usable"),
    VoiceState.UNTRAINED: StatusBadge("over", "Not usable"),
}


def make_account_badge(account: Account) -> StatusBadge:
    if account.paused_at:
        return StatusBadge("wait" if account.paused_by_id else "bad", "Paused")
    if account.last_error:
        return StatusBadge("bad", "Not working")
    return StatusBadge("good", "Working") if account.checked_at else StatusBadge("over", "Not tested")


def make_remote_badge(remote: RemoteVoice, *, is_held: bool = False) -> StatusBadge:
    """VoiceHub's label. Pages show the provider's status beside it. Needs prefetched builds (`query_remote_voices`)."""
    state = find_remote_state(remote)
    if state.is_usable and is_held:
        return SUSPENDED_BADGE
    if state.kind is VoiceState.BUILDING and state.active_build:
        return StatusBadge("busy", state.active_build.get_status_display())
    if state.kind is VoiceState.USABLE and remote.adopted_by_id:
        return StatusBadge("good", "Adopted")
    if state.kind is VoiceState.FAILED and state.last_training:
        return _make_status_badge(state.last_training)
    return STATE_BADGES[state.kind]


def make_voice_badge(build: Build, states: VoiceStates) -> StatusBadge | None:
    """What has become of the voice of a build since it ended. None if nothing has."""
    remote = build.remote_voice
    if remote.deleted_at:
        return StatusBadge("over", "Deleted" if remote.deletion_requested_at else "Gone")
    if remote.deletion_requested_at:
        return _make_deletion_badge(remote)
    if remote.pk in states.held:
        return SUSPENDED_BADGE
    if remote.pk not in states.refused:
        return None
    label = ENDED_LABELS.get(ConsentStatus(build.consent.status), "Ended" if remote.coverage_ended_on else "")
    return StatusBadge("bad", label or "No longer allowed")


def make_build_badges(build: Build, states: VoiceStates, outdated: Collection[UUID] = ()) -> list[StatusBadge]:
    """The status of a build. If it is ready, what has become of its voice since.

    `outdated` are the ids of `find_outdated_builds`. A training build whose voice is held has both badges.
    """
    voice_badge = make_voice_badge(build, states)
    if build.status == BuildStatus.READY and voice_badge:
        return [voice_badge]
    if build.pk in outdated:
        return [OUTDATED_BADGE]
    badge = _make_status_badge(build)
    is_held = build.status == BuildStatus.TRAINING and build.remote_voice_id in states.held
    return [badge, voice_badge] if is_held and voice_badge else [badge]


def _make_status_badge(build: Build) -> StatusBadge:
    """The status of a build: the same word and color on its page, in lists, and on its voice at the provider."""
    return StatusBadge(get_tone(build.status), build.get_status_display())


def _make_deletion_badge(remote: RemoteVoice) -> StatusBadge:
    if remote.is_on_hold:
        return StatusBadge("over", "Legal hold")
    return StatusBadge("wait", "To delete") if remote.needs_manual_deletion else StatusBadge("busy", "Being deleted")


def get_remote_kind(remote: RemoteVoice) -> str:
    """The provider's name for this tier, such as "Clone". If the provider is unknown, VoiceHub's name."""
    capabilities = remote.find_capabilities()
    return capabilities.label if capabilities else remote.tier.capitalize()


ARCHIVE_LABELS = {
    Handover.SIGNED_PUT_TEXTS: "One archive (.tar.gz) with their transcripts",
    Handover.SIGNED_PUT_CLIPS: "One archive (.tar.gz) without transcripts",
}
ENCODING_LABELS = {Encoding.WAV: "WAV", Encoding.MP3: "MP3"}


def describe_handover(build: Build, count: int, seconds: float) -> str:
    """“One MP3 of 41 s, made of these 4 recordings.” `seconds` is the duration of all recordings together."""
    handover, recordings = Handover(build.handover), format_count(count, "recording", "recordings")
    if handover in ARCHIVE_LABELS:
        return f"{ARCHIVE_LABELS[handover]}, made of these {recordings}."
    if handover == Handover.DATASET_URL and build.remote_voice.tier != Tier.RAPID:
        return f"One archive (.zip) with their transcripts, made of these {recordings}."
    if handover in (Handover.ONE_FILE, Handover.SIGNED_PUT_WAV, Handover.DATASET_URL):
        seconds_with_silences = seconds + GAP_SECONDS * max(0, count - 1)
        encoding = ENCODING_LABELS[_get_encoding(build)] if handover == Handover.ONE_FILE else "WAV"
        length = format_duration(seconds_with_silences)
        return f"One {encoding} of {length}, made of these {recordings} with short silences between them."
    return f"{recordings.capitalize()}, one by one, each as the WAV that plays here."


def _get_encoding(build: Build) -> Encoding:
    """The encoding that the provider accepts. WAV if the provider is unknown."""
    capabilities = build.remote_voice.find_capabilities()
    return capabilities.encoding if capabilities else Encoding.WAV


# Addresses relative to the Recordings tab of the voice.
FIX_LINKS = {
    GapKind.RECORDINGS: ("#upload", "Add recordings", "voices.add_recording"),
    GapKind.CLIP_LENGTH: ("?show=usable&sort=shortest#recordings", "Show recordings", ""),
    GapKind.TOO_LONG: ("?show=usable&sort=longest#recordings", "Show recordings", ""),
    GapKind.TRANSCRIPTS: ("?show=no_transcript#recordings", "Add transcripts", "voices.change_recording"),
    GapKind.SHORTER_TRANSCRIPTS: ("?show=usable#recordings", "Show recordings", ""),
    GapKind.TRAINED_LENGTH: ("?show=usable&sort=longest#recordings", "Show recordings", ""),
    GapKind.LANGUAGE: ("", "", ""),  # no fix on this page
    GapKind.OFFLINE_PROOF: ("offline-proof/", "Open the proof", "voices.view_offlineproof"),
    GapKind.UNCHECKED: ("#recordings", "Show recordings", ""),
    GapKind.CHECK_STOPPED: ("readiness/", "Check again", "voices.change_recording"),
}


def compute_change_token(build: Build, progress: WorkProgress | None) -> str:
    """Changes when a page would show something else about an active build. Relative times change every minute."""
    minute = int(timezone.now().timestamp() // 60)
    sent = (build.pk, build.status, progress)
    observed = (build.lookup_attempts, build.raw_status, build.has_unknown_status, build.remote_voice.account.paused_at)
    return hash_token(repr((*sent, *observed, minute)))


def describe_bill(build: Build) -> str:
    """What a withdrawn build cost, as far as the provider said so."""
    if build.submitted_at is None:
        return "Nothing was sent, so the provider charges nothing for it."
    label, credits = registry.get_provider_label(build.remote_voice.account.provider), find_credits(build.raw_response)
    if credits is not None and not can_viewer(access.VIEW_SPEND):
        return f"{label} reports what it cost."
    if credits is not None:
        return f"{label} reports that it cost {credits:g} credits."
    capabilities = build.remote_voice.find_capabilities()
    price = f" Its price: {capabilities.cost}." if capabilities else ""
    return f"{label} has not reported what it cost.{price}"


def find_credits(response: Mapping[str, Any]) -> float | None:
    """The credits that a stored response names. None if it names none."""
    return next((parse_number(response[name]) for name in CREDIT_FIELDS if name in response), None)


def is_playable(recording: Recording) -> bool:
    """Whether pages can play the recording. It has levels if its audio was read, even if it is too long for use."""
    return recording.is_usable or bool(recording.levels)


def tier_label(build: Build) -> str:
    """The provider's name for the tier of a build, such as "Rapid". If the provider is unknown, VoiceHub's name."""
    return get_remote_kind(build.remote_voice)


def build_name(build: Build) -> str:
    """Provider and tier, such as "Resemble AI, rapid". The tier is omitted if the provider has only one tier."""
    return make_target_name(build.remote_voice.account.provider, tier_label(build))


def make_target_name(provider: str, label: str) -> str:
    """As `build_name`, for a provider and the label of one of its tiers."""
    has_one_tier = provider in registry.PROVIDERS and len(registry.get_provider_class(provider).tiers) == 1
    name = registry.get_provider_label(provider)
    return name if has_one_tier else f"{name}, {label.lower()}"


def make_option_key(account: Account, tier: Tier) -> str:
    """The suffix of the ids of the HTML elements that belong to one account and tier on the page of a voice."""
    return f"{account.pk}-{tier}"


MAX_PREVIEWS = 50
MAX_SHOWN_PREVIEWS = 3  # the others are in folds


@dataclass(frozen=True, slots=True)
class PreviewList:
    """The previews of a voice, newest first, and the reasons why it cannot make another preview now.

    `hold` says why none of them can be played while the voice is held. `is_closed` is True after a withdrawal, for
    users who may no longer open them. `longest` is the most characters of a text to speak.
    """

    rows: Sequence[Preview]
    reasons: Sequence[str]
    hold: str = ""
    is_closed: bool = False
    longest: int = DEFAULT_TEXT_CHARACTERS

    @property
    def shown(self) -> Sequence[Preview]:
        return self._unfailed[:MAX_SHOWN_PREVIEWS]

    @property
    def older(self) -> Sequence[Preview]:
        return self._unfailed[MAX_SHOWN_PREVIEWS:]

    @property
    def _unfailed(self) -> list[Preview]:
        return [row for row in self.rows if row.status != PreviewStatus.FAILED]

    @property
    def failed(self) -> list[Preview]:
        return [row for row in self.rows if row.status == PreviewStatus.FAILED]

    @property
    def is_generating(self) -> bool:
        return any(row.status in (PreviewStatus.QUEUED, PreviewStatus.GENERATING) for row in self.rows)

    @property
    def change_token(self) -> str:
        return make_list_token(self.row_states)

    @property
    def row_states(self) -> list[RowState[Preview]]:
        return [RowState(row, row.pk, (row.status, self.hold)) for row in self.rows]


def load_preview_list(remote: RemoteVoice, user: User) -> PreviewList:
    rows = list(remote.previews.select_related("requested_by").order_by("-created_at", "pk")[:MAX_PREVIEWS])
    return PreviewList(
        rows,
        find_reasons_against_preview(remote)
        if remote.find_capabilities()
        else ["VoiceHub no longer supports this provider."],
        " ".join(find_hold(remote)),
        access.are_previews_closed(remote, user),
        get_longest_preview(remote),
    )


def list_term_obstacles(permission: BuildPermission) -> Iterable[str]:
    """What stops a build although a consent and a contract are on file, in a few words each."""
    if permission.suspended_consent:
        yield "the consent is suspended"
    elif permission.consent_to_fix:
        for reason in permission.consent_reasons:
            yield f"the {reason.partition('. ')[0].removeprefix('The ').rstrip('.')}"
    if permission.suspended_contract:
        yield "the contract is suspended"
    if permission.contract_to_confirm:
        yield "the terms of the contract are not confirmed"
    if permission.voice_reasons:
        yield "the contract does not cover the countries"
