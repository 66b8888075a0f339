"""The gate: no build without a consent and a contract in force, at start, before and during submit."""

import hashlib
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from consent.models import Consent, ConsentStatus, Contract, Purpose, Take, Talent
from consent.services.invitations import request_consent
from consent.services.review import resume_consent, suspend_consent, withdraw_consent
from tests.support.approval import approve_after_listening
from tests.support.checked import mark_checked
from tests.voices.services.builds.build_harness import PROVIDER, BuildHarness
from voicehub.models import Task
from voicehub.refusals import ActionRefused
from voices.models import Build, BuildStatus, Recording, RemoteVoice, Voice
from voices.services.accounts import pause_account
from voices.services.builds.journal import BuildJournal
from voices.services.builds.lifecycle import CONSENT_WITHDRAWN
from voices.services.builds.start import BuildRefused, cancel_build
from voices.services.recordings.store import create_voice

pytestmark = pytest.mark.django_db

NAME = "Tilda S."  # what services write for no reader, as in a reason that is stored
USE = "narration and audiobooks"
NOT_REQUESTED = f"{NAME} has not been asked for consent to Resemble AI for {USE}."


# CONSENTS and CONTRACTS hold dates that are computed at import, so "today" must stay the same until the last test.
TODAY = timezone.localdate()


@pytest.fixture(autouse=True)
def fixed_today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "localdate", lambda: TODAY)


def get_date(days: int) -> date:
    return TODAY + timedelta(days=days)


def format_date(day: date) -> str:
    return f"{day:%B} {day.day}, {day:%Y}"


# --- each state of a consent or contract, with the exact reason for a refusal ---------------------------------------

# A maker creates a consent or contract and returns the reason for which the gate must refuse it, or "".
Maker = Callable[[BuildHarness, Talent], str]


def make_consent(
    status: str, reason: str = "", harness: BuildHarness | None = None, talent: Talent | None = None, **terms: Any
) -> str:
    assert harness
    assert talent
    fields = {"provider": PROVIDER, "purpose": Purpose.NARRATION} | terms
    consent = request_consent(talent, PROVIDER, "en-US", fields["purpose"], harness.producer)
    sha256 = hashlib.sha256(b"R").hexdigest()
    take = Take(consent=consent, sha256=sha256, size=1, capture="link", acceptable=True)
    take.file.save("take.wav", ContentFile(b"R"), save=False)
    take.save()
    Consent.objects.filter(pk=consent.pk).update(
        status=status, take=take, approved_by=harness.producer, approved_at=timezone.now(), **fields
    )
    return reason


def return_reason_only(reason: str, _harness: BuildHarness, _talent: Talent) -> str:
    return reason


def get_unusable_consent_maker(status: ConsentStatus, status_text: str) -> Maker:
    reason = f"The consent of {NAME} for Resemble AI for {USE} is not in force: {status_text}."
    return lambda harness, talent: make_consent(status, reason, harness, talent)


CONSENTS: dict[str, Maker] = {
    "in force": lambda harness, talent: make_consent("approved", "", harness, talent),
    "in force until today": lambda harness, talent: make_consent(
        "approved", "", harness, talent, valid_until=get_date(0)
    ),
    "missing": partial(return_reason_only, NOT_REQUESTED),
    "requested": get_unusable_consent_maker(ConsentStatus.REQUESTED, "the talent has not recorded it yet"),
    "submitted": get_unusable_consent_maker(ConsentStatus.SUBMITTED, "it has not been reviewed yet"),
    "suspended": get_unusable_consent_maker(ConsentStatus.SUSPENDED, "suspended"),
    "declined": get_unusable_consent_maker(ConsentStatus.DECLINED, "declined"),
    "voided": get_unusable_consent_maker(ConsentStatus.VOIDED, "canceled"),
    "withdrawn": get_unusable_consent_maker(ConsentStatus.WITHDRAWN, "withdrawn"),
    "expired": get_unusable_consent_maker(ConsentStatus.EXPIRED, "expired"),
    "past its end": lambda harness, talent: make_consent(
        "approved", f"The consent of {NAME} for Resemble AI ended on {format_date(get_date(-1))}.", harness, talent,
        valid_until=get_date(-1),
    ),
    "for another purpose": lambda harness, talent: make_consent(
        "approved", NOT_REQUESTED, harness, talent, purpose=Purpose.ADVERTISING
    ),
    "for another provider": lambda harness, talent: make_consent(
        "approved", NOT_REQUESTED, harness, talent, provider="other"
    ),
}  # fmt: skip


