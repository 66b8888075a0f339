"""What every provider is held to. Subclass HttpProviderContract as Test… in test_<slug>.py and fill in the hooks.

The oracle is what the other side saw: the sandbox's ledger and request log, never what VoiceHub believes. The classes
are not named Test…, so that they are only collected where a provider takes them on.

How to fill in the hooks (they are the annotated attributes and the methods of ProviderContract):

- `provider_class`: the adapter.
- `creating`: the sandbox's operations that create or start something, in the order of one submit, such as
  ("v1_create_voice", "v1_build"). The sandbox writes a line of the ledger for each of them, in the transaction that
  does it, with our reference (what the voice is named or aliased) as `name` and the remote id as `voice`; the charge
  may be 0 there and billed by another operation's line later. Override `creations` where a tier or way has fewer.
- `sending`: the operation that takes a recording or the parcel, "" where the audio goes with the creating call.
  `sends_again`: True where, after a crash, what was sent may be sent there again, as it costs and makes nothing.
- `lost_create_ends_in_failure`: True where what is needed to go on came with the answer to the create and is lost with
  it, so that the resume raises ProviderRejected and makes no second voice.
- `few`: more settings of the sandbox, under which three recordings of 1.5 s (clips) or 12.5 s (a parcel) are enough.
- `voice_answer(status)`: the vendor's JSON for the look-up of voice "x" in this raw status; `success`: the HTTP status
  of the answer to a create. `statuses`: every raw word that is attested, with what it means. `error_answer(words)`:
  the vendor's error form. `odd`: more answers in good JSON that are not what was asked for, of any question.
- `id_less_answers`: what a create may be answered that has no id in it; empty where the id is our own reference.
- `says_nothing`: those of `creating` whose answer of success may be empty.
- `asks_by_id`: False where the look-up does not carry the id in its address.
- Where `can_find` is False a person settles a create whose answer was lost: `person_finds` looks into the ledger.
- Where a voice is trained again, subclass TrainsAgain too; where recordings go one by one, SendsRecordings; where an
  answer of 2xx can say no, SaysSuccess.

A test of a vendor's own gets the fixtures `scene` (the sandbox with an account of this test: opened(), billed(),
done(), asked()), `listener`, and of HttpProviderContract `client` with `hostile`.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from uuid import uuid4

import pytest

from providers.base import Provider
from providers.errors import NotFound, ProviderAuthError, ProviderRejected, ProviderUnavailable, UnsupportedFeature
from providers.http import HttpProvider
from providers.types import (
    BuildReport,
    BuildSpec,
    Capabilities,
    Handover,
    RemoteStatus,
    StatusUpdates,
    Tier,
    Visibility,
)
from tests.providers.journal import Notes, carry_out
from tests.providers.making import blob, clips_of, parcel_for, statement
from tests.support.sandbox import Listener, Sandbox

LONG = 1e6
"""Seconds of a training of which nobody waits for the end."""
CLIPS = (Handover.RECORDINGS, Handover.FILE_IDS)
OPTIONAL: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "can_find": ("find_build", lambda provider: provider.find_build("x")),
    "can_rename": ("rename_voice", lambda provider: provider.rename_voice("x", "y")),
    "can_list": ("list_voices", lambda provider: list(provider.list_voices())),
    "can_set_visibility": ("set_visibility", lambda provider: provider.set_visibility("x", Visibility.PRIVATE)),
    "can_delete": ("delete_voice", lambda provider: provider.delete_voice("x")),
    "can_preview": ("generate_preview", lambda provider: provider.generate_preview("x", "Hello.")),
}


def hint(key: str) -> str:
    """What the sandbox's ledger and log call the account of a key."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Scene:
    """The sandbox, and one account there that is this test's alone."""

    sandbox: Sandbox
    provider_class: type[HttpProvider]
    key: str
    creating: tuple[str, ...]
    address: str = ""
    """Where the provider is opened, if it is not the sandbox itself."""

    def opened(self, address: str = "") -> HttpProvider:
        where = address or self.address or self.sandbox.address
        return self.provider_class(self.key, sandbox_url=where, sandboxed=True)

    def ledger(self) -> list[dict[str, Any]]:
        return self.sandbox.ledger(account=hint(self.key))

    def billed(self) -> dict[str, Counter[str]]:
        """How often each creating operation was done, by the name of the voice."""
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for line in self.ledger():
            if line["operation"] in self.creating:
                found[line["name"]][line["operation"]] += 1
        return found

    def asked(self) -> list[dict[str, Any]]:
        """What the sandbox heard of this account, oldest first."""
        return [request for request in self.sandbox.requests() if request["account"] == hint(self.key)]

    def done(self, operation: str) -> int:
        """How often the sandbox did this operation. Calls without a key are anybody's: compare with before."""
        mine = [r for r in self.sandbox.requests() if r["account"] in (hint(self.key), "")]
        return sum(r["operation"] == operation and 200 <= (r["status"] or 0) < 300 for r in mine)


