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
from tests.voices.services.builds.desk import PROVIDER, Desk
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

Make = Callable[[Desk, Talent], str]


def a_consent(
    status: str, reason: str = "", desk: Desk | None = None, talent: Talent | None = None, **terms: Any
) -> str:
    assert desk
    assert talent
    asked = {"provider": PROVIDER, "purpose": Purpose.NARRATION} | terms
    consent = request_consent(talent, PROVIDER, "en-US", asked["purpose"], desk.producer)
    take = Take(consent=consent, sha256="0" * 64, size=1, capture="link", acceptable=True, file="none.wav")
    take.save()
    Consent.objects.filter(pk=consent.pk).update(
        status=status, take=take, approved_by=desk.producer, approved_at=timezone.now(), **asked
    )
    return reason


def nothing(reason: str, _desk: Desk, _talent: Talent) -> str:
    return reason


def consent_in(status: ConsentStatus, word: str) -> Make:
    reason = f"The consent of {NAME} for Resemble AI for {USE} is not in force: {word}."
    return lambda desk, talent: a_consent(status, reason, desk, talent)


CONSENTS: dict[str, Make] = {
    "in force": lambda desk, talent: a_consent("approved", "", desk, talent),
    "in force until today": lambda desk, talent: a_consent("approved", "", desk, talent, valid_until=days(0)),
    "missing": partial(nothing, NOT_ASKED),
    "requested": consent_in(ConsentStatus.REQUESTED, "the talent has not recorded it yet"),
    "submitted": consent_in(ConsentStatus.SUBMITTED, "it has not been reviewed yet"),
    "suspended": consent_in(ConsentStatus.SUSPENDED, "suspended"),
    "declined": consent_in(ConsentStatus.DECLINED, "declined"),
    "voided": consent_in(ConsentStatus.VOIDED, "canceled"),
    "withdrawn": consent_in(ConsentStatus.WITHDRAWN, "withdrawn"),
    "expired": consent_in(ConsentStatus.EXPIRED, "expired"),
    "past its end": lambda desk, talent: a_consent(
        "approved", f"The consent of {NAME} for Resemble AI ended on {said(days(-1))}.", desk, talent,
        valid_until=days(-1),
    ),
    "for another purpose": lambda desk, talent: a_consent(
        "approved", NOT_ASKED, desk, talent, purpose=Purpose.ADVERTISING
    ),
    "for another provider": lambda desk, talent: a_consent("approved", NOT_ASKED, desk, talent, provider="other"),
}  # fmt: skip


def paper(reason: str = "", **terms: Any) -> Make:
    def make(desk: Desk, talent: Talent) -> str:
        desk.contract(talent, **terms)
        return reason

    return make


def replaced(reason: str = "", **terms: Any) -> Make:
    """A good contract, and another one in its place with these terms."""

    def make(desk: Desk, talent: Talent) -> str:
        good = desk.contract(talent)
        desk.contract(talent, supersedes=good, **terms)
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
def voice(desk: Desk) -> Voice:
    """A voice with three recordings that only their rows know of: nothing of it may be sent."""
    voice = create_voice(desk.talent(), "Narrator", "en-US", Purpose.NARRATION, desk.producer)
    Recording.objects.bulk_create(
        Recording(
            voice=voice, file=f"none/{n}.wav", file_name=f"{n}.wav", sha256=f"{n:064}", size=1, status="accepted",
            seconds=4.0, sample_rate=16000, uploaded_by=desk.producer, transcript="Words.",
        )
        for n in range(3)
    )  # fmt: skip
    return voice


@pytest.mark.parametrize("consent", CONSENTS)
def test_start_names_each_reason_and_calls_nobody(desk: Desk, voice: Voice, consent: str) -> None:
    """This consent with every contract: both must be in force, and what is said is exactly what is wrong."""
    for contract in CONTRACTS:
        talent = Talent.objects.create(name=NAME, email="t@people.test", created_by=desk.producer)
        Voice.objects.filter(pk=voice.pk).update(talent=talent)
        voice.refresh_from_db()
        reasons = [CONSENTS[consent](desk, talent), CONTRACTS[contract](desk, talent)]
        wanted = " ".join(reason for reason in reasons if reason)
        if not wanted:
            build = desk.start(voice)
            assert build.consent.talent == build.contract.talent == talent
            cancel_build(build, desk.producer)
            continue
        before = Build.objects.count(), Task.objects.count(), RemoteVoice.objects.count()
        with pytest.raises(BuildRefused) as refused:
            desk.start(voice)
        assert str(refused.value) == wanted, (consent, contract)
        assert (Build.objects.count(), Task.objects.count(), RemoteVoice.objects.count()) == before
    desk.work()
    assert desk.traffic() == 0


def test_consent_of_somebody_else_is_no_consent(desk: Desk, voice: Voice) -> None:
    other = Talent.objects.create(name="Olga", email="o@people.test", created_by=desk.producer)
    a_consent("approved", "", desk, other)
    desk.contract(other)
    with pytest.raises(BuildRefused) as refused:
        desk.start(voice)
    assert refused.value.reasons == (NOT_ASKED, f"No contract of {NAME} is on file.")


