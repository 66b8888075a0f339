"""Next steps about voices without a build, each judged at the account and tier where it is nearest to ready."""

from collections.abc import Iterator, Sequence
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef
from django.urls import reverse

from consent.forms import load_newest_statements
from providers import registry
from voicehub.text import join_with_and
from voices.lists.voices import make_target_badge
from voices.models import Build, BuildStatus, Voice
from voices.models.build import FAILED_STATUSES
from voices.presenters import FIX_LINKS, make_option_key, make_target_name
from voices.services.builds.gaps import GapKind
from voices.services.builds.nearest import Rank, Target, find_nearest_targets
from voices.views.gate_steps import find_gate_fix
from voices.views.next_step import MAX_ROWS, Fix, NextStep, Talents, select_talents

START = "voices.start_build"
# Where the contract comes before the consent, it is what is missing.
FIX_STATUSES = {"Add contract": "Contract missing", "Confirm terms": "Terms to confirm"}


def list_unbuilt_steps(talents: Talents = None) -> Iterator[NextStep]:
    """Without an account there are no rows, as a note at the top of the page asks for an account."""
    voices = _select_unbuilt_voices(talents)
    targets = find_nearest_targets(voices)
    statements = list(load_newest_statements()) if targets else []
    yield from (_make_step(voice, targets[voice.pk], statements) for voice in voices if voice.pk in targets)


def _select_unbuilt_voices(talents: Talents) -> Sequence[Voice]:
    """Voices without a build. Canceled builds do not count, nor failed ones that a person has marked as seen."""
    attempts = Build.objects.filter(voice=OuterRef("pk")).exclude(status=BuildStatus.CANCELED)
    attempts = attempts.exclude(status__in=FAILED_STATUSES, seen_by__isnull=False)
    rows = select_talents(Voice.objects.filter(~Exists(attempts)), talents)
    return list(rows.select_related("talent").defer("comparison").order_by("name", "pk")[:MAX_ROWS])


def _make_step(voice: Voice, target: Target, statements: Sequence[str]) -> NextStep:
    severity, status, reasons, fix = _describe_target(voice, target, statements)
    page, place = voice.get_absolute_url(), f", at {_name_target(target)}" if target.is_allowed else ""
    return NextStep(
        voice.name,
        f"{voice.talent.name}{place}",
        severity,
        status,
        reasons,
        fix.url,
        fix.action,
        None,
        fix.permission,
        subject_url=page,
        voice_id=voice.pk,
        talent_id=voice.talent_id,
    )


def _describe_target(voice: Voice, target: Target, statements: Sequence[str]) -> tuple[str, str, tuple[str, ...], Fix]:
    """The severity, the status, the reasons, and where the first of them is removed."""
    name, rank, status = _name_target(target), target.distance.rank, make_target_badge(target).label
    if not target.is_allowed:
        return "wait", status, _explain_no_provider(target), _find_provider_fix(voice, target)
    if rank is Rank.READY:
        key = make_option_key(target.account, target.state.capabilities.tier)
        url = f"{voice.get_readiness_url()}?option={key}#option-{key}"
        reason = f"Ready to build at {name}: nothing is missing."
        return "good", status, (reason,), Fix(url, "Start build", START)
    if rank is Rank.PAUSED:
        reason = f"The account {target.account.name} is paused. {target.account.pause_reason}".strip()
        url = reverse("voices:account", args=[target.account.pk])
        return "wait", status, (reason,), Fix(url, "Open account", "voices.view_account")
    fix = _find_fix(voice, target, statements)
    status = FIX_STATUSES.get(fix.action, status)
    reasons = target.state.permission.reasons + target.state.blockers + (target.shortfall,) * bool(target.shortfall)
    if target.state.permission.is_given and {gap.kind for gap in target.state.gaps} == {GapKind.UNCHECKED}:
        return "busy", status, reasons, fix
    return "wait", status, reasons, fix


def _name_target(target: Target) -> str:
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
    query = urlencode({"provider": target.account.provider, "purpose": voice.purpose})
    url = f"{reverse('consent:contract_add', args=[voice.talent_id])}?{query}"
    return Fix(url, "Add contract", "consent.add_contract")


def _find_fix(voice: Voice, target: Target, statements: Sequence[str]) -> Fix:
    """The page where the first missing item is added."""
    permission, gaps = target.state.permission, target.state.gaps
    if not permission.is_given:
        return find_gate_fix(voice, target.account.provider, permission, statements)
    if not gaps:
        return Fix(f"{voice.get_absolute_url()}?show=look#recordings", "Show recordings")
    anchor, label, needed = FIX_LINKS[gaps[0].kind]
    return Fix(voice.get_absolute_url() + anchor, label or "Open voice", needed)
