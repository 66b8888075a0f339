"""The next steps on the page Today. No function makes more queries if there are more talents."""

from collections.abc import Collection, Iterator
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse

from consent.models import WORLDWIDE, Consent, ConsentStatus, Contract, Talent
from consent.presenters import find_contract_fix
from consent.services.gate import BuildPermission, BuildPurpose, check_permissions
from providers import registry
from providers.types import Capabilities, Limit
from voicehub.text import format_count
from voices import access
from voices.models import Account, Build, BuildStatus, Voice
from voices.models.limits import TierKey, get_all_limits
from voices.presenters import FIX_LINKS, needs_staff_answer
from voices.services.builds.readiness import Readiness, check_readiness_of_voices
from voices.services.builds.recheck import HOLDABLE_STATUSES
from voices.services.permission import make_build_purpose
from voices.views.consent_steps import list_consent_steps
from voices.views.contract_steps import list_contracts_to_confirm
from voices.views.deletion_steps import list_remote_voice_steps, make_hold_step
from voices.views.evidence_steps import list_damaged_evidence
from voices.views.next_step import MAX_ROWS, NextStep
from voices.views.provider_steps import list_paused_accounts

# Each gap of a talent: reason, label of the link, name of its page, needed permission.
NO_CONTRACT = ("No contract is on file.", "Add contract", "consent:contract_add", "consent.add_contract")
NO_CONSENT = ("No consent has been requested.", "Request consent", "consent:consent_ask", "consent.add_consent")
NO_VOICE = ("No voice has been set up.", "Add a voice", "voices:voice_add", "voices.add_voice")


def list_steps() -> list[NextStep]:
    """Everything that needs staff, the most urgent first."""
    urgent = (list_damaged_evidence, list_remote_voice_steps, list_paused_accounts, list_consent_steps)
    less_urgent = (
        list_builds_needing_staff,
        list_voices_no_longer_allowed,
        list_contracts_to_confirm,
        list_voice_steps,
    )
    return [step for list_source in (*urgent, *less_urgent) for step in list_source()]


def has_talents() -> bool:
    return Talent.objects.exists()


def has_account() -> bool:
    return Account.objects.exists()


def select_latest_builds() -> QuerySet[Build]:
    """The newest build of each voice."""
    newest = Build.objects.filter(voice=OuterRef("voice")).order_by("-created_at").values("pk")[:1]
    return access.query_builds().filter(pk=Subquery(newest))


def list_builds_needing_staff() -> Iterator[NextStep]:
    """Voices whose newest build needs staff: recordings to fix, a refusal, a failure, or an unknown state."""
    may_need_answer = Q(status=BuildStatus.UNCONFIRMED) | Q(status=BuildStatus.TRAINING, has_unknown_status=True)
    failed = Q(status__in=[BuildStatus.DATASET_ISSUE, BuildStatus.CONSENT_REJECTED, BuildStatus.FAILED])
    labels = {
        BuildStatus.UNCONFIRMED: ("wait", "Needs an answer", "Answer"),
        BuildStatus.TRAINING: ("wait", "Needs an answer", "Answer"),
        BuildStatus.DATASET_ISSUE: ("wait", "Recordings need fixing", "Open build"),
        BuildStatus.CONSENT_REJECTED: ("bad", "Consent rejected", "Open build"),
        BuildStatus.FAILED: ("bad", "Build failed", "Open build"),
    }
    silent, outlier = Q(recordings__is_silent=True), Q(recordings__is_outlier=True)
    builds = select_latest_builds().annotate(
        silent=Count("recordings", filter=silent),
        outliers=Count("recordings", filter=outlier & ~silent),
        discarded=Count("recordings", filter=~Q(recordings__discard_reason="") & ~silent & ~outlier),
    )
    for build in builds.filter(may_need_answer | failed).order_by("-created_at")[:MAX_ROWS]:
        if build.is_active and not (build.has_unknown_provider_status or needs_staff_answer(build)):
            continue
        severity, status, action = labels[BuildStatus(build.status)]
        reason = _explain_build(build, _describe_flags(build.silent, build.outliers, build.discarded))
        at = build.finished_at or build.submitted_at
        url, permission = build.get_absolute_url(), "voices.start_build" if action == "Answer" else ""
        yield NextStep(
            build.voice.name, build.voice.talent.name, severity, status, (reason,), url, action, at, permission
        )


def _explain_build(build: Build, flags: str) -> str:
    if build.has_unknown_provider_status:
        if not build.raw_status:
            return "The provider no longer reports a status. Check the provider's website."
        return f"The provider reports “{build.raw_status}”, an unknown status. Check the provider's website."
    return flags or build.issue or "The provider's response was lost, and the lookup did not find the build."