def get_contract_maker(reason: str = "", **terms: Any) -> Maker:
    def make(harness: BuildHarness, talent: Talent) -> str:
        harness.make_contract(talent, **terms)
        return reason

    return make


def get_replacement_maker(reason: str = "", **terms: Any) -> Maker:
    """Return a maker of a contract in force that is replaced by a contract with these terms."""

    def make(harness: BuildHarness, talent: Talent) -> str:
        first = harness.make_contract(talent)
        harness.make_contract(talent, supersedes=first, **terms)
        return reason

    return make


def describe_no_contract_in_force(when: str) -> str:
    return f"No contract of {NAME} is in force today: {when}."


def describe_terms_not_allowed(signed: date, *terms: str) -> str:
    return " ".join(f"The contract signed on {format_date(signed)} does not allow {term}." for term in terms)


CONTRACTS: dict[str, Maker] = {
    "in force": get_contract_maker(),
    "in force, first day": get_contract_maker(starts_on=get_date(0), signed_on=get_date(0)),
    "in force, last day": get_contract_maker(ends_on=get_date(0)),
    "missing": partial(return_reason_only, f"No contract of {NAME} is on file."),
    "ended": get_contract_maker(
        describe_no_contract_in_force(f"the latest ended on {format_date(get_date(-1))}"), ends_on=get_date(-1)
    ),
    "not begun": get_contract_maker(
        describe_no_contract_in_force(f"the latest begins on {format_date(get_date(1))}"), starts_on=get_date(1)
    ),
    "not signed yet": get_contract_maker(
        describe_no_contract_in_force(f"the latest will be signed on {format_date(get_date(2))}"),
        signed_on=get_date(2),
    ),
    "no provider": get_contract_maker(describe_terms_not_allowed(get_date(-9), "Resemble AI"), providers=["other"]),
    "no purpose": get_contract_maker(describe_terms_not_allowed(get_date(-9), USE), purposes=[Purpose.ADVERTISING]),
    "neither": get_contract_maker(
        describe_terms_not_allowed(get_date(-9), "Resemble AI", USE), providers=[], purposes=[]
    ),
    "replaced by one that allows less": get_replacement_maker(
        describe_terms_not_allowed(get_date(-2), USE), starts_on=get_date(-2), signed_on=get_date(-2), purposes=[]
    ),
    "replaced by one that ended": get_replacement_maker(
        describe_no_contract_in_force(f"the latest ended on {format_date(get_date(-1))}"),
        starts_on=get_date(-2),
        ends_on=get_date(-1),
    ),
    "replaced from tomorrow": get_replacement_maker(starts_on=get_date(1), purposes=[]),
}


@pytest.fixture
def voice(harness: BuildHarness) -> Voice:
    """A voice with three recordings. They have rows but no files, so a build that sends them would fail."""
    voice = create_voice(harness.make_talent(), "Narrator", "en-US", Purpose.NARRATION, harness.producer)
    Recording.objects.bulk_create(
        Recording(
            voice=voice, file=f"none/{n}.wav", file_name=f"{n}.wav", sha256=f"{n:064}", size=1, status="accepted",
            seconds=4.0, sample_rate=16000, uploaded_by=harness.producer, transcript="Words.",
        )
        for n in range(3)
    )  # fmt: skip
    mark_checked(voice)
    return voice


