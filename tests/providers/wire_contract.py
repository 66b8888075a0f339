"""What every provider is held to on a bad line: any call of a submit may be lost, refused or answered with nonsense.

The calls go through a relay to the sandbox, so that each of them can be met, whatever its operation is called there.
`late` is done and its answer lost; otherwise nothing of it is done.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle, islice
from typing import Any

import pytest

from providers.errors import (
    NotFound,
    OutcomeUnknown,
    ProviderAuthError,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
)
from providers.types import BuildSpec, Handover, Tier
from tests.providers.contract import ProviderContract, Scene
from tests.providers.journal import Notes
from tests.providers.responses import STATUSES
from tests.support.hostile import Asked, Hostile, answer, zipped
from tests.support.relay import Relay
from tests.support.sandbox import Listener

REDIRECT = answer(302, b"", location="http://127.0.0.1:9/caught")
LOST: dict[str, tuple[bytes, ...]] = {
    "hung up": (),
    "half a head": (b"HTTP/1.1 20",),
    "half a body": (b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"success": true, "item": {"uuid"',),
    "half of chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",),
    "500": (answer(500, b""),),
    "503 in HTML": (answer(503, b"<html>Back soon.</html>", content_type="text/html"),),
    "504": (answer(504, {"message": "Timeout."}),),
    "redirect": (REDIRECT,),
}
"""Answers after which nobody knows whether the call was done."""
NONSENSE: dict[str, tuple[bytes, ...]] = {
    "a page": (answer(200, b"<html>It works!</html>", content_type="text/html"),),
    "nothing": (answer(200, b""),),
    "a word": (answer(200, b'"yes"'),),
    "a bomb": (answer(200, zipped(1 << 20), content_encoding="gzip"),),
    "not text": (answer(200, b"\xff\xfe\x00"),),
}
"""Answers that say well done, and of what is not known."""
FAULTS = {
    "before_commit": ("drop", "reset", "truncate", "garbage", "html", "wrong_type", "redirect", "status:503"),
    "after_commit": ("drop", "reset", "truncate", "garbage", "html", "wrong_type", "redirect", "status:503"),
    "during_body": ("drop", "reset", "status:503"),
}
"""What the sandbox can do to a call, by how far the call has come."""
REFUSED = [line for line in STATUSES if line[0] in (400, 401, 402, 403, 404, 409, 413, 422, 429)]


class WireContract(ProviderContract):
    """Held by every provider that is an HttpProvider."""

    @pytest.mark.parametrize(("phase", "fault"), [(phase, fault) for phase in FAULTS for fault in FAULTS[phase]])
    def test_lost_answer_to_a_creating_call_is_settled_by_looking(
        self, scene: Scene, elsewhere: Hostile, listener: Listener, phase: str, fault: str
    ) -> None:
        for tier, way in self.unlike_ways():
            for operation in self.creations(tier, way):
                spec = self.spec(tier, way, listener)
                notes = self.notes(spec)
                rule = {"operation": operation, "do": fault, "phase": phase, "nth": 1}
                scene.sandbox.faults(rule | ({"to": elsewhere.address} if fault == "redirect" else {}))
                with scene.opened() as provider, pytest.raises(OutcomeUnknown):
                    provider.submit_build(spec, notes)
                assert notes.step
                self.goes_on(scene, spec, notes, OutcomeUnknown(operation))
        assert not elsewhere.connections

    @pytest.mark.parametrize(("phase", "fault"), [(phase, fault) for phase in FAULTS for fault in ("drop", "reset")])
    def test_lost_upload_is_sent_again(self, scene: Scene, listener: Listener, phase: str, fault: str) -> None:
        """Where recordings or the parcel are sent by a call of their own, which may break in the middle."""
        for tier, way in self.unlike_ways():
            spec = self.spec(tier, way, listener)
            notes = self.notes(spec)
            rule = {"operation": self.sending, "do": fault, "phase": phase, "nth": 1}
            scene.sandbox.faults(*([rule] if self.sending else []))
            error = None
            try:
                with scene.opened() as provider:
                    notes.report = provider.submit_build(spec, notes)
            except ProviderError as lost:
                error = lost
            assert bool(error) == bool(self.sending and (spec.clips or spec.pack_file)), (way, error)
            assert not error or type(error) is ProviderUnavailable
            assert not error or not notes.step
            self.goes_on(scene, spec, notes, error)

    @pytest.fixture
    def far(self, scene: Scene, relay: Relay) -> Scene:
        """The sandbox at the other end of the relay."""
        return replace(scene, address=relay.address)

    def plain_run(
        self, scene: Scene, relay: Relay, listener: Listener, tier: Tier, way: Handover
    ) -> tuple[list[Asked], dict[int, str]]:
        """The calls of a submit on a good line, and the operations that create, by the number of the call from 1."""
        before, creating = len(relay.asked), list[int]()
        spec = self.spec(tier, way, listener)
        notes = self.notes(spec, then=lambda _step: creating.append(len(relay.asked) - before + 1))
        with scene.opened() as provider:
            provider.submit_build(spec, notes)
        return relay.asked[before:], dict(zip(creating, self.creations(tier, way), strict=True))

    def met(
        self, scene: Scene, relay: Relay, spec: BuildSpec, number: int, pieces: tuple[bytes, ...], *, late: bool
    ) -> tuple[Notes, ProviderError | None]:
        """A submit whose call of this number is answered like this, and how it ended."""
        relay.answers(len(relay.asked) + number, *pieces, late=late)
        notes, ended = self.notes(spec), None
        with scene.opened() as provider:
            try:
                notes.report = provider.submit_build(spec, notes)
            except ProviderError as error:
                ended = error
            shown = f"{ended!r} {vars(ended) if ended else notes.report} {list(provider.api_log)} {provider!r} {notes}"
        assert scene.key not in shown
        return notes, ended

    def goes_on(self, scene: Scene, spec: BuildSpec, notes: Notes, error: ProviderError | None) -> None:
        """Nothing is in doubt for nothing, and what takes over creates what is missing, and nothing twice."""
        if error:
            self.carried(scene, spec, notes)
        assert scene.billed()[spec.reference] == self.expected(spec.tier, spec.handover, notes)

    def test_any_call_may_be_lost(self, far: Scene, relay: Relay, listener: Listener) -> None:
        """On its way there, or on its way back: each call in both ways, and by each kind of loss in turn."""
        kinds = cycle(LOST.items())
        for tier, way in self.unlike_ways():
            calls, creating = self.plain_run(far, relay, listener, tier, way)
            for number in range(1, len(calls) + 1):
                for late in (False, True):
                    chosen = LOST.items() if number in creating else islice(kinds, 2)
                    for name, pieces in chosen:
                        spec = self.spec(tier, way, listener)
                        notes, error = self.met(far, relay, spec, number, pieces, late=late)
                        # A question may be asked again, or not matter; a call that creates is in doubt.
                        doubtful = error is not None and bool(notes.step)
                        assert doubtful or number not in creating, (way, calls[number - 1].line, name)
                        self.goes_on(far, spec, notes, error)

    def test_any_answer_may_be_nonsense(self, far: Scene, relay: Relay, listener: Listener) -> None:
        kinds = cycle(NONSENSE.items())
        for tier, way in self.unlike_ways():
            calls, creating = self.plain_run(far, relay, listener, tier, way)
            for number in range(1, len(calls) + 1):
                for name, pieces in NONSENSE.items() if number in creating else islice(kinds, 2):
                    spec = self.spec(tier, way, listener)
                    notes, error = self.met(far, relay, spec, number, pieces, late=True)
                    doubtful = error is not None and bool(notes.step)
                    told = number not in creating or (name == "nothing" and creating[number] in self.says_nothing)
                    assert doubtful or told, (way, calls[number - 1].line, name)
                    self.goes_on(far, spec, notes, error)

    def test_any_call_may_be_refused(self, far: Scene, relay: Relay, listener: Listener) -> None:
        """A refusal is an error of its kind, or does not matter; the build can go on once what was wrong is right."""
        kinds = cycle(REFUSED)
        for tier, way in self.unlike_ways():
            calls, creating = self.plain_run(far, relay, listener, tier, way)
            for number in range(1, len(calls) + 1):
                for status, wanted, _other in self._kinds(kinds, number in creating):
                    spec = self.spec(tier, way, listener)
                    pieces = (answer(status, self.error_answer("The moon is full.")),)
                    notes, error = self.met(far, relay, spec, number, pieces, late=False)
                    said = (way, calls[number - 1].line, status, error)
                    assert error or number not in creating, said
                    if error:
                        # An address that a provider gave us is refused with no word on our key.
                        bare = wanted in (ProviderAuthError, NotFound) and far.key not in calls[number - 1].head
                        assert type(error) is (ProviderRejected if bare else wanted), said
                        assert "The moon is full." in error.detail, said
                    notes.step = ""
                    self.goes_on(far, spec, notes, error)

    def _kinds(self, kinds: Iterator[Any], creates: bool) -> Iterator[Any]:
        return iter(REFUSED) if creates else islice(kinds, 2)
