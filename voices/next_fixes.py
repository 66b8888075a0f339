"""What stops a build, in a few words, and the place where a person removes it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse

from consent.models import Consent, ConsentStatus
from consent.names import READ_CONTRACT
from consent.presenters import find_contract_fix, make_contract_url
from consent.request_actions import RESUME_CONTRACT, find_action
from consent.services.gate import BuildPermission
from providers import registry
from providers.types import Handover
from voicehub.models import User
from voicehub.text import join_with_and
from voices.build_option import BuildOption
from voices.build_options import make_consent_url
from voices.models import Account, Build, BuildRecording, BuildStatus, Voice
from voices.models.build import MARKED
from voices.presenters import DOUBTS_BADGE, FIX_LINKS, GAP_TONES, READY_BADGE, make_option_key, make_target_name
from voices.services.builds.gaps import Gap, GapKind
from voices.services.builds.nearest import GateStep, Rank, Target, find_gate_step
from voices.services.builds.readiness import Readiness

START = "voices.start_build"
ANSWER = "voices.start_build"
# Where the contract comes before the consent, it is what is missing.
FIX_STATUSES = {"Add contract": "Contract missing", "Confirm terms": "Terms to confirm"}

# What a voice whose last build was refused needs before the next one.
REBUILD_STATUSES = {"Fix recordings": "Recordings to fix"}

# What stops a build, in a few words.
GATE_LABELS = {
    GateStep.CONTRACT_OR_VOICE: "Contract does not allow it",
    GateStep.REVIEW: "Consent to review",
    GateStep.ANSWER: "Waiting for consent",
    GateStep.REQUEST: "Consent missing",
    GateStep.REQUEST_AFTER_REFUSAL: "Consent ended",
}
GAP_LABELS = {
    GapKind.RECORDINGS: "Recordings missing",
    GapKind.CLIP_LENGTH: "Recordings too short",
    GapKind.TOO_LONG: "Recordings too long",
    GapKind.SHORTER_TRANSCRIPTS: "Transcripts too long",
    GapKind.TRAINED_LENGTH: "Recordings too long",
    GapKind.LANGUAGE: "Language not supported",
    GapKind.TRANSCRIPTS: "Transcripts missing",
    GapKind.OFFLINE_PROOF: "Proof of consent missing",
    GapKind.UNCHECKED: "Being checked",
    GapKind.CHECK_STOPPED: "Check stopped",
}


class Fix(NamedTuple):
    """The link to the place where a step is done, its label, and the permission to do it."""

    url: str
    action: str
    permission: str = ""

    def is_allowed_for(self, user: User) -> bool:
        return not self.permission or user.has_perm(self.permission)


class TargetStep(NamedTuple):
    """How near a voice is to a build: its tone and state, the reasons, and where the first of them is removed."""

    severity: str
    status: str
    reasons: tuple[str, ...]
    fix: Fix


def find_gate_fix(voice: Voice, provider: str, permission: BuildPermission, statements: Sequence[str] = ()) -> Fix:
    """The place where a reason of the gate is removed. `statements` are those that a request for consent can choose.

    Without a contract for the purpose, the contract comes before a first request, as on the page of the talent.
    """
    consent, has_contract = permission.suspended_consent or permission.newest_consent, permission.allowed_providers
    if permission.consent_reasons and consent:
        return _find_consent_fix(consent)
    if permission.consent_reasons and has_contract is not None:
        return Fix(make_consent_url(voice, provider, statements), "Request consent", "consent.add_consent")
    if permission.suspended_contract:
        return Fix(f"{permission.suspended_contract.get_absolute_url()}#status", RESUME_CONTRACT, READ_CONTRACT)
    if permission.contract_reasons:
        label, url = find_contract_fix(voice.talent, permission, provider=provider, purpose=voice.purpose)
        return Fix(url, label, "consent.add_contract")
    return Fix(reverse("voices:voice_edit", args=[voice.pk]), "Change countries", "voices.change_voice")


def _find_consent_fix(consent: Consent) -> Fix:
    """As in the list of consents. One that the talent ended, or that does not allow this build, is looked at first."""
    if action := find_action(consent):
        return Fix(*action)
    label = "Check consent" if consent.status == ConsentStatus.APPROVED else "See answer"
    return Fix(consent.get_absolute_url(), label, "consent.view_consent")


def describe_target(voice: Voice, target: Target, statements: Sequence[str]) -> TargetStep:
    """Today, the list of voices and the list of talents say the same of a voice."""
    name, rank, status = name_target(target), target.distance.rank, _make_status(target)
    if not target.is_allowed:
        return TargetStep("wait", status, _explain_no_provider(target), _find_provider_fix(voice, target))
    if rank.is_ready:
        key = make_option_key(target.account, target.state.capabilities.tier)
        url = f"{voice.get_readiness_url()}?option={key}#option-{key}"
        fix = Fix(url, "Start build", START)
        if target.has_doubts:
            return TargetStep(*DOUBTS_BADGE, (f"Ready at {name}, but some recordings would probably fail.",), fix)
        return TargetStep(*READY_BADGE, (f"Ready to build at {name}: nothing is missing.",), fix)
    if rank is Rank.BUILDING:
        return TargetStep("busy", status, (f"A build at {name} is in progress.",), Fix("", ""))
    if rank is Rank.PAUSED:
        reason = f"The account {target.account.name} is paused. {target.account.pause_reason}".strip()
        return TargetStep("wait", status, (reason,), make_pause_fix(target.account))
    fix = _find_fix(voice, target, statements)
    status = FIX_STATUSES.get(fix.action, status)
    reasons = target.state.permission.reasons + target.state.blockers + (target.shortfall,) * bool(target.shortfall)
    if target.state.permission.is_given and {gap.kind for gap in target.state.gaps} == {GapKind.UNCHECKED}:
        return TargetStep("busy", status, reasons, fix)
    return TargetStep(GAP_TONES.get(status, "wait"), status, reasons, fix)


def _make_status(target: Target) -> str:
    """Whether a build can start at the target, or the first reason against it in a few words."""
    state, rank = target.state, target.distance.rank
    if not target.is_allowed:
        return "No allowed provider"
    if rank.is_ready:
        return (DOUBTS_BADGE if target.has_doubts else READY_BADGE)[1]
    if rank is Rank.BUILDING:
        return "In progress"
    if rank is Rank.PAUSED:
        return "Account paused"
    if not state.permission.is_given:
        return GATE_LABELS[find_gate_step(state.permission)]
    first = state.gaps[0] if state.gaps else None
    if first and first.subject:
        return f"{first.subject.capitalize()} missing"
    return GAP_LABELS[first.kind if first else GapKind.RECORDINGS]


def name_target(target: Target) -> str:
    return make_target_name(target.account.provider, target.state.capabilities.label)


def _explain_no_provider(target: Target) -> tuple[str, ...]:
    labels = sorted(map(registry.get_provider_label, target.state.permission.allowed_providers or ()))
    allowed = f"It allows only {join_with_and(labels)}. " if labels else ""
    return (
        "The contract does not allow any provider at which the studio has an account.",
        f"{allowed}Add an account there, or a contract that allows another provider.",
    )


def _find_provider_fix(voice: Voice, target: Target) -> Fix:
    """Another account, if VoiceHub supports a provider that the contract allows. If not, another contract."""
    supported = sorted((target.state.permission.allowed_providers or frozenset()) & registry.PROVIDERS.keys())
    if supported:
        query = urlencode({"provider": supported[0]})
        return Fix(f"{reverse('voices:account_add')}?{query}", "Add account", "voices.add_account")
    url = make_contract_url(voice.talent_id, target.account.provider, voice.purpose)
    return Fix(url, "Add contract", "consent.add_contract")


def _find_fix(voice: Voice, target: Target, statements: Sequence[str]) -> Fix:
    """The page where the first missing item is added."""
    permission, gaps = target.state.permission, target.state.gaps
    if not permission.is_given:
        return find_gate_fix(voice, target.account.provider, permission, statements)
    if not gaps:
        return Fix(f"{voice.get_absolute_url()}?show=look#recordings", "Show recordings")
    anchor, _label, needed = FIX_LINKS[gaps[0].kind]
    return Fix(voice.get_absolute_url() + anchor, name_fix(gaps[0]) or "Open voice", needed)


def name_fix(gap: Gap) -> str:
    """“Add 4 transcripts”, or empty if there is no page where the gap is fixed."""
    is_counted = gap.kind is GapKind.TRANSCRIPTS and gap.subject
    return f"Add {gap.subject}" if is_counted else FIX_LINKS[gap.kind][1]


def find_rebuild_fix(build: Build, state: Readiness, user: User) -> Fix | None:
    """The first step that this user can do towards the same build again."""
    if not state.permission.is_given:
        fix = find_gate_fix(build.voice, build.remote_voice.account.provider, state.permission)
        return fix if fix.is_allowed_for(user) else None
    for gap in state.gaps_by_handover.get(Handover(build.handover), ()):
        anchor, _label, needed = FIX_LINKS[gap.kind]
        fix = Fix(build.voice.get_absolute_url() + anchor, name_fix(gap), needed)
        if fix.action and fix.is_allowed_for(user):
            return fix
    return None


def make_pause_fix(account: Account) -> Fix:
    """Where a paused account goes on: resumed by a person, or with a working key."""
    page = reverse("voices:account", args=[account.pk])
    if account.paused_by_id:
        return Fix(f"{page}#paused", "Resume account", "voices.change_account")
    return Fix(f"{page}#new-key", "Enter a new key", "voices.change_account")


def find_option_fix(option: BuildOption, user: User) -> Fix | None:
    """The first step at an account and tier that this user can do."""
    permission, newest = option.readiness.permission, option.newest_consent
    if option.wants_consent_request and user.has_perm("consent.add_consent"):
        return Fix(option.consent_url, "Request consent")
    if option.rank is Rank.PAUSED:
        pause = make_pause_fix(option.account)
        return pause if pause.is_allowed_for(user) else None
    if option.is_ready:
        url = f"?option={option.key}#option-{option.key}"
        return Fix(url, "Start build") if user.has_perm(START) else None
    if permission.consent_reasons and newest and user.has_perm("consent.view_consent"):
        return _find_consent_fix(newest)
    first = next(iter(option.missing_items), None)
    if first is None or first.is_action or not permission.is_given or option.readiness.active_build:
        return None
    fix = Fix(first.url, first.link_text, first.permission)
    return fix if fix.action and fix.is_allowed_for(user) else None


def is_last_step(option: BuildOption) -> bool:
    """Whether only one thing stops the build at this account and tier."""
    count = len(option.readiness.permission.reasons) + len(option.missing_items)
    return option.rank is Rank.INCOMPLETE and count == 1


def find_build_fix(build: Build, *, has_flags: bool) -> Fix:
    """The place where staff do what this build needs next."""
    page = build.get_absolute_url()
    if build.is_active:
        anchor = "unknown-status" if build.has_unknown_provider_status else "unconfirmed"
        return Fix(f"{page}#{anchor}", "Answer", ANSWER)
    if build.status == BuildStatus.CONSENT_REJECTED:
        return Fix(reverse("consent:consent", args=[build.consent_id]), "Check consent", "consent.view_consent")
    if build.status == BuildStatus.DATASET_ISSUE and has_flags:
        url = f"{build.voice.get_absolute_url()}?show=flagged#recordings"
        return Fix(url, "Fix recordings", "voices.change_recording")
    if build.status == BuildStatus.DATASET_ISSUE:
        return Fix(f"{page}#report", "Read report")
    return Fix(page, "Build again", START)


def query_unclear_builds() -> Q:
    """Builds that need an answer of staff."""
    return Q(status=BuildStatus.UNCONFIRMED) | Q(status=BuildStatus.TRAINING, has_unknown_status=True)


def load_build_fixes(builds: QuerySet[Build]) -> Mapping[UUID, tuple[Build, Fix]]:
    """By id, those of these builds that wait for a person, each with the place where it goes on. One query."""
    is_open = query_unclear_builds() | Q(pk__in=Build.objects.open_failures().values("pk"))
    marked = BuildRecording.objects.filter(MARKED, build=OuterRef("pk"))
    rows = builds.filter(is_open).select_related("voice").annotate(has_flags=Exists(marked)).order_by("-created_at")
    return {build.pk: (build, find_build_fix(build, has_flags=build.has_flags)) for build in rows}