@pytest.mark.one_database
@pytest.mark.parametrize("consent", CONSENTS)
def test_start_refused_by_the_gate_gives_each_reason_and_sends_nothing(
    harness: BuildHarness, voice: Voice, consent: str
) -> None:
    """Try this consent with every contract. If either is not in force, the refusal gives exactly the reasons."""
    for contract in CONTRACTS:
        talent = Talent.objects.create(name=NAME, email="t@people.test", created_by=harness.producer)
        Voice.objects.filter(pk=voice.pk).update(talent=talent)
        voice.refresh_from_db()
        reasons = [CONSENTS[consent](harness, talent), CONTRACTS[contract](harness, talent)]
        expected = " ".join(reason for reason in reasons if reason)
        if not expected:
            build = harness.start_build(voice)
            assert build.consent.talent == build.contract.talent == talent
            cancel_build(build, harness.producer)
            continue
        counts = Build.objects.count(), Task.objects.count(), RemoteVoice.objects.count()
        with pytest.raises(BuildRefused) as refused:
            harness.start_build(voice)
        assert str(refused.value) == expected, (consent, contract)
        assert (Build.objects.count(), Task.objects.count(), RemoteVoice.objects.count()) == counts
    harness.run_tasks()
    assert harness.count_requests() == 0


def test_consent_and_contract_of_another_talent_do_not_count(harness: BuildHarness, voice: Voice) -> None:
    other = Talent.objects.create(name="Olga", email="o@people.test", created_by=harness.producer)
    make_consent("approved", "", harness, other)
    harness.make_contract(other)
    with pytest.raises(BuildRefused) as refused:
        harness.start_build(voice)
    assert refused.value.reasons == (NOT_REQUESTED, f"No contract of {NAME} is on file.")


def test_paused_account_starts_no_build(harness: BuildHarness) -> None:
    voice = harness.make_voice()
    pause_account(harness.account, "Moving to another plan.", harness.producer)
    with pytest.raises(BuildRefused, match="another plan"):
        harness.start_build(voice)
    assert not Build.objects.exists()


# --- between start and submit ----------------------------------------------------------


def end_contract(_harness: BuildHarness, build: Build) -> str:
    Contract.objects.filter(pk=build.contract_id).update(ends_on=get_date(-1))
    return describe_no_contract_in_force(f"the latest ended on {format_date(get_date(-1))}")


def replace_contract(harness: BuildHarness, build: Build) -> str:
    harness.make_contract(
        build.voice.talent, supersedes=build.contract, purposes=[], signed_on=get_date(-1), starts_on=get_date(-1)
    )
    return describe_terms_not_allowed(get_date(-1), USE)


def withdraw_build_consent(harness: BuildHarness, build: Build) -> str:
    withdraw_consent(build.consent, harness.producer, "Changed her mind.")
    return CONSENT_WITHDRAWN


def suspend_build_consent(harness: BuildHarness, build: Build) -> str:
    suspend_consent(build.consent, harness.producer, "A dispute.")
    return f"The consent of {NAME} for Resemble AI for {USE} is not in force: suspended."


def expire_build_consent(_harness: BuildHarness, build: Build) -> str:
    Consent.objects.filter(pk=build.consent_id).update(valid_until=get_date(-1))
    return f"The consent of {NAME} for Resemble AI ended on {format_date(get_date(-1))}."


def withdraw_and_consent_again(harness: BuildHarness, build: Build) -> str:
    """The build still has the withdrawn consent, so it would send that consent's take."""
    withdraw_build_consent(harness, build)
    make_consent("approved", "", harness, build.voice.talent)
    return CONSENT_WITHDRAWN


WITHDRAWALS = (withdraw_build_consent, withdraw_and_consent_again)
CHANGES = [
    end_contract,
    replace_contract,
    withdraw_build_consent,
    suspend_build_consent,
    expire_build_consent,
    withdraw_and_consent_again,
]


def get_end_status(change: Callable[[BuildHarness, Build], str]) -> BuildStatus:
    return BuildStatus.WITHDRAWN if change in WITHDRAWALS else BuildStatus.FAILED


