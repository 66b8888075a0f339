"""Nothing is built without a consent and a contract in force: at the start, before sending, and while it is sent."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from consent.models import Consent, ConsentStatus, Contract, Purpose, Take, Talent
from consent.services.invitations import request_consent
from consent.services.review import resume_consent, suspend_consent, withdraw_consent
from tests.support.approval import approve_after_listening
from tests.voices.services.builds.build_harness import PROVIDER, BuildHarness
from voicehub.models import Task
from voicehub.refusals import ActionRefused
from voices.models import Build, BuildStatus, Recording, RemoteVoice, Voice
from voices.services.accounts import pause_account
from voices.services.builds.journal import BuildJournal
from voices.services.builds.start import BuildRefused, cancel_build
from voices.services.recordings.store import create_voice

pytestmark = pytest.mark.django_db

NAME = "Tilda Strand"
USE = "narration and audiobooks"
NOT_ASKED = f"{NAME} has not been asked for consent to Resemble AI for {USE}."


# The tables below are made when this file is read, so midnight must not come before the last of its tests.
TODAY = timezone.localdate()


@pytest.fixture(autouse=True)
def same_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "localdate", lambda: TODAY)


def days(number: int) -> date:
    return TODAY + timedelta(days=number)


def said(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


# --- the states that consents and contracts can be in, each with the exact reason it is no good for -----------------

Make = Callable[[BuildHarness, Talent], str]


def a_consent(
    status: str, reason: str = "", harness: BuildHarness | None = None, talent: Talent | None = None, **terms: Any
) -> str:
    assert harness
    assert talent
    asked = {"provider": PROVIDER, "purpose": Purpose.NARRATION} | terms
    consent = request_consent(talent, PROVIDER, "en-US", asked["purpose"], harness.producer)
    take = Take(consent=consent, sha256="0" * 64, size=1, capture="link", acceptable=True, file="none.wav")
    take.save()
    Consent.objects.filter(pk=consent.pk).update(
        status=status, take=take, approved_by=harness.producer, approved_at=timezone.now(), **asked
    )
    return reason


def nothing(reason: str, _desk: BuildHarness, _talent: Talent) -> str:
    return reason


def consent_in(status: ConsentStatus, word: str) -> Make:
    reason = f"The consent of {NAME} for Resemble AI for {USE} is not in force: {word}."
    return lambda harness, talent: a_consent(status, reason, harness, talent)


CONSENTS: dict[str, Make] = {
    "in force": lambda harness, talent: a_consent("approved", "", harness, talent),
    "in force until today": lambda harness, talent: a_consent("approved", "", harness, talent, valid_until=days(0)),
    "missing": partial(nothing, NOT_ASKED),
    "requested": consent_in(ConsentStatus.REQUESTED, "the talent has not recorded it yet"),
    "submitted": consent_in(ConsentStatus.SUBMITTED, "it has not been reviewed yet"),
    "suspended": consent_in(ConsentStatus.SUSPENDED, "suspended"),
    "declined": consent_in(ConsentStatus.DECLINED, "declined"),
    "voided": consent_in(ConsentStatus.VOIDED, "canceled"),
    "withdrawn": consent_in(ConsentStatus.WITHDRAWN, "withdrawn"),
    "expired": consent_in(ConsentStatus.EXPIRED, "expired"),
    "past its end": lambda harness, talent: a_consent(
        "approved", f"The consent of {NAME} for Resemble AI ended on {said(days(-1))}.", harness, talent,
        valid_until=days(-1),
    ),
    "for another purpose": lambda harness, talent: a_consent(
        "approved", NOT_ASKED, harness, talent, purpose=Purpose.ADVERTISING
    ),
    "for another provider": lambda harness, talent: a_consent("approved", NOT_ASKED, harness, talent, provider="other"),
}  # fmt: skip


def paper(reason: str = "", **terms: Any) -> Make:
    def make(harness: BuildHarness, talent: Talent) -> str:
        harness.make_contract(talent, **terms)
        return reason

    return make


def replaced(reason: str = "", **terms: Any) -> Make:
    """A good contract, and another one in its place with these terms."""

    def make(harness: BuildHarness, talent: Talent) -> str:
        good = harness.make_contract(talent)
        harness.make_contract(talent, supersedes=good, **terms)
        return reason

    return make


def none_in_force(when: str) -> str:
    return f"No contract of {NAME} is in force today: {when}."


def not_allowed(signed: date, *what: str) -> str:
    return " ".join(f"The contract signed on {said(signed)} does not allow {one}." for one in what)


CONTRACTS: dict[str, Make] = {
    "in force": paper(),
    "in force, first day": paper(starts_on=days(0), signed_on=days(0)),
    "in force, last day": paper(ends_on=days(0)),
    "missing": partial(nothing, f"No contract of {NAME} is on file."),
    "ended": paper(none_in_force(f"the latest ended on {said(days(-1))}"), ends_on=days(-1)),
    "not begun": paper(none_in_force(f"the latest begins on {said(days(1))}"), starts_on=days(1)),
    "not signed yet": paper(none_in_force(f"the latest begins on {said(days(2))}"), signed_on=days(2)),
    "no provider": paper(not_allowed(days(-9), "Resemble AI"), providers=["other"]),
    "no purpose": paper(not_allowed(days(-9), USE), purposes=[Purpose.ADVERTISING]),
    "neither": paper(not_allowed(days(-9), "Resemble AI", USE), providers=[], purposes=[]),
    "replaced by one that allows less": replaced(
        not_allowed(days(-2), USE), starts_on=days(-2), signed_on=days(-2), purposes=[]
    ),
    "replaced by one that ended": replaced(
        none_in_force(f"the latest ended on {said(days(-1))}"), starts_on=days(-2), ends_on=days(-1)
    ),
    "replaced from tomorrow": replaced(starts_on=days(1), purposes=[]),
}


@pytest.fixture
def voice(harness: BuildHarness) -> Voice:
    """A voice with three recordings that only their rows know of: nothing of it may be sent."""
    voice = create_voice(harness.make_talent(), "Narrator", "en-US", Purpose.NARRATION, harness.producer)
    Recording.objects.bulk_create(
        Recording(
            voice=voice, file=f"none/{n}.wav", file_name=f"{n}.wav", sha256=f"{n:064}", size=1, status="accepted",
            seconds=4.0, sample_rate=16000, uploaded_by=harness.producer, transcript="Words.",
        )
        for n in range(3)
    )  # fmt: skip
    return voice


@pytest.mark.parametrize("consent", CONSENTS)
def test_start_names_each_reason_and_calls_nobody(harness: BuildHarness, voice: Voice, consent: str) -> None:
    """This consent with every contract: both must be in force, and what is said is exactly what is wrong."""
    for contract in CONTRACTS:
        talent = Talent.objects.create(name=NAME, email="t@people.test", created_by=harness.producer)
        Voice.objects.filter(pk=voice.pk).update(talent=talent)
        voice.refresh_from_db()
        reasons = [CONSENTS[consent](harness, talent), CONTRACTS[contract](harness, talent)]
        wanted = " ".join(reason for reason in reasons if reason)
        if not wanted:
            build = harness.start_build(voice)
            assert build.consent.talent == build.contract.talent == talent
            cancel_build(build, harness.producer)
            continue
        before = Build.objects.count(), Task.objects.count(), RemoteVoice.objects.count()
        with pytest.raises(BuildRefused) as refused:
            harness.start_build(voice)
        assert str(refused.value) == wanted, (consent, contract)
        assert (Build.objects.count(), Task.objects.count(), RemoteVoice.objects.count()) == before
    harness.run_tasks()
    assert harness.count_requests() == 0


def test_consent_of_somebody_else_is_no_consent(harness: BuildHarness, voice: Voice) -> None:
    other = Talent.objects.create(name="Olga", email="o@people.test", created_by=harness.producer)
    a_consent("approved", "", harness, other)
    harness.make_contract(other)
    with pytest.raises(BuildRefused) as refused:
        harness.start_build(voice)
    assert refused.value.reasons == (NOT_ASKED, f"No contract of {NAME} is on file.")


def test_account_that_is_paused_builds_nothing(harness: BuildHarness) -> None:
    voice = harness.make_voice()
    pause_account(harness.account, "Moving to another plan.", harness.producer)
    with pytest.raises(BuildRefused, match="another plan"):
        harness.start_build(voice)
    assert not Build.objects.exists()


# --- between start and sending ----------------------------------------------------------


def end_contract(_desk: BuildHarness, build: Build) -> str:
    Contract.objects.filter(pk=build.contract_id).update(ends_on=days(-1))
    return none_in_force(f"the latest ended on {said(days(-1))}")


def replace_contract(harness: BuildHarness, build: Build) -> str:
    harness.make_contract(
        build.voice.talent, supersedes=build.contract, purposes=[], signed_on=days(-1), starts_on=days(-1)
    )
    return not_allowed(days(-1), USE)


def take_back(harness: BuildHarness, build: Build) -> str:
    withdraw_consent(build.consent, harness.producer, "Changed her mind.")
    return f"The consent of {NAME} for Resemble AI for {USE} is not in force: withdrawn."


def hold(harness: BuildHarness, build: Build) -> str:
    suspend_consent(build.consent, harness.producer, "A dispute.")
    return f"The consent of {NAME} for Resemble AI for {USE} is not in force: suspended."


def let_expire(_desk: BuildHarness, build: Build) -> str:
    Consent.objects.filter(pk=build.consent_id).update(valid_until=days(-1))
    return f"The consent of {NAME} for Resemble AI ended on {said(days(-1))}."


def take_back_and_give_anew(harness: BuildHarness, build: Build) -> str:
    """The take that would go out is of the consent that was taken back."""
    take_back(harness, build)
    a_consent("approved", "", harness, build.voice.talent)
    return "The consent or the contract of this build is no longer in force."


CHANGES = [end_contract, replace_contract, take_back, hold, let_expire, take_back_and_give_anew]


@pytest.mark.parametrize("rebuilt", [False, True])
@pytest.mark.parametrize("change", CHANGES)
def test_gate_is_asked_again_before_anything_leaves(
    harness: BuildHarness, change: Callable[[BuildHarness, Build], str], rebuilt: bool
) -> None:
    """Also for a voice that is there already, to which not even the new callback address may go."""
    voice = harness.make_voice()
    if rebuilt:
        harness.finish_build(harness.start_build(voice))
    build, before = harness.start_build(voice), harness.count_requests()
    wanted = change(harness, build)
    harness.reach_status(build, BuildStatus.FAILED)
    assert build.issue == wanted
    assert harness.count_requests() == before


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("line", ["record_voice", "record_recording"])
def test_gate_is_asked_while_recordings_are_sent(
    harness: BuildHarness, change: Callable[[BuildHarness, Build], str], line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has arrived has arrived; nothing more leaves, and the build call is not made."""
    build = harness.start_build(harness.make_voice())
    wanted: list[str] = []
    written = getattr(BuildJournal, line)

    def then_change(journal: BuildJournal, *told: str) -> None:
        written(journal, *told)
        if not wanted:
            wanted.append(change(harness, Build.objects.get(pk=build.pk)))

    monkeypatch.setattr(BuildJournal, line, then_change)
    harness.reach_status(build, BuildStatus.FAILED)
    assert build.issue == wanted[0]
    assert harness.count_billed() == {"create_voice": 1}
    assert len(harness.list_requests("create_recording")) == (1 if line == "record_recording" else 0)


