"""What every provider is held to. Subclass HttpProviderContract as Test…, name the adapter, and add what is its own.

The oracle is what the other side saw: the sandbox's ledger and request log, never what VoiceHub believes. The classes
are not named Test…, so that they are only collected where a provider takes them on.
"""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from io import BytesIO
from typing import Any, ClassVar
from uuid import uuid4

import pytest

from tests.providers.journal import Notes, carry_out
from tests.support.sandbox import Listener, Sandbox, until
from tests.support.wav import sample_wav, speech_like, wav_bytes
from voices.providers.base import Provider
from voices.providers.errors import OutcomeUnknown, ProviderAuthError, ProviderUnavailable, UnsupportedFeature
from voices.providers.http import HttpProvider
from voices.providers.types import Blob, BuildReport, BuildSpec, Capabilities, Clip, HandoverWay, RemoteStatus, Tier

OPTIONAL = {
    "can_find": "find_build",
    "can_rename": "rename_voice",
    "can_list": "list_voices",
    "can_set_visibility": "set_visibility",
    "can_delete": "delete_voice",
    "can_preview": "preview",
}


def hint(key: str) -> str:
    """What the sandbox's ledger and log call the account of a key."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def blob(name: str, content: bytes) -> Blob:
    return Blob(name, len(content), lambda: BytesIO(content))


@cache
def sound(number: int) -> bytes:
    return wav_bytes(speech_like(1.5, pitch=120.0 + number))


class ProviderContract:
    """Held by whatever way a provider is spoken to."""

    provider_class: ClassVar[type[HttpProvider]]
    creating: ClassVar[tuple[str, ...]]
    """The operations of the sandbox that create or start something, in the order in which a submit uses them."""
    sending: ClassVar[str]
    """The operation of the sandbox that takes one recording."""

    def trains_by_itself(self, tier: Tier, handover: HandoverWay) -> bool:
        """Whether a new voice handed over like this trains without a build call."""
        return False

    @pytest.fixture
    def key(self) -> str:
        return f"secret-{uuid4().hex}"

    @pytest.fixture
    def opened(self, sandbox: Sandbox, key: str) -> Callable[[], HttpProvider]:
        return lambda: self.provider_class(key, sandbox_url=sandbox.address, sandboxed=True)

    @pytest.fixture
    def seen(self, sandbox: Sandbox, key: str) -> Callable[[str], int]:
        """How often the sandbox did this operation for this test's account, and not only heard of it."""

        def count(operation: str) -> int:
            mine = [r for r in sandbox.requests() if r["account"] == hint(key) and r["operation"] == operation]
            return sum(r["status"] == 200 for r in mine)

        return count

    @pytest.fixture
    def charged(self, sandbox: Sandbox, key: str) -> Callable[[], Counter[str]]:
        """How often each creating operation stands in the ledger."""
        return lambda: Counter(line["operation"] for line in sandbox.ledger(account=hint(key)))

    def spec(self, tier: Tier, handover: HandoverWay, listener: Listener, clips: int = 3) -> BuildSpec:
        by_url = handover is HandoverWay.DATASET_URL
        sent = [
            Clip(f"key-{n}", f"line-{n}", f"Words number {n}.", blob(f"line-{n}.wav", sound(n))) for n in range(clips)
        ]
        return BuildSpec(
            reference=f"vh-{uuid4().hex[:12]}",
            tier=tier,
            language="en-US",
            handover=handover,
            consent=blob("consent.wav", sample_wav("consent-slt")),
            clips=() if by_url else tuple(sent),
            callback_url=f"{listener.address}/hook",
            dataset_url=f"{listener.address}/{uuid4().hex}.wav" if by_url else "",
        )

    def ways(self) -> list[tuple[Tier, HandoverWay]]:
        return [(tier, way) for tier, can in self.provider_class.tiers.items() for way in can.handover]

    # --- what it says of itself ---

    def test_says_who_it_is(self) -> None:
        assert self.provider_class.slug
        assert self.provider_class.label
        assert self.provider_class.tiers
        for tier, can in self.provider_class.tiers.items():
            assert can.tier is tier
            assert can.handover
            assert can.news

    def test_every_limit_names_its_source_and_date(self) -> None:
        for can in self.provider_class.tiers.values():
            for limit in can.limits.values():
                assert limit.value > 0
                assert limit.source
                assert limit.checked

    def test_can_what_it_declares_and_nothing_else(self) -> None:
        for can in self.provider_class.tiers.values():
            for flag, method in OPTIONAL.items():
                overridden = getattr(self.provider_class, method) is not getattr(Provider, method)
                assert overridden == getattr(can, flag), method

    # --- submit ---

    def test_every_declared_way_submits(self, opened: Any, charged: Any, listener: Listener) -> None:
        for tier, way in self.ways():
            spec = self.spec(tier, way, listener)
            before = charged()
            with opened() as provider:
                report = provider.submit(spec, notes := self._notes(spec))
                assert provider.find_build(spec.reference).remote_id == notes.remote_id == report.remote_id
            assert notes.step in ("", "build")
            assert charged() - before == self._expected(tier, way)

    def _notes(self, spec: BuildSpec) -> Notes:
        return Notes(clips={clip.key: clip.transcript for clip in spec.clips})

    def _expected(self, tier: Tier, way: HandoverWay) -> Counter[str]:
        wanted = self.creating[:1] if self.trains_by_itself(tier, way) else self.creating
        return Counter(wanted)

    def test_undeclared_ways_are_refused_without_a_call(
        self, opened: Any, sandbox: Sandbox, listener: Listener, key: str
    ) -> None:
        declared = set(self.ways())
        for tier in Tier:
            for way in HandoverWay:
                if (tier, way) in declared:
                    continue
                with opened() as provider, pytest.raises(UnsupportedFeature):
                    provider.submit(replace(self.spec(tier, way, listener), handover=way), Notes())
        assert not [request for request in sandbox.requests() if request["account"] == hint(key)]

    def test_undeclared_tier_is_refused_without_a_call(self, key: str, hostile: Any, listener: Listener) -> None:
        provider = self.provider_class(key, sandbox_url=hostile.address, sandboxed=True)
        spec = self.spec(Tier.RAPID, HandoverWay.RECORDINGS, listener)
        can: dict[Tier, Capabilities] = {}
        provider.tiers = can  # type: ignore[misc]  # of this one object
        with provider, pytest.raises(UnsupportedFeature):
            provider.submit(spec, Notes())
        assert not hostile.asked

    # --- the case that protects money ---

    def test_killed_at_any_line_nothing_is_created_twice(
        self, opened: Any, seen: Any, charged: Any, listener: Listener
    ) -> None:
        for tier, way in self.ways():
            spec, sent = self.spec(tier, way, listener), seen(self.sending)
            lines = self._carried(opened, spec, Notes()).lines
            for line in range(1, lines + 2):
                for keeps_last in (False, True):
                    spec, before = self.spec(tier, way, listener), charged()
                    self._carried(opened, spec, Notes(dies_at=line, keeps_last=keeps_last))
                    assert charged() - before == self._expected(tier, way), (tier, way, line, keeps_last)
            assert seen(self.sending) - sent == len(spec.clips) * (2 * lines + 3), (tier, way)

    def test_killed_at_any_line_of_a_rebuild_it_is_built_once_more(
        self, opened: Any, sandbox: Sandbox, charged: Any, seen: Any, listener: Listener
    ) -> None:
        """The second build leaves a clip out, brings a new one, changes words; the rest is not sent again."""
        for tier, way in self.ways():
            line, more, sent = 0, True, seen(self.sending)
            while more:
                line += 1
                spec, again = self._trained(opened, sandbox, tier, way, listener)
                before = charged()
                notes = Notes(dies_at=line, keeps_last=line % 2 == 0, remote_id=again.remote_id)
                report = self._carried(opened, again, notes).report
                assert report.status is RemoteStatus.TRAINING, (tier, way, line)
                assert charged() - before == Counter(self.creating[1:]), (tier, way, line)
                more = notes.lines >= line
            assert seen(self.sending) - sent == line * (len(spec.clips) + 1 if spec.clips else 0), (tier, way)

    def _carried(self, opened: Any, spec: BuildSpec, notes: Any) -> Any:
        notes.report = carry_out(opened, spec, notes)
        return notes

    def _trained(
        self, opened: Any, sandbox: Sandbox, tier: Tier, way: HandoverWay, listener: Listener
    ) -> tuple[BuildSpec, BuildSpec]:
        """A build that has come to an end, and the spec of the next one of the same voice."""
        sandbox.control("POST", "settings", {"training_seconds": 0.0})
        spec = replace(self.spec(tier, way, listener), callback_url="")
        notes = self._carried(opened, spec, Notes())
        with opened() as provider:
            self._ended(provider, notes.remote_id)
        sandbox.control("POST", "settings", {"training_seconds": 600.0})
        known = notes.known(spec)
        clips = known.clips
        if clips:
            new = Clip("key-9", "line-9", "Quite new.", blob("line-9.wav", sound(9)))
            clips = (replace(clips[1], transcript="Other words."), clips[2], new)
        surplus = (known.clips[0].remote_id,) if clips else ()
        url = f"{listener.address}/{uuid4().hex}.zip" if known.dataset_url else ""
        return spec, replace(known, clips=clips, surplus=surplus, dataset_url=url)

    def _ended(self, provider: Provider, remote_id: str) -> BuildReport:
        """The report of the build, once there is one."""

        def look() -> BuildReport | None:
            report = provider.fetch_build(remote_id)
            return report if report.status not in (RemoteStatus.TRAINING, RemoteStatus.AWAITING_DATA) else None

        return until(look)

    def test_rebuild_has_exactly_the_recordings_of_its_spec(
        self, opened: Any, sandbox: Sandbox, listener: Listener
    ) -> None:
        for tier, way in self.ways():
            if way is HandoverWay.RECORDINGS:
                _first, again = self._trained(opened, sandbox, tier, way, listener)
                stranger = Clip("key-7", "line-7", "Nobody knows of it.", blob("line-7.wav", sound(7)))
                self._send_behind_our_back(opened, again.remote_id, stranger)
                self._carried(opened, again, Notes(remote_id=again.remote_id))
                there = self._recordings(opened, again.remote_id)
                assert there == {clip.name: clip.transcript for clip in again.clips}

    def _send_behind_our_back(self, opened: Any, remote_id: str, clip: Clip) -> None:
        """Put a recording there as a worker does that is killed before it can write it down."""
        raise NotImplementedError

    def _recordings(self, opened: Any, remote_id: str) -> dict[str, str]:
        """The names and words of the recordings that the provider has."""
        raise NotImplementedError

    def test_what_was_deleted_over_there_is_sent_again(self, opened: Any, sandbox: Sandbox, listener: Listener) -> None:
        for tier, way in self.ways():
            if way is HandoverWay.RECORDINGS:
                first, again = self._trained(opened, sandbox, tier, way, listener)
                self._carried(opened, again, Notes(remote_id=again.remote_id))
                # The clip that the second build left out, which our table still gives an id.
                stale = replace(first.clips[0], remote_id=again.surplus[0], sent_transcript=first.clips[0].transcript)
                third = replace(again, clips=(stale, *again.clips), surplus=())
                self._carried(opened, third, Notes(remote_id=again.remote_id))
                assert set(self._recordings(opened, again.remote_id)) == {clip.name for clip in third.clips}

    # --- lost answers and other news of the network ---

    @pytest.mark.parametrize("fault", ["drop", "truncate", "status:500", "status:503", "garbage"])
    def test_lost_answer_to_a_creating_call_is_settled_by_looking(
        self, opened: Any, sandbox: Sandbox, charged: Any, listener: Listener, fault: str
    ) -> None:
        tier, way = next((t, w) for t, w in self.ways() if not self.trains_by_itself(t, w))
        for operation in self.creating:
            for phase in ("before", "after"):
                spec, before = self.spec(tier, way, listener), charged()
                notes = self._notes(spec)
                sandbox.faults({"operation": operation, "do": fault, "phase": phase, "nth": 1})
                with opened() as provider, pytest.raises(OutcomeUnknown):
                    provider.submit(spec, notes)
                assert notes.step
                self._carried(opened, spec, notes)
                assert charged() - before == Counter(self.creating), (operation, phase)

    def test_told_to_wait_before_creating_nothing_is_in_doubt(
        self, opened: Any, sandbox: Sandbox, charged: Any, listener: Listener
    ) -> None:
        tier, way = self.ways()[0]
        for operation in self.creating:
            rule = {"operation": operation, "do": "status:429", "nth": 1, "retry_after": "7"}
            sandbox.faults(rule)
            before, spec = charged(), self.spec(tier, way, listener)
            notes = self._notes(spec)
            with opened() as provider, pytest.raises(ProviderUnavailable) as told:
                provider.submit(spec, notes)
            assert told.value.retry_after == 7
            notes.step = ""
            self._carried(opened, spec, notes)
            assert charged() - before == self._expected(tier, way)

    def test_lost_answer_to_a_recording_is_not_a_second_recording(
        self, opened: Any, sandbox: Sandbox, listener: Listener
    ) -> None:
        tier, way = next((t, w) for t, w in self.ways() if w is HandoverWay.RECORDINGS)
        spec = self.spec(tier, way, listener)
        notes = self._notes(spec)
        sandbox.faults({"operation": self.sending, "do": "drop", "phase": "after", "nth": 2})
        with opened() as provider, pytest.raises(ProviderUnavailable):
            provider.submit(spec, notes)
        self._carried(opened, spec, notes)
        assert set(self._recordings(opened, notes.remote_id)) == {clip.name for clip in spec.clips}

    # --- the rest of the conversation ---

    def test_finds_nothing_by_a_name_that_nobody_has(self, opened: Any) -> None:
        with opened() as provider:
            assert provider.find_build("vh-nobody") is None

    def test_finds_a_voice_on_any_page(self, opened: Any, listener: Listener, monkeypatch: Any) -> None:
        """Also when the provider gives fewer on a page than it was asked for."""
        raise NotImplementedError

    def test_deleting_twice_is_deleting(self, opened: Any, listener: Listener) -> None:
        tier, way = self.ways()[0]
        spec = self.spec(tier, way, listener)
        with opened() as provider:
            report = provider.submit(spec, self._notes(spec))
            provider.delete_voice(report.remote_id)
            provider.delete_voice(report.remote_id)
            assert provider.find_build(spec.reference) is None

    def test_bad_key_is_told_apart(self, sandbox: Sandbox, listener: Listener) -> None:
        for key in ("bad-key", "plan-key"):
            with self.provider_class(key, sandbox_url=sandbox.address, sandboxed=True) as provider:
                spec = self.spec(*self.ways()[0], listener)
                with pytest.raises(ProviderAuthError):
                    provider.submit(spec, notes := self._notes(spec))
                assert key not in repr(notes)

    def test_good_key_is_good(self, opened: Any) -> None:
        with opened() as provider:
            provider.check_key()

    def test_sandbox_account_without_a_sandbox_calls_nobody(self, key: str) -> None:
        with pytest.raises(ProviderUnavailable):
            self.provider_class(key, sandbox_url="", sandboxed=True)

    def test_live_account_goes_to_the_vendor_and_nowhere_else(self, key: str, sandbox: Sandbox) -> None:
        with self.provider_class(key, sandbox_url=sandbox.address) as provider:
            assert provider.base_url == self.provider_class.live_url
            assert provider.base_url.startswith("https://")
            assert sandbox.address not in str(vars(provider))