class ProviderContract:
    """Held by whatever way a provider is spoken to."""

    provider_class: ClassVar[type[HttpProvider]]
    creating: ClassVar[tuple[str, ...]]
    sending: ClassVar[str]
    sends_again: ClassVar[bool] = False
    lost_create_ends_in_failure: ClassVar[bool] = False
    few: ClassVar[Mapping[str, Any]] = {}
    statuses: ClassVar[Mapping[str, RemoteStatus]]
    success: ClassVar[int] = 200
    odd: ClassVar[Sequence[Any]] = ()
    id_less_answers: ClassVar[Sequence[Any]]
    asks_by_id: ClassVar[bool] = True
    says_nothing: ClassVar[Sequence[str]] = ()

    def creations(self, tier: Tier, way: Handover) -> tuple[str, ...]:
        """Those of `creating` that a new voice handed over like this takes."""
        return self.creating

    def voice_answer(self, status: str) -> Any:
        """The vendor's answer to the look-up of voice "x" in this raw status."""
        raise NotImplementedError

    def error_answer(self, words: str) -> dict[str, Any]:
        """The vendor's form of an error in these words."""
        raise NotImplementedError

    def person_finds(self, scene: Scene, reference: str) -> str:
        """The remote id of the voice of this name, as a person finds it on the vendor's pages; "" for none."""
        made = (line for line in scene.ledger() if line["operation"] in self.creating and line["name"] == reference)
        return str(next((line["voice"] for line in made), ""))

    # --- what the tests are made of ---

    @pytest.fixture(autouse=True)
    def _settings(self, request: pytest.FixtureRequest) -> None:
        """The voices of the contract, which are many, train past the end of every vendor's own test."""
        of_contract = request.function.__module__.endswith("contract")
        if "sandbox" in request.fixturenames:
            settings = {**self.few, **({"training_seconds": LONG} if of_contract else {})}
            request.getfixturevalue("sandbox").control("POST", "settings", settings)

    @pytest.fixture
    def key(self) -> str:
        return f"secret-{uuid4().hex}"

    @pytest.fixture
    def scene(self, sandbox: Sandbox, key: str) -> Scene:
        return Scene(sandbox, self.provider_class, key, self.creating)

    def ways(self) -> list[tuple[Tier, Handover]]:
        return [(tier, way) for tier, can in self.provider_class.tiers.items() for way in can.handover]

    def unlike_ways(self) -> list[tuple[Tier, Handover]]:
        """Those by which a submit makes other calls: where only limits differ, the first tier stands for all."""
        tiers = self.provider_class.tiers
        calls: dict[object, tuple[Tier, Handover]] = {}
        for tier, way in self.ways():
            calls.setdefault((way, self.creations(tier, way), tiers[tier].consent_proof), (tier, way))
        return list(calls.values())

    def spec(self, tier: Tier, way: Handover, listener: Listener, clips: int = 3) -> BuildSpec:
        """A new build with whatever this way of handing over takes."""
        can = self.provider_class.tiers.get(tier) or next(iter(self.provider_class.tiers.values()))
        return BuildSpec(
            reference=f"vh-{uuid4().hex[:12]}",
            tier=tier,
            language="en-US",
            handover=way,
            consent=blob("consent.wav", statement()),
            clips=clips_of(clips) if way in CLIPS else (),
            callback_url=f"{listener.address}/hook" if StatusUpdates.CALLBACK in can.status_updates else "",
            dataset_url=f"{listener.address}/{uuid4().hex}.wav" if way is Handover.DATASET_URL else "",
            pack_file=parcel_for(way, can.encoding),
        )

    def notes(self, spec: BuildSpec, **more: Any) -> Notes:
        return Notes(clips={clip.key: clip.transcript for clip in spec.clips}, **more)

    def settled(self, scene: Scene, spec: BuildSpec, notes: Notes) -> BuildReport | None:
        """Look what became of the step in doubt; the build's report if it was the build call and it had arrived."""
        step, notes.step = notes.step, ""
        with scene.opened() as provider:
            if step == "create" and provider.tiers[spec.tier].can_find:
                found = provider.find_build(spec.reference)
                notes.remote_id = found.remote_id if found else notes.remote_id
            elif step == "create":
                notes.remote_id = self.person_finds(scene, spec.reference)
            elif step == "build":
                return self._begun(scene, provider.fetch_build(spec.remote_id), spec, notes)
        return None

    def _begun(self, scene: Scene, report: BuildReport, spec: BuildSpec, notes: Notes) -> BuildReport | None:
        """Whether it trains; where the provider does not say, a person sees it."""
        begun = report.version != notes.mark or report.status is RemoteStatus.TRAINING
        if not begun and report.status is RemoteStatus.UNKNOWN:
            begun = scene.billed()[spec.reference][self.creating[-1]] > 0
        return report if begun else None

    def carried(self, scene: Scene, spec: BuildSpec, notes: Notes) -> Notes:
        """Submit as often as it takes. `report` stays None where what was lost with an answer made that impossible."""
        try:
            notes.report = carry_out(scene.opened, spec, notes, lambda known, told: self.settled(scene, known, told))
        except ProviderRejected:
            if not (self.lost_create_ends_in_failure and notes.remote_id and not notes.kept):
                raise
        return notes

    def expected(self, tier: Tier, way: Handover, notes: Notes | None = None) -> Counter[str]:
        """What a new voice's name has in the ledger once it was carried out."""
        wanted = self.creations(tier, way)
        return Counter(wanted if notes is None or notes.report else wanted[:1])

    # --- what it says of itself ---

    def test_says_who_it_is(self) -> None:
        assert self.provider_class.slug
        assert self.provider_class.label
        assert self.provider_class.tiers
        for tier, can in self.provider_class.tiers.items():
            assert can.tier is tier
            assert can.handover
            assert can.status_updates

    def test_every_limit_names_its_source_and_date(self) -> None:
        for can in self.provider_class.tiers.values():
            for limit in can.limits.values():
                assert limit.value > 0
                assert limit.source
                assert limit.checked

    def test_can_what_it_declares_and_nothing_else(self) -> None:
        for can in self.provider_class.tiers.values():
            for flag, (method, _question) in OPTIONAL.items():
                assert self._overrides(method) == getattr(can, flag), method
            assert self._overrides("parse_callback") == (StatusUpdates.CALLBACK in can.status_updates)

    def _overrides(self, method: str) -> bool:
        return getattr(self.provider_class, method) is not getattr(Provider, method)

    def test_what_it_cannot_do_is_refused_without_a_call(self, key: str, hostile: Any) -> None:
        can = next(iter(self.provider_class.tiers.values()))
        for flag, (_method, question) in OPTIONAL.items():
            with self.provider_class(key, sandbox_url=hostile.address, sandboxed=True) as provider:
                if not getattr(can, flag):
                    with pytest.raises(UnsupportedFeature):
                        question(provider)
        assert not hostile.asked

    # --- submit ---

    def test_every_declared_way_submits(self, scene: Scene, listener: Listener) -> None:
        for tier, way in self.ways():
            spec = self.spec(tier, way, listener)
            with scene.opened() as provider:
                report = provider.submit_build(spec, notes := self.notes(spec))
                assert report.remote_id == notes.remote_id
                assert provider.fetch_build(notes.remote_id).remote_id == notes.remote_id
            assert notes.step == ("build" if len(self.creations(tier, way)) > 1 else "")
            assert self.person_finds(scene, spec.reference) == notes.remote_id
            assert scene.billed()[spec.reference] == self.expected(tier, way), (tier, way)

    def test_undeclared_ways_are_refused_without_a_call(self, scene: Scene, listener: Listener) -> None:
        declared = set(self.ways())
        for tier in Tier:
            for way in Handover:
                if (tier, way) in declared:
                    continue
                with scene.opened() as provider, pytest.raises(UnsupportedFeature):
                    provider.submit_build(self.spec(tier, way, listener), Notes())
        assert not scene.asked()

    def test_undeclared_tier_is_refused_without_a_call(self, key: str, hostile: Any, listener: Listener) -> None:
        provider = self.provider_class(key, sandbox_url=hostile.address, sandboxed=True)
        spec = self.spec(*self.ways()[0], listener)
        can: dict[Tier, Capabilities] = {}
        provider.tiers = can  # type: ignore[misc]  # of this one object
        with provider, pytest.raises(UnsupportedFeature):
            provider.submit_build(spec, Notes())
        assert not hostile.asked

    # --- the case that protects money ---

    def test_killed_at_any_line_nothing_is_created_twice(self, scene: Scene, listener: Listener) -> None:
        for tier, way in self.unlike_ways():
            sent = self._sent(scene)
            first = self.spec(tier, way, listener)
            lines = self.carried(scene, first, self.notes(first)).lines
            outcomes = {first.reference: (0, True, self.notes(first))}
            for line in range(1, lines + 2):
                for keeps_last in (False, True):
                    spec = self.spec(tier, way, listener)
                    notes = self.carried(scene, spec, self.notes(spec, dies_at=line, keeps_last=keeps_last))
                    outcomes[spec.reference] = (line, keeps_last, notes)
            self._each_once(scene, tier, way, outcomes)
            self._sends(self._sent(scene) - sent, max(len(first.clips), bool(first.pack_file)), outcomes)

    def _each_once(self, scene: Scene, tier: Tier, way: Handover, outcomes: dict[str, tuple[int, bool, Notes]]) -> None:
        billed = scene.billed()
        for reference, (line, keeps_last, notes) in outcomes.items():
            wanted = self.expected(tier, way, notes if line else None)
            assert billed[reference] == wanted, (tier, way, line, keeps_last)

    def _sent(self, scene: Scene) -> int:
        return scene.done(self.sending) if self.sending else 0

    def _sends(self, sent: int, each: int, outcomes: dict[str, tuple[int, bool, Notes]]) -> None:
        """Each recording once in each build, or once more for a death where that costs nothing."""
        whole = sum(notes.report is not None or not line for line, _keeps, notes in outcomes.values())
        if not self.sending:
            assert sent == 0
        elif self.sends_again:
            assert whole * each <= sent <= whole * each + len(outcomes)
        else:
            assert sent == whole * each

    # --- news of the network ---

    def test_told_to_wait_before_creating_nothing_is_in_doubt(self, scene: Scene, listener: Listener) -> None:
        for tier, way in self.ways():
            for operation in self.creations(tier, way):
                scene.sandbox.faults({"operation": operation, "do": "status:429", "nth": 1, "retry_after": "7"})
                spec = self.spec(tier, way, listener)
                notes = self.notes(spec)
                with scene.opened() as provider, pytest.raises(ProviderUnavailable) as told:
                    provider.submit_build(spec, notes)
                assert told.value.retry_after == 7
                notes.step = ""
                self.carried(scene, spec, notes)
                assert scene.billed()[spec.reference] == self.expected(tier, way), (way, operation)

    # --- the rest of the conversation ---

    def _made(self, scene: Scene, listener: Listener, count: int) -> Iterator[tuple[BuildSpec, str]]:
        """New voices: the spec and the remote id of each."""
        for _ in range(count):
            spec = self.spec(*self.ways()[0], listener)
            with scene.opened() as provider:
                yield spec, provider.submit_build(spec, self.notes(spec)).remote_id

    def test_finds_a_voice_by_its_name_among_others(self, scene: Scene, listener: Listener) -> None:
        can = next(iter(self.provider_class.tiers.values()))
        for spec, remote_id in list(self._made(scene, listener, 3)):
            with scene.opened() as provider:
                assert provider.fetch_build(remote_id).remote_id == remote_id
                if can.can_list:
                    assert remote_id in [report.remote_id for report in provider.list_voices()]
                if can.can_find:
                    found = provider.find_build(spec.reference)
                    assert found is not None
                    assert (found.remote_id, found.name) == (remote_id, spec.reference)
                    assert provider.find_build(f"{spec.reference}0") is None

    def test_voice_that_is_not_there_is_not_found(self, scene: Scene) -> None:
        can = next(iter(self.provider_class.tiers.values()))
        with scene.opened() as provider:
            with pytest.raises(NotFound):
                provider.fetch_build("nobody")
            if can.can_find:
                assert provider.find_build("vh-nobody") is None

    def test_deleted_is_gone_and_deleting_twice_is_deleting(self, scene: Scene, listener: Listener) -> None:
        can = next(iter(self.provider_class.tiers.values()))
        ((spec, remote_id),) = self._made(scene, listener, 1)
        with scene.opened() as provider:
            if not can.can_delete:
                assert provider.fetch_build(remote_id).remote_id == remote_id
                return
            provider.delete_voice(remote_id)
            assert provider.delete_voice(remote_id) == {}
            with pytest.raises(NotFound):
                provider.fetch_build(remote_id)
            if can.can_find:
                assert provider.find_build(spec.reference) is None

    def test_voice_is_everybodys_only_when_somebody_says_so(self, scene: Scene, listener: Listener) -> None:
        can = next(iter(self.provider_class.tiers.values()))
        ((_spec, remote_id),) = self._made(scene, listener, 1)
        with scene.opened() as provider:
            assert provider.fetch_build(remote_id).visibility is (
                Visibility.PRIVATE if can.can_set_visibility else None
            )
            if can.can_set_visibility:
                for visibility in (Visibility.PUBLIC, Visibility.PRIVATE):
                    provider.set_visibility(remote_id, visibility)
                    assert provider.fetch_build(remote_id).visibility is visibility

    def test_renamed_is_renamed(self, scene: Scene, listener: Listener) -> None:
        can = next(iter(self.provider_class.tiers.values()))
        ((_spec, remote_id),) = self._made(scene, listener, 1)
        with scene.opened() as provider:
            if can.can_rename:
                provider.rename_voice(remote_id, "vh-other")
            assert (provider.fetch_build(remote_id).name == "vh-other") == can.can_rename

    def test_bad_key_is_told_apart(self, sandbox: Sandbox, listener: Listener) -> None:
        for key in ("bad-key", "plan-key"):
            with self.provider_class(key, sandbox_url=sandbox.address, sandboxed=True) as provider:
                spec = self.spec(*self.ways()[0], listener)
                with pytest.raises(ProviderAuthError):
                    provider.submit_build(spec, notes := self.notes(spec))
                assert key not in repr(notes)

    def test_good_key_is_good(self, scene: Scene) -> None:
        with scene.opened() as provider:
            provider.check_key()
        with replace(scene, key="bad-key").opened() as provider, pytest.raises(ProviderAuthError):
            provider.check_key()

    def test_sandbox_account_without_a_sandbox_calls_nobody(self, key: str) -> None:
        with pytest.raises(ProviderUnavailable):
            self.provider_class(key, sandbox_url="", sandboxed=True)

    def test_live_account_goes_to_the_vendor_and_nowhere_else(self, key: str, sandbox: Sandbox) -> None:
        with self.provider_class(key, sandbox_url=sandbox.address) as provider:
            assert provider.base_url == self.provider_class.live_url
            assert provider.base_url.startswith("https://")
            assert sandbox.address not in str(vars(provider))
