"""The contract of every provider on a bad network: any call may be lost, refused or get a nonsense response.

The calls go through a relay to the sandbox, so the response to any call can be replaced. If `late` is True, the sandbox
executes the call and only its response is lost; otherwise the call never reaches the sandbox.
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
from tests.providers.contract import SandboxAccount
from tests.providers.journal import MemoryJournal
from tests.providers.option_contract import OptionContract
from tests.providers.responses import STATUSES
from tests.support.hostile_server import HostileServer, ReceivedRequest, gzip_zero_bytes, make_response
from tests.support.relay import Relay
from tests.support.sandbox import CallbackServer

REDIRECT = make_response(302, b"", location="http://127.0.0.1:9/caught")
LOST_RESPONSES: dict[str, tuple[bytes, ...]] = {
    "no response": (),
    "partial headers": (b"HTTP/1.1 20",),
    "partial body": (b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"success": true, "item": {"uuid"',),
    "partial chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",),
    "500": (make_response(500, b""),),
    "503 in HTML": (make_response(503, b"<html>Back soon.</html>", content_type="text/html"),),
    "504": (make_response(504, {"message": "Timeout."}),),
    "redirect": (REDIRECT,),
}
"""Responses that do not show whether the call was executed."""
NONSENSE_RESPONSES: dict[str, tuple[bytes, ...]] = {
    "HTML": (make_response(200, b"<html>It works!</html>", content_type="text/html"),),
    "empty": (make_response(200, b""),),
    "JSON string": (make_response(200, b'"yes"'),),
    "zip bomb": (make_response(200, gzip_zero_bytes(1 << 20), content_encoding="gzip"),),
    "not UTF-8": (make_response(200, b"\xff\xfe\x00"),),
}
"""Success responses whose body cannot be used."""
FAULTS = {
    "before_commit": ("drop", "reset", "truncate", "garbage", "html", "wrong_type", "redirect", "status:503"),
    "after_commit": ("drop", "reset", "truncate", "garbage", "html", "wrong_type", "redirect", "status:503"),
    "during_body": ("drop", "reset", "status:503"),
}
"""The sandbox's faults, by the phase of the call."""
REFUSALS = [line for line in STATUSES if line[0] in (400, 401, 402, 403, 404, 409, 413, 422, 429)]