@pytest.mark.one_database
@pytest.mark.parametrize("is_rebuild", [False, True])
@pytest.mark.parametrize("change", CHANGES)
def test_gate_is_checked_again_before_submit(
    harness: BuildHarness, change: Callable[[BuildHarness, Build], str], is_rebuild: bool
) -> None:
    """In a rebuild, not even the callback URL of the existing remote voice is updated."""
    voice = harness.make_voice()
    if is_rebuild:
        harness.finish_build(harness.start_build(voice))
    build, requests = harness.start_build(voice), harness.count_requests()
    issue = change(harness, build)
    harness.reach_status(build, get_end_status(change))
    assert build.issue == issue
    deletions = harness.list_requests("delete_voice")
    assert len(deletions) == (is_rebuild and change in WITHDRAWALS)
    assert harness.count_requests() == requests + 2 * len(deletions), "a deletion, and its check"


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("method", ["record_voice", "record_recording"])
def test_gate_is_checked_while_recordings_are_sent(
    harness: BuildHarness, change: Callable[[BuildHarness, Build], str], method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recordings already sent stay at the provider. No further recording and no build call is sent."""
    build = harness.start_build(harness.make_voice())
    expected_issues: list[str] = []
    original = getattr(BuildJournal, method)

    def write_then_change(journal: BuildJournal, *args: str) -> None:
        original(journal, *args)
        if not expected_issues:
            expected_issues.append(change(harness, Build.objects.get(pk=build.pk)))

    monkeypatch.setattr(BuildJournal, method, write_then_change)
    harness.reach_status(build, get_end_status(change))
    assert build.issue == expected_issues[0]
    deletion = {"delete_voice": 1} if change in WITHDRAWALS else {}
    assert harness.count_billed() == {"create_voice": 1} | deletion
    assert len(harness.list_requests("create_recording")) == (1 if method == "record_recording" else 0)


def test_gate_is_checked_again_before_an_unsent_create_call_is_repeated(harness: BuildHarness, sandbox: Any) -> None:
    """The consent is withdrawn before the look-up. The look-up finds no voice, and none is created later."""
    sandbox.set_faults({"operation": "create_voice", "do": "drop", "nth": 1})
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.UNCONFIRMED)
    withdraw_build_consent(harness, build)
    harness.run_tasks(4)
    build.refresh_from_db()
    assert build.status == BuildStatus.WITHDRAWN
    assert not harness.count_billed()


def test_build_continues_if_a_suspension_ended_before_submit(harness: BuildHarness) -> None:
    build = harness.start_build(harness.make_voice())
    suspend_consent(build.consent, harness.producer, "A dispute.")
    build.consent.refresh_from_db()
    resume_consent(build.consent, harness.producer, "Settled.")
    assert harness.finish_build(build).status == BuildStatus.READY


def test_newer_contract_beside_the_old_one_does_not_change_a_build(harness: BuildHarness) -> None:
    """A build keeps the contract of its start while it is in force."""
    build = harness.start_build(harness.make_voice())
    harness.make_contract(build.voice.talent, signed_on=get_date(-1), starts_on=get_date(-1))
    assert harness.finish_build(build).status == BuildStatus.READY
    assert Build.objects.get().contract == build.contract


def test_start_of_a_build_is_recorded_in_the_audit_log_of_its_consent(harness: BuildHarness) -> None:
    build = harness.start_build(harness.make_voice())
    event = build.consent.events.get(kind="used")
    assert event.payload["build"] == str(build.pk)
    assert event.actor == harness.producer


def test_consent_used_by_a_build_cannot_be_approved_again(harness: BuildHarness) -> None:
    build = harness.start_build(harness.make_voice())
    assert build.consent.take
    with pytest.raises(ActionRefused):
        approve_after_listening(build.consent, build.consent.take, harness.producer)
    assert harness.finish_build(build).status == BuildStatus.READY