def test_account_that_is_paused_builds_nothing(desk: Desk) -> None:
    voice = desk.voice()
    pause_account(desk.account, "Moving to another plan.", desk.producer)
    with pytest.raises(BuildRefused, match="another plan"):
        desk.start(voice)
    assert not Build.objects.exists()


# --- between start and sending ----------------------------------------------------------


def end_contract(_desk: Desk, build: Build) -> str:
    Contract.objects.filter(pk=build.contract_id).update(ends_on=days(-1))
    return none_in_force(f"the latest ended on {said(days(-1))}")


def replace_contract(desk: Desk, build: Build) -> str:
    desk.contract(build.voice.talent, supersedes=build.contract, purposes=[], signed_on=days(-1), starts_on=days(-1))
    return not_allowed(days(-1), USE)


def take_back(desk: Desk, build: Build) -> str:
    withdraw_consent(build.consent, desk.producer, "Changed her mind.")
    return f"The consent of {NAME} for Resemble AI for {USE} is not in force: withdrawn."


def hold(desk: Desk, build: Build) -> str:
    suspend_consent(build.consent, desk.producer, "A dispute.")
    return f"The consent of {NAME} for Resemble AI for {USE} is not in force: suspended."


def let_expire(_desk: Desk, build: Build) -> str:
    Consent.objects.filter(pk=build.consent_id).update(valid_until=days(-1))
    return f"The consent of {NAME} for Resemble AI ended on {said(days(-1))}."


def take_back_and_give_anew(desk: Desk, build: Build) -> str:
    """The take that would go out is of the consent that was taken back."""
    take_back(desk, build)
    a_consent("approved", "", desk, build.voice.talent)
    return "The consent or the contract of this build is no longer in force."


CHANGES = [end_contract, replace_contract, take_back, hold, let_expire, take_back_and_give_anew]


@pytest.mark.parametrize("rebuilt", [False, True])
@pytest.mark.parametrize("change", CHANGES)
def test_gate_is_asked_again_before_anything_leaves(
    desk: Desk, change: Callable[[Desk, Build], str], rebuilt: bool
) -> None:
    """Also for a voice that is there already, to which not even the new callback address may go."""
    voice = desk.voice()
    if rebuilt:
        desk.finish(desk.start(voice))
    build, before = desk.start(voice), desk.traffic()
    wanted = change(desk, build)
    desk.reach(build, BuildStatus.FAILED)
    assert build.issue == wanted
    assert desk.traffic() == before


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("line", ["record_voice", "record_recording"])
def test_gate_is_asked_while_recordings_are_sent(
    desk: Desk, change: Callable[[Desk, Build], str], line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has arrived has arrived; nothing more leaves, and the build call is not made."""
    build = desk.start(desk.voice())
    wanted: list[str] = []
    written = getattr(BuildJournal, line)

    def then_change(journal: BuildJournal, *told: str) -> None:
        written(journal, *told)
        if not wanted:
            wanted.append(change(desk, Build.objects.get(pk=build.pk)))

    monkeypatch.setattr(BuildJournal, line, then_change)
    desk.reach(build, BuildStatus.FAILED)
    assert build.issue == wanted[0]
    assert desk.ledger() == {"create_voice": 1}
    assert len(desk.asked("create_recording")) == (1 if line == "record_recording" else 0)


def test_gate_is_asked_again_after_a_step_in_doubt(desk: Desk, sandbox: Any) -> None:
    """The voice was not made; the consent is taken back while we look; it is not made after that."""
    sandbox.faults({"operation": "create_voice", "do": "drop", "nth": 1})
    build = desk.reach(desk.start(desk.voice()), BuildStatus.UNCONFIRMED)
    take_back(desk, build)
    build = desk.finish(build)
    assert build.status == BuildStatus.FAILED
    assert not desk.ledger()


def test_suspension_that_ended_in_time_is_forgotten(desk: Desk) -> None:
    build = desk.start(desk.voice())
    suspend_consent(build.consent, desk.producer, "A dispute.")
    build.consent.refresh_from_db()
    resume_consent(build.consent, desk.producer, "Settled.")
    assert desk.finish(build).status == BuildStatus.READY


def test_newer_papers_do_not_stop_a_build(desk: Desk) -> None:
    """The consent and the contract of the build are in force still; that there are others now is no objection."""
    build = desk.start(desk.voice())
    desk.contract(build.voice.talent, signed_on=days(-1), starts_on=days(-1))
    desk.consent(build.voice.talent)
    assert desk.finish(build).status == BuildStatus.READY


def test_every_start_is_in_the_history_of_its_consent(desk: Desk) -> None:
    build = desk.start(desk.voice())
    event = build.consent.events.get(kind="used")
    assert event.payload["build"] == str(build.pk)
    assert event.actor == desk.producer


def test_approval_rests_on_the_take_that_goes_out(desk: Desk) -> None:
    build = desk.start(desk.voice())
    assert build.consent.take
    with pytest.raises(ActionRefused):
        approve_after_listening(build.consent, build.consent.take, desk.producer)
    assert desk.finish(build).status == BuildStatus.READY
