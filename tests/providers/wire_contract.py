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
from tests.providers.contract import ProviderContract, SandboxAccount
from tests.providers.journal import MemoryJournal
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
        self, account: SandboxAccount, other_server: Hostile, listener: Listener, phase: str, fault: str
    ) -> None:
        for tier, way in self.list_distinct_modes():
            for operation in self.list_creating_operations(tier, way):
                spec = self.make_spec(tier, way, listener)
                journal = self.make_journal(spec)
                rule = {"operation": operation, "do": fault, "phase": phase, "nth": 1}
                account.sandbox.faults(rule | ({"to": other_server.address} if fault == "redirect" else {}))
                with account.open_provider() as provider, pytest.raises(OutcomeUnknown):
                    provider.submit_build(spec, journal)
                assert journal.pending_call
                self.check_resume(account, spec, journal, OutcomeUnknown(operation))
        assert not other_server.connections

    @pytest.mark.parametrize(("phase", "fault"), [(phase, fault) for phase in FAULTS for fault in ("drop", "reset")])
    def test_lost_upload_is_sent_again(
        self, account: SandboxAccount, listener: Listener, phase: str, fault: str
    ) -> None:
        """Where recordings or the parcel are sent by a call of their own, which may break in the middle."""
        for tier, way in self.list_distinct_modes():
            spec = self.make_spec(tier, way, listener)
            journal = self.make_journal(spec)
            rule = {"operation": self.upload_operation, "do": fault, "phase": phase, "nth": 1}
            account.sandbox.faults(*([rule] if self.upload_operation else []))
            error = None
            try:
                with account.open_provider() as provider:
                    journal.report = provider.submit_build(spec, journal)
            except ProviderError as lost:
                error = lost
            assert bool(error) == bool(self.upload_operation and (spec.clips or spec.pack_file)), (way, error)
            assert not error or type(error) is ProviderUnavailable
            assert not error or not journal.pending_call
            self.check_resume(account, spec, journal, error)

    @pytest.fixture
    def far(self, account: SandboxAccount, relay: Relay) -> SandboxAccount:
        """The sandbox at the other end of the relay."""
        return replace(account, address=relay.address)

    def plain_run(
        self, account: SandboxAccount, relay: Relay, listener: Listener, tier: Tier, way: Handover
    ) -> tuple[list[Asked], dict[int, str]]:
        """The calls of a submit on a good line, and the operations that create, by the number of the call from 1."""
        before, creating = len(relay.asked), list[int]()
        spec = self.make_spec(tier, way, listener)
        journal = self.make_journal(spec, on_call=lambda _step: creating.append(len(relay.asked) - before + 1))
        with account.open_provider() as provider:
            provider.submit_build(spec, journal)
        return relay.asked[before:], dict(zip(creating, self.list_creating_operations(tier, way), strict=True))

    def met(
        self,
        account: SandboxAccount,
        relay: Relay,
        spec: BuildSpec,
        number: int,
        pieces: tuple[bytes, ...],
        *,
        late: bool,
    ) -> tuple[MemoryJournal, ProviderError | None]:
        """A submit whose call of this number is answered like this, and how it ended."""
        relay.answers(len(relay.asked) + number, *pieces, late=late)
        journal, ended = self.make_journal(spec), None
        with account.open_provider() as provider:
            try:
                journal.report = provider.submit_build(spec, journal)
            except ProviderError as error:
                ended = error
            shown = (
                f"{ended!r} {vars(ended) if ended else journal.report} {list(provider.api_log)} {provider!r} {journal}"
            )
        assert account.key not in shown
        return journal, ended

    def check_resume(
        self, account: SandboxAccount, spec: BuildSpec, journal: MemoryJournal, error: ProviderError | None
    ) -> None:
        """Nothing is in doubt for nothing, and what takes over creates what is missing, and nothing twice."""
        if error:
            self.submit_until_done(account, spec, journal)
        assert account.count_creations()[spec.reference] == self.count_expected(spec.tier, spec.handover, journal)

    def test_any_call_may_be_lost(self, far: SandboxAccount, relay: Relay, listener: Listener) -> None:
        """On its way there, or on its way back: each call in both ways, and by each kind of loss in turn."""
        kinds = cycle(LOST.items())
        for tier, way in self.list_distinct_modes():
            calls, creating = self.plain_run(far, relay, listener, tier, way)
            for number in range(1, len(calls) + 1):
                for late in (False, True):
                    chosen = LOST.items() if number in creating else islice(kinds, 2)
                    for name, pieces in chosen:
                        spec = self.make_spec(tier, way, listener)
                        journal, error = self.met(far, relay, spec, number, pieces, late=late)
                        # A question may be asked again, or not matter; a call that creates is in doubt.
                        doubtful = error is not None and bool(journal.pending_call)
                        assert doubtful or number not in creating, (way, calls[number - 1].line, name)
                        self.check_resume(far, spec, journal, error)

    def test_any_answer_may_be_nonsense(self, far: SandboxAccount, relay: Relay, listener: Listener) -> None:
        kinds = cycle(NONSENSE.items())
        for tier, way in self.list_distinct_modes():
            calls, creating = self.plain_run(far, relay, listener, tier, way)
            for number in range(1, len(calls) + 1):
                for name, pieces in NONSENSE.items() if number in creating else islice(kinds, 2):
                    spec = self.make_spec(tier, way, listener)
                    journal, error = self.met(far, relay, spec, number, pieces, late=True)
                    doubtful = error is not None and bool(journal.pending_call)
                    told = number not in creating or (
                        name == "nothing" and creating[number] in self.empty_success_operations
                    )
                    assert doubtful or told, (way, calls[number - 1].line, name)
                    self.check_resume(far, spec, journal, error)

    def test_any_call_may_be_refused(self, far: SandboxAccount, relay: Relay, listener: Listener) -> None:
        """A refusal is an error of its kind, or does not matter; the build can go on once what was wrong is right."""
        kinds = cycle(REFUSED)
        for tier, way in self.list_distinct_modes():
            calls, creating = self.plain_run(far, relay, listener, tier, way)
            for number in range(1, len(calls) + 1):
                for status, wanted, _other in self._kinds(kinds, number in creating):
                    spec = self.make_spec(tier, way, listener)
                    pieces = (answer(status, self.build_error_response("The moon is full.")),)
                    journal, error = self.met(far, relay, spec, number, pieces, late=False)
                    said = (way, calls[number - 1].line, status, error)
                    assert error or number not in creating, said
                    if error:
                        # An address that a provider gave us is refused with no word on our key.
                        bare = wanted in (ProviderAuthError, NotFound) and far.key not in calls[number - 1].head
                        assert type(error) is (ProviderRejected if bare else wanted), said
                        assert "The moon is full." in error.detail, said
                    journal.pending_call = ""
                    self.check_resume(far, spec, journal, error)

    def _kinds(self, kinds: Iterator[Any], creates: bool) -> Iterator[Any]:
        return iter(REFUSED) if creates else islice(kinds, 2)
