"""Checks of the gate before a build sends anything, and before a remote voice is used or changed."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction

from consent.models import Consent, Contract, EventKind
from consent.services.audit_log import record_event
from consent.services.gate import BuildPermission, BuildPurpose, check_permissions
from providers import registry
from voices.models import Account, Build, BuildStatus, RemoteVoice, Voice
from voices.services.permission import check_voice_permission, make_build_purpose

# The statuses of a build whose voice is held while its consent or contract is suspended.
HOLDABLE_STATUSES = (BuildStatus.TRAINING, BuildStatus.READY)


def check_gate_again(build: Build) -> tuple[str, ...]:
    """Check the gate again: a consent or a contract may have ended since the build started.

    Terms of its own contract that no person has confirmed do not stop a build that runs. Confirmations never end, so
    this is a build that an older version started, before it asked for confirmations.
    """
    permission = check_voice_permission(build.voice, build.remote_voice.account.provider)
    ignored = permission.unconfirmed_reasons if permission.contract_to_confirm == _find_own_contract(build) else ()
    reasons = tuple(reason for reason in permission.reasons if reason not in ignored)
    if not reasons and not _is_basis_in_force(build):
        return ("The consent or the contract of this build is no longer in force.",)
    return reasons


def _find_own_contract(build: Build) -> Contract | None:
    """The contract with which the build started. None if another one has replaced it."""
    contract = build.contract
    is_replaced = contract.filed_at > build.created_at or contract.find_started_replacement() != contract
    return None if is_replaced else contract


def adopt_replacements(build: Build) -> None:
    """Base a build that was not sent yet on the consent and the contract that replaced its own since it started."""
    consent, contract = build.consent.find_newest_replacement(), build.contract.find_started_replacement()
    if (consent, contract) == (build.consent, build.contract):
        return
    with transaction.atomic():
        Build.objects.filter(pk=build.pk).update(consent=consent, contract=contract)
        record_used_consent(build, consent, contract)
    build.consent, build.contract = consent, contract


def record_used_consent(build: Build, consent: Consent, contract: Contract) -> None:
    """Record in the audit log of the consent that a build uses it, in the caller's transaction."""
    build_id, voice_id, contract_id = str(build.pk), str(build.voice_id), str(contract.pk)
    record_event(consent, EventKind.USED, build.started_by, build=build_id, voice=voice_id, contract=contract_id)


def find_reasons_against_use(remote: RemoteVoice) -> tuple[str, ...]:
    """Why a remote voice may not be used, renamed, published or adopted now. Empty if all of this is allowed."""
    if remote.voice is None:
        return ("VoiceHub does not know which talent this voice belongs to.",)
    return check_voice_permission(remote.voice, remote.account.provider).reasons


def find_hold(remote: RemoteVoice) -> tuple[str, ...]:
    """Why a remote voice is held: its consent or its contract is suspended. Empty if nothing is suspended."""
    if remote.voice is None:
        return ()
    permission = check_voice_permission(remote.voice, remote.account.provider)
    return permission.reasons if permission.is_held else ()


@dataclass(frozen=True, slots=True)
class VoiceStates:
    """Which remote voices, by id, are held and why, and which ones the gate refuses for another reason."""

    held: Mapping[UUID, tuple[str, ...]] = field(default_factory=dict)
    refused: frozenset[UUID] = frozenset()


def find_held_voices(remotes: Iterable[RemoteVoice]) -> frozenset[UUID]:
    """The ids of the remote voices that are held. The number of queries does not depend on their number."""
    states = _check_voices({remote.pk: (remote.voice, remote.account) for remote in remotes if remote.voice})
    return frozenset(states.held)


def make_build_subject(build: Build) -> BuildPurpose:
    """What the gate is asked about the voice of a build."""
    return make_build_purpose(build.voice, build.remote_voice.account.provider)


def check_subjects(subjects: Collection[BuildPurpose]) -> Mapping[BuildPurpose, BuildPermission]:
    """The answers of the gate. At most four queries, and none for no subject."""
    labels = {subject.provider: registry.get_provider_label(subject.provider) for subject in subjects}
    return check_permissions(subjects, labels) if subjects else {}


def list_holdable_subjects(builds: Iterable[Build]) -> dict[UUID, BuildPurpose]:
    """By id of the remote voice, what the gate is asked about builds that are training or ready."""
    return {build.remote_voice_id: make_build_subject(build) for build in builds if build.status in HOLDABLE_STATUSES}


def check_built_voices(
    builds: Iterable[Build], answers: Mapping[BuildPurpose, BuildPermission] | None = None
) -> VoiceStates:
    """The states of the remote voices of these builds, of builds that are training or ready.

    `answers` has those of the gate about `list_holdable_subjects`. Without it, they cost at most four queries.
    """
    return _make_states(list_holdable_subjects(builds), answers)


def _check_voices(voices: Mapping[UUID, tuple[Voice, Account]]) -> VoiceStates:
    return _make_states({pk: make_build_purpose(voice, one.provider) for pk, (voice, one) in voices.items()})


def _make_states(
    subjects: Mapping[UUID, BuildPurpose], answers: Mapping[BuildPurpose, BuildPermission] | None = None
) -> VoiceStates:
    found = check_subjects(list(subjects.values())) if answers is None else answers
    permissions = {pk: found[subject] for pk, subject in subjects.items()}
    held = {pk: permission.reasons for pk, permission in permissions.items() if permission.is_held}
    return VoiceStates(held, frozenset(pk for pk, permission in permissions.items() if permission.is_refused))


def _is_basis_in_force(build: Build) -> bool:
    """Whether the consent and the contract of this build, or those that replaced them, are in force and allow it.

    A contract that replaced the one of the build must be confirmed. Another consent or contract of the talent does not
    count.
    """
    consent = Consent.objects.get(pk=build.consent_id).find_newest_replacement()
    contract = Contract.objects.get(pk=build.contract_id).find_started_replacement()
    return (
        Consent.objects.in_force().filter(pk=consent.pk).exists()
        and Contract.objects.in_force().filter(pk=contract.pk).exists()
        and build.remote_voice.account.provider in contract.providers
        and build.voice.purpose in contract.purposes
        and (contract.pk == build.contract_id or contract.confirmations.filter(purpose=build.voice.purpose).exists())
    )