def _describe_flags(silent: int, outliers: int, discarded: int) -> str:
    """The provider's flags in VoiceHub's words. The provider's message names recordings differently."""
    kinds = ((silent, "silent"), (outliers, "with another speaker or sound"), (discarded, "not used"))
    parts, total = [f"{count} {label}" for count, label in kinds if count], silent + outliers + discarded
    return f"{format_count(total, 'recording was', 'recordings were')} flagged: {', '.join(parts)}." if parts else ""


def list_voice_steps() -> Iterator[NextStep]:
    """Talents without a voice and voices without a build, with what blocks their next step."""
    yield from _list_talent_steps()
    limits = get_all_limits()
    easiest = find_easiest_tier(limits)
    if easiest is not None:
        yield from _list_unbuilt_steps(*easiest, limits)


def _list_talent_steps() -> Iterator[NextStep]:
    """Talents with a legal hold, and talents without a voice. One query for both."""
    pending = [ConsentStatus.REQUESTED, ConsentStatus.SUBMITTED]
    talents = Talent.objects.select_related("legal_hold_by").annotate(
        has_voice=Exists(Voice.objects.filter(talent=OuterRef("pk"))),
        has_consent=Exists(Consent.objects.filter(talent=OuterRef("pk"))),
        is_consent_pending=Exists(Consent.objects.filter(talent=OuterRef("pk"), status__in=pending)),
        has_contract=Exists(Contract.objects.filter(talent=OuterRef("pk"))),
    )
    needs_step = Q(has_voice=False, is_consent_pending=False)
    rows = talents.filter(needs_step | Q(legal_hold_at__isnull=False))
    for talent in rows.order_by(F("legal_hold_at").asc(nulls_last=True), "name")[:MAX_ROWS]:
        if talent.is_on_hold:
            yield make_hold_step(talent)
        if not talent.has_voice and not talent.is_consent_pending:
            yield _make_talent_step(talent, has_consent=talent.has_consent, has_contract=talent.has_contract)


def _make_talent_step(talent: Talent, *, has_consent: bool, has_contract: bool) -> NextStep:
    if not has_contract:
        reason, action, page, permission = NO_CONTRACT
    else:
        reason, action, page, permission = NO_VOICE if has_consent else NO_CONSENT
    url = reverse(page, args=[talent.pk])
    return NextStep(
        talent.name,
        "Talent",
        "wait",
        "Next step",
        (reason,),
        url,
        action,
        None,
        permission,
        subject_url=talent.get_absolute_url(),
    )


def find_easiest_tier(limits: dict[TierKey, dict[str, Limit]]) -> tuple[Account, Capabilities] | None:
    """The tier that needs the least speech, with a working account of its provider. None without such an account."""
    candidates = [
        (account, tier, limits[account.provider, tier.tier])
        for account in Account.objects.working()
        if account.provider in registry.PROVIDERS
        for tier in registry.get_provider_class(account.provider).tiers.values()
    ]
    candidates.sort(key=lambda row: row[2]["least_seconds"].value if "least_seconds" in row[2] else 0)
    return candidates[0][:2] if candidates else None


def _list_unbuilt_steps(
    account: Account, tier: Capabilities, limits: dict[TierKey, dict[str, Limit]]
) -> Iterator[NextStep]:
    attempts = Build.objects.filter(voice=OuterRef("pk")).exclude(status=BuildStatus.CANCELED)
    voices = list(Voice.objects.filter(~Exists(attempts)).select_related("talent").order_by("name")[:MAX_ROWS])
    states = check_readiness_of_voices(voices, account, tier.tier, limits)
    newest_consents = {
        (consent.talent_id, consent.purpose): consent
        for consent in Consent.objects.filter(
            talent__in={voice.talent_id for voice in voices}, provider=account.provider
        ).order_by("created_at")
    }
    for voice in voices:
        yield _make_voice_step(voice, states[voice.pk], newest_consents.get((voice.talent_id, voice.purpose)))


def _make_voice_step(voice: Voice, state: Readiness, newest_consent: Consent | None) -> NextStep:
    url, action, permission = _find_fix(voice, state, newest_consent)
    if state.is_ready:
        reasons: tuple[str, ...] = (f"All requirements of a {state.capabilities.label.lower()} build are met.",)
        return NextStep(voice.name, voice.talent.name, "good", "Ready to build", reasons, url, action)
    reasons, page = state.permission.reasons + state.blockers, voice.get_absolute_url()
    return NextStep(
        voice.name, voice.talent.name, "wait", "Blocked", reasons, url, action, None, permission, subject_url=page
    )