class WireContract(OptionContract):
    """For every provider that is an HttpProvider."""

    @pytest.mark.parametrize(("phase", "fault"), [(phase, fault) for phase in FAULTS for fault in FAULTS[phase]])
    def test_lost_response_to_a_creating_call_is_reconciled(
        self, account: SandboxAccount, other_server: HostileServer, listener: CallbackServer, phase: str, fault: str
    ) -> None:
        for tier, handover in self.list_distinct_modes():
            for operation in self.list_creating_operations(tier, handover):
                spec = self.make_spec(tier, handover, listener)
                journal = self.make_journal(spec)
                rule = {"operation": operation, "do": fault, "phase": phase, "nth": 1}
                account.sandbox.set_faults(rule | ({"to": other_server.address} if fault == "redirect" else {}))
                with account.open_provider() as provider, pytest.raises(OutcomeUnknown):
                    provider.submit_build(spec, journal)
                assert journal.pending_call
                self.check_resume(account, spec, journal, OutcomeUnknown(operation))
        assert not other_server.connection_count

    @pytest.mark.parametrize(("phase", "fault"), [(phase, fault) for phase in FAULTS for fault in ("drop", "reset")])
    def test_failed_upload_call_is_repeated(
        self, account: SandboxAccount, listener: CallbackServer, phase: str, fault: str
    ) -> None:
        """If the provider has a separate upload call, it fails once and is repeated; otherwise the submit succeeds."""
        for tier, handover in self.list_distinct_modes():
            spec = self.make_spec(tier, handover, listener)
            journal = self.make_journal(spec)
            rule = {"operation": self.upload_operation, "do": fault, "phase": phase, "nth": 1}
            account.sandbox.set_faults(*([rule] if self.upload_operation else []))
            error = None
            try:
                with account.open_provider() as provider:
                    journal.report = provider.submit_build(spec, journal)
            except ProviderError as caught:
                error = caught
            assert bool(error) == bool(self.upload_operation and (spec.clips or spec.pack_file)), (handover, error)
            assert not error or type(error) is ProviderUnavailable
            assert not error or not journal.pending_call
            self.check_resume(account, spec, journal, error)

    @pytest.fixture
    def relayed_account(self, account: SandboxAccount, relay: Relay) -> SandboxAccount:
        return replace(account, address=relay.address)

    def record_calls(
        self, account: SandboxAccount, relay: Relay, listener: CallbackServer, tier: Tier, handover: Handover
    ) -> tuple[list[ReceivedRequest], dict[int, str]]:
        """Submit without faults; returns its calls, and its creating operations by the number of their call, from 1."""
        before, creating = len(relay.received), list[int]()
        spec = self.make_spec(tier, handover, listener)
        journal = self.make_journal(spec, on_call=lambda _step: creating.append(len(relay.received) - before + 1))
        with account.open_provider() as provider:
            provider.submit_build(spec, journal)
        return relay.received[before:], dict(zip(creating, self.list_creating_operations(tier, handover), strict=True))

    def submit_with_response(
        self,
        account: SandboxAccount,
        relay: Relay,
        spec: BuildSpec,
        number: int,
        pieces: tuple[bytes, ...],
        *,
        late: bool,
    ) -> tuple[MemoryJournal, ProviderError | None]:
        """Submit, and replace the response to the call with this number; returns the journal and the error."""
        relay.replace_response(len(relay.received) + number, *pieces, after_forwarding=late)
        journal, error = self.make_journal(spec), None
        with account.open_provider() as provider:
            try:
                journal.report = provider.submit_build(spec, journal)
            except ProviderError as caught:
                error = caught
            details = vars(error) if error else journal.report
            output = f"{error!r} {details} {list(provider.api_log)} {provider!r} {journal}"
        assert account.key not in output
        return journal, error

    def check_resume(
        self, account: SandboxAccount, spec: BuildSpec, journal: MemoryJournal, error: ProviderError | None
    ) -> None:
        """After an error, check that the resume creates what is missing, and nothing twice."""
        if error:
            self.submit_until_done(account, spec, journal)
        assert account.count_creations()[spec.reference] == self.count_expected_creations(
            spec.tier, spec.handover, journal
        )

    def test_lost_call_creates_nothing_twice(
        self, relayed_account: SandboxAccount, relay: Relay, listener: CallbackServer
    ) -> None:
        """Each call is lost twice: once its request, once its response. The kinds of loss take turns."""
        remaining = cycle(LOST_RESPONSES.items())
        for tier, handover in self.list_distinct_modes():
            calls, creating = self.record_calls(relayed_account, relay, listener, tier, handover)
            for number in range(1, len(calls) + 1):
                for late in (False, True):
                    responses = LOST_RESPONSES.items() if number in creating else islice(remaining, 2)
                    for name, pieces in responses:
                        spec = self.make_spec(tier, handover, listener)
                        journal, error = self.submit_with_response(
                            relayed_account, relay, spec, number, pieces, late=late
                        )
                        # A lost creating call is left pending. Any other call may be repeated or skipped.
                        is_pending = error is not None and bool(journal.pending_call)
                        assert is_pending or number not in creating, (handover, calls[number - 1].request_line, name)
                        self.check_resume(relayed_account, spec, journal, error)

    def test_nonsense_response_creates_nothing_twice(
        self, relayed_account: SandboxAccount, relay: Relay, listener: CallbackServer
    ) -> None:
        remaining = cycle(NONSENSE_RESPONSES.items())
        for tier, handover in self.list_distinct_modes():
            calls, creating = self.record_calls(relayed_account, relay, listener, tier, handover)
            for number in range(1, len(calls) + 1):
                for name, pieces in NONSENSE_RESPONSES.items() if number in creating else islice(remaining, 2):
                    spec = self.make_spec(tier, handover, listener)
                    journal, error = self.submit_with_response(relayed_account, relay, spec, number, pieces, late=True)
                    is_pending = error is not None and bool(journal.pending_call)
                    may_succeed = number not in creating or (
                        name == "empty" and creating[number] in self.empty_success_operations
                    )
                    assert is_pending or may_succeed, (handover, calls[number - 1].request_line, name)
                    self.check_resume(relayed_account, spec, journal, error)

    def test_refused_call_is_an_error_of_its_kind_and_can_be_resumed(
        self, relayed_account: SandboxAccount, relay: Relay, listener: CallbackServer
    ) -> None:
        """A refused creating call raises the error of its kind. The build can resume once the cause is fixed."""
        remaining = cycle(REFUSALS)
        for tier, handover in self.list_distinct_modes():
            calls, creating = self.record_calls(relayed_account, relay, listener, tier, handover)
            for number in range(1, len(calls) + 1):
                for status, expected, _error_of_other_call in self._choose_refusals(remaining, number in creating):
                    spec = self.make_spec(tier, handover, listener)
                    pieces = (make_response(status, self.build_error_response("The moon is full.")),)
                    journal, error = self.submit_with_response(relayed_account, relay, spec, number, pieces, late=False)
                    case = (handover, calls[number - 1].request_line, status, error)
                    assert error or number not in creating, case
                    if error:
                        # A refusal by a signed URL from the provider does not show whether the API key is valid.
                        is_signed_url_refusal = (
                            expected in (ProviderAuthError, NotFound)
                            and relayed_account.key not in calls[number - 1].head
                        )
                        assert type(error) is (ProviderRejected if is_signed_url_refusal else expected), case
                        assert "The moon is full." in error.detail, case
                    journal.pending_call = ""
                    self.check_resume(relayed_account, spec, journal, error)

    def _choose_refusals(self, remaining: Iterator[Any], creates: bool) -> Iterator[Any]:
        return iter(REFUSALS) if creates else islice(remaining, 2)