def test_gate_is_asked_again_after_a_step_in_doubt(harness: BuildHarness, sandbox: Any) -> None:
    """The voice was not made; the consent is taken back while we look; it is not made after that."""
    sandbox.faults({"operation": "create_voice", "do": "drop", "nth": 1})
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.UNCONFIRMED)
    take_back(harness, build)
    build = harness.finish_build(build)
    assert build.status == BuildStatus.FAILED
    assert not harness.count_billed()


def test_suspension_that_ended_in_time_is_forgotten(harness: BuildHarness) -> None:
    build = harness.start_build(harness.make_voice())
    suspend_consent(build.consent, harness.producer, "A dispute.")
    build.consent.refresh_from_db()
    resume_consent(build.consent, harness.producer, "Settled.")
    assert harness.finish_build(build).status == BuildStatus.READY


def test_newer_papers_do_not_stop_a_build(harness: BuildHarness) -> None:
    """The consent and the contract of the build are in force still; that there are others now is no objection."""
    build = harness.start_build(harness.make_voice())
    harness.make_contract(build.voice.talent, signed_on=days(-1), starts_on=days(-1))
    harness.make_consent(build.voice.talent)
    assert harness.finish_build(build).status == BuildStatus.READY


def test_every_start_is_in_the_history_of_its_consent(harness: BuildHarness) -> None:
    build = harness.start_build(harness.make_voice())
    event = build.consent.events.get(kind="used")
    assert event.payload["build"] == str(build.pk)
    assert event.actor == harness.producer


def test_approval_rests_on_the_take_that_goes_out(harness: BuildHarness) -> None:
    build = harness.start_build(harness.make_voice())
    assert build.consent.take
    with pytest.raises(ActionRefused):
        approve_after_listening(build.consent, build.consent.take, harness.producer)
    assert harness.finish_build(build).status == BuildStatus.READY