def _find_fix(voice: Voice, state: Readiness, newest_consent: Consent | None) -> tuple[str, str, str]:
    """The URL, label and needed permission of the link to the page where the first missing item can be fixed."""
    if not state.permission.is_given:
        return _find_gate_fix(voice, state.permission, newest_consent)
    if not state.gaps:
        return voice.get_absolute_url(), "Open voice", ""
    anchor, label, permission = FIX_LINKS[state.gaps[0].kind]
    return voice.get_absolute_url() + anchor, label or "Open voice", permission


def _find_gate_fix(voice: Voice, permission: BuildPermission, newest_consent: Consent | None) -> tuple[str, str, str]:
    if suspended := permission.suspended_consent or (not permission.consent_reasons and permission.suspended_contract):
        action = "Open consent" if permission.suspended_consent else "Open contract"
        return suspended.get_absolute_url(), action, ""
    if permission.consent_reasons and newest_consent:
        return newest_consent.get_absolute_url(), "Open consent", ""
    if permission.consent_reasons:
        return reverse("consent:consent_ask", args=[voice.talent_id]), "Request consent", "consent.add_consent"
    if permission.contract_reasons:
        label, url = find_contract_fix(voice.talent, permission)
        return url, label, "consent.add_contract"
    return reverse("voices:voice_edit", args=[voice.pk]), "Change countries", "voices.change_voice"


def list_voices_no_longer_allowed() -> Iterator[NextStep]:
    """Voices whose consent or contract has ended or no longer allows them, and voices that are suspended.

    Failed builds have rows of their own. So do contracts that only wait for a confirmation.
    """
    builds = {(build.voice_id, build.remote_voice.account.provider): build for build in _select_builds_to_check()}
    subjects = {key: _make_gate_query(build) for key, build in builds.items()}
    labels = {subject.provider: registry.get_provider_label(subject.provider) for subject in subjects.values()}
    permissions = check_permissions(subjects.values(), labels)
    newest_consents = _find_newest_consents(subjects.values())
    refused = [key for key in builds if _is_refused(permissions[subjects[key]])]
    for key in refused[:MAX_ROWS]:
        subject = subjects[key]
        newest_consent = newest_consents.get((subject.talent.pk, subject.provider, subject.purpose))
        yield _make_refused_step(builds[key].voice, permissions[subject], newest_consent)


def _select_builds_to_check() -> QuerySet[Build]:
    """The newest builds that the gate may refuse, and each build whose voice may be held, whatever newer builds say."""
    newest = Build.objects.filter(voice=OuterRef("voice")).order_by("-created_at").values("pk")[:1]
    is_in_force = Q(consent__in=Consent.objects.in_force(), contract__in=Contract.objects.in_force())
    # The gate judges every other voice, as names, companies, languages and countries may differ and still fit.
    has_same_terms = Q(
        consent__talent_name=F("voice__talent__name"),
        consent__company=F("contract__company"),
        consent__language=F("voice__language"),
        contract__countries=[WORLDWIDE],
    )
    exclusive = Contract.objects.in_force().filter(talent=OuterRef("voice__talent"), exclusive=True)
    is_allowed = is_in_force & has_same_terms & ~Exists(exclusive)
    statuses = [BuildStatus.READY, BuildStatus.CANCELED, BuildStatus.TRAINING]
    may_be_refused = Q(pk=Subquery(newest), status__in=statuses) & ~is_allowed
    may_be_held = Q(access.has_suspension(), status__in=HOLDABLE_STATUSES, remote_voice__deleted_at=None)
    return access.query_builds().filter(may_be_refused | may_be_held).order_by("voice__name", "pk")


def _is_refused(permission: BuildPermission) -> bool:
    return set(permission.reasons) > set(permission.unconfirmed_reasons)


def _make_gate_query(build: Build) -> BuildPurpose:
    return make_build_purpose(build.voice, build.remote_voice.account.provider)


def _find_newest_consents(queries: Collection[BuildPurpose]) -> dict[tuple[UUID, str, str], Consent]:
    """The newest consent by talent, provider and purpose."""
    return {
        (consent.talent_id, consent.provider, consent.purpose): consent
        for consent in Consent.objects.filter(talent__in={query.talent.pk for query in queries}).order_by("created_at")
    }


def _make_refused_step(voice: Voice, permission: BuildPermission, newest_consent: Consent | None) -> NextStep:
    url, action, needed = _find_gate_fix(voice, permission, newest_consent)
    severity, status = ("wait", "Suspended") if permission.is_held else ("bad", "No longer allowed")
    page, reasons = voice.get_absolute_url(), permission.reasons
    return NextStep(
        voice.name, voice.talent.name, severity, status, reasons, url, action, None, needed, subject_url=page
    )
