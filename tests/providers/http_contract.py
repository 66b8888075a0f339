"""The contract of every provider that is reached over HTTP, tested against a server with arbitrary responses."""

import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any

import pytest
from urllib3.connection import HTTPConnection

from providers import http
from providers.errors import (
    NotFound,
    OutcomeUnknown,
    ProviderAuthError,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    ResponseUnreadable,
)
from providers.http import HttpProvider
from providers.types import Handover, RemoteStatus, Visibility
from tests.providers.contract import SandboxAccount
from tests.providers.factories import KEY
from tests.providers.responses import ODD_RESPONSES, RETRY_AFTER, STATUSES, UNREADABLE
from tests.providers.wire_contract import WireContract
from tests.support.hostile_server import HostileServer, ReceivedRequest, gzip_zero_bytes, make_response
from tests.support.relay import Relay
from tests.support.sandbox import CallbackServer

SHORT_DEADLINE = 0.6
"""Seconds."""
SIGNED_UPLOADS = (
    Handover.SIGNED_PUT_TEXTS,
    Handover.SIGNED_PUT_CLIPS,
    Handover.SIGNED_PUT_WAV,
    Handover.FILE_IDS,
)
"""Handovers that upload to a signed URL, which the provider returns."""


def trickle(head: bytes, done: threading.Event) -> Iterator[bytes]:
    """Yield single bytes for a long time, each well within any timeout for one read; then set `done`."""
    yield head
    for _ in range(200):
        done.wait(SHORT_DEADLINE / 10)
        yield b" "
    done.set()


def replace_response_of_step(relay: Relay, response: bytes, _step: str) -> None:
    """An `on_call` of a journal: replaces the response to the call that the journal has just recorded."""
    relay.replace_next_response(response, after_forwarding=True)


class HttpProviderContract(WireContract):
    """For every provider that is an HttpProvider."""

    @pytest.fixture
    def client(self, hostile: HostileServer) -> Iterator[HttpProvider]:
        """The provider, connected to the hostile server with KEY."""
        with self.provider_class(KEY, sandbox_url=hostile.address, sandboxed=True) as provider:
            yield provider

    def catch_error(self, provider: HttpProvider, *, creates: bool, **arguments: Any) -> ProviderError:
        """Make a call; returns the ProviderError that it raises, and checks that the error does not contain the key."""
        with pytest.raises(ProviderError) as exc_info:
            provider.call("some operation", "POST", "/somewhere", creates=creates, json={"a": "b"}, **arguments)
        assert exc_info.value.operation == "some operation"
        self.check_key_is_absent(exc_info.value)
        return exc_info.value

    def check_key_is_absent(self, error: BaseException) -> None:
        output = "".join(traceback.format_exception(error))
        cause: BaseException | None = error
        while cause is not None:
            output += f"{cause} {cause!r} {vars(cause)}"
            output += str(getattr(getattr(cause, "request", None), "headers", ""))
            cause = cause.__cause__ or cause.__context__
        assert KEY not in output

    # --- responses ---

    @pytest.mark.parametrize(("status", "expected_if_creating", "expected_otherwise"), STATUSES)
    def test_http_status_raises_the_error_of_its_kind(
        self,
        client: HttpProvider,
        hostile: HostileServer,
        status: int,
        expected_if_creating: type,
        expected_otherwise: type,
    ) -> None:
        hostile.respond_with(make_response(status, b""))
        for creates, expected in ((True, expected_if_creating), (False, expected_otherwise)):
            error = self.catch_error(client, creates=creates)
            assert type(error) is expected
            assert error.status == status
        assert hostile.connection_count == 2

    @pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 413, 422, 429, 500, 503])
    def test_error_detail_has_the_text_of_the_provider(
        self, client: HttpProvider, hostile: HostileServer, status: int
    ) -> None:
        hostile.respond_with(make_response(status, self.build_error_response("The moon is full.")))
        for creates in (True, False):
            assert "The moon is full." in self.catch_error(client, creates=creates).detail

    @pytest.mark.parametrize("header, expected", RETRY_AFTER)
    def test_retry_after_is_parsed(
        self, client: HttpProvider, hostile: HostileServer, header: str, expected: float | None
    ) -> None:
        for status in (429, 503):
            hostile.respond_with(make_response(status, b"", retry_after=header))
            error = self.catch_error(client, creates=False)
            assert isinstance(error, ProviderUnavailable)
            assert error.retry_after == expected

    def test_retry_after_date_is_parsed(self, client: HttpProvider, hostile: HostileServer) -> None:
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
        hostile.respond_with(make_response(429, b"", retry_after=date))
        error = self.catch_error(client, creates=True)
        assert isinstance(error, ProviderUnavailable)
        assert error.retry_after is not None
        assert 90 < error.retry_after <= 100

    @pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
    def test_body_that_is_no_json_object_is_unreadable(
        self, client: HttpProvider, hostile: HostileServer, body: bytes
    ) -> None:
        hostile.respond_with(make_response(200, body))
        assert type(self.catch_error(client, creates=True)) is OutcomeUnknown
        assert type(self.catch_error(client, creates=False)) is ResponseUnreadable

    def list_calls(self, client: HttpProvider, listener: CallbackServer) -> Iterator[Callable[[], Any]]:
        """Every call that a provider can make. An unsupported call raises a ProviderError too."""
        yield from (
            client.check_key,
            lambda: client.fetch_build("x"),
            lambda: client.find_build("x"),
            lambda: list(client.list_voices()),
            lambda: client.rename_voice("x", "y"),
            lambda: client.set_visibility("x", Visibility.PRIVATE),
            lambda: client.delete_voice("x"),
            lambda: client.generate_preview("x", "Hello."),
        )
        for tier, handover in self.list_modes():
            new = self.make_spec(tier, handover, listener)
            for spec in (new, replace(new, remote_id="x"), replace(new, remote_id="x", resume_state="{}")):
                yield partial(client.submit_build, spec, self.make_journal(spec))

    def test_odd_response_to_any_call_raises_provider_error_only(
        self, client: HttpProvider, hostile: HostileServer, listener: CallbackServer
    ) -> None:
        for payload in (*ODD_RESPONSES, *self.odd_responses):
            hostile.respond_with(make_response(200, payload))
            for call in self.list_calls(client, listener):
                try:
                    call()
                except ProviderError as error:
                    self.check_key_is_absent(error)

    def test_create_response_without_an_id_stays_pending(
        self, account: SandboxAccount, relay: Relay, listener: CallbackServer
    ) -> None:
        """The voice exists although its id is unknown: the relay replaces the response to an executed create."""
        account = replace(account, address=relay.address)
        for tier, handover in self.list_modes():
            for payload in self.responses_without_id:
                spec = self.make_spec(tier, handover, listener)
                journal = self.make_journal(spec)
                response = make_response(self.success_status, payload)
                journal.on_call = partial(replace_response_of_step, relay, response)
                with account.open_provider() as provider, pytest.raises(OutcomeUnknown):
                    provider.submit_build(spec, journal)
                assert journal.pending_call == "create", payload
                journal.on_call = lambda step: None
                self.submit_until_done(account, spec, journal)
                creations = account.count_creations()[spec.reference]
                assert creations == self.count_expected_creations(tier, handover, journal), (handover, payload)

    def test_every_known_raw_status_is_mapped(self, client: HttpProvider, hostile: HostileServer) -> None:
        for raw, expected in self.statuses.items():
            for raw_status in (raw, raw.upper(), raw.lower()):
                hostile.respond_with(make_response(200, self.build_voice_response(raw_status)))
                report = client.fetch_build("x")
                assert (report.remote_id, report.status, report.raw_status) == ("x", expected, raw_status)
        assert RemoteStatus.UNKNOWN not in [self.statuses[raw] for raw in self.statuses if raw]

    @pytest.mark.parametrize("raw_status", ["pondering", "ready?", "READY SOON", "\u2713", "0"])
    def test_unknown_status_keeps_its_raw_text(
        self, client: HttpProvider, hostile: HostileServer, raw_status: str
    ) -> None:
        hostile.respond_with(make_response(200, self.build_voice_response(raw_status)))
        report = client.fetch_build("x")
        assert report.status is RemoteStatus.UNKNOWN
        assert report.raw_status == raw_status

    def test_report_has_no_characters_that_a_database_rejects(
        self, client: HttpProvider, hostile: HostileServer
    ) -> None:
        bad = self.build_voice_response("x\0\ud800")
        payload = {"note": [float("inf"), {"\0": "\0"}]}
        hostile.respond_with(make_response(200, [*bad, payload] if isinstance(bad, list) else bad | payload))
        report = client.fetch_build("x")
        for text in (report.raw_status, report.version, report.issue, str(dict(report.raw))):
            assert "\0" not in text.encode("utf-8").decode()

    # --- lost connections ---

    def test_refused_connection_raises_provider_unavailable_even_for_a_create(
        self, client: HttpProvider, hostile: HostileServer
    ) -> None:
        hostile.close()
        assert type(self.catch_error(client, creates=True)) is ProviderUnavailable

    @pytest.mark.parametrize(
        "pieces",
        [
            [],
            [b"HTTP/1.1 20"],
            [b"HTTP/1.1 200 OK\r\nContent-Le"],
            [b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}"],
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"],
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}"],
            [b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"],
            [b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"],
            [b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n{}"],
            [b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n{}"],
            [b"SSH-2.0-OpenSSH_9.2\r\n"],
            [b"HTTP/1.1 99999 Odd\r\n\r\n"],
            [b"\0\0\0\0\r\n\r\n"],
        ],
        ids=range(13),
    )
    def test_lost_or_broken_response_is_an_error(
        self, client: HttpProvider, hostile: HostileServer, pieces: list[bytes]
    ) -> None:
        hostile.respond_with(*pieces)
        assert type(self.catch_error(client, creates=True)) is OutcomeUnknown
        assert type(self.catch_error(client, creates=False)) in (ProviderUnavailable, ResponseUnreadable)
        assert len(hostile.received) == 2

    def test_keep_alive_connection_is_not_reused(self, client: HttpProvider, hostile: HostileServer) -> None:
        """The server may close an old connection during a request, which would then look as if it was never sent."""
        hostile.keep_alive = True

        def script(_request: ReceivedRequest) -> Iterator[bytes]:
            if len(hostile.received) > 1:
                raise OSError  # closes the connection without a response
            yield make_response(200, {"success": True}, connection="keep-alive")

        hostile.script = script
        client.call("first", "GET", "/somewhere")
        assert type(self.catch_error(client, creates=True)) is OutcomeUnknown
        assert hostile.connection_count == 2
        assert len(hostile.received) == 2

    # --- speed and size ---

    @pytest.mark.parametrize(
        "head", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"]
    )
    def test_call_with_a_slow_response_ends_at_the_deadline(
        self, client: HttpProvider, hostile: HostileServer, head: bytes
    ) -> None:
        done = threading.Event()
        hostile.script = lambda _request: trickle(head, done)
        assert type(self.catch_error(client, creates=True, deadline=SHORT_DEADLINE)) is OutcomeUnknown
        assert hostile.client_hung_up.wait(60), "the connection was not closed"
        assert not done.is_set()

    def test_call_without_a_response_ends_at_the_deadline(self, client: HttpProvider, hostile: HostileServer) -> None:
        done = threading.Event()

        def script(_request: ReceivedRequest) -> Iterator[bytes]:
            done.wait(60)
            yield b""

        hostile.script = script
        assert type(self.catch_error(client, creates=True, deadline=SHORT_DEADLINE)) is OutcomeUnknown
        assert type(self.catch_error(client, creates=False, deadline=SHORT_DEADLINE)) is ProviderUnavailable
        assert not done.is_set()
        done.set()

    def test_call_with_a_slow_tls_handshake_ends_at_the_deadline(self, client: HttpProvider) -> None:
        """The server sends a TLS record of 16 kB one byte at a time, so no part of the request can have been sent."""
        server = socket.create_server(("127.0.0.1", 0))
        is_closed = threading.Event()

        def trickle_handshake() -> None:
            connection, _ = server.accept()
            with connection:
                try:
                    connection.sendall(b"\x16\x03\x03\x40\x00")
                    while not is_closed.wait(SHORT_DEADLINE / 10):
                        connection.sendall(b"\x02")
                except OSError:
                    is_closed.set()

        threading.Thread(target=trickle_handshake, daemon=True).start()
        client.base_url = f"https://127.0.0.1:{server.getsockname()[1]}"
        assert type(self.catch_error(client, creates=True, deadline=SHORT_DEADLINE)) is ProviderUnavailable
        assert is_closed.wait(60), "the handshake continued"
        server.close()

    def test_connection_opened_after_the_deadline_is_closed(
        self, client: HttpProvider, hostile: HostileServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connect = HTTPConnection._new_conn
        done = threading.Event()

        def connect_late(connection: Any) -> socket.socket:
            done.wait(2 * SHORT_DEADLINE)
            return connect(connection)

        monkeypatch.setattr(HTTPConnection, "_new_conn", connect_late)
        hostile.script = lambda _request: trickle(b"HTTP/1.1 200 OK\r\nX: ", done)
        self.catch_error(client, creates=True, deadline=SHORT_DEADLINE)
        assert not done.is_set()

    @pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "x-own"])
    def test_compressed_response_is_refused_before_it_is_decompressed(
        self, client: HttpProvider, hostile: HostileServer, encoding: str
    ) -> None:
        hostile.respond_with(make_response(200, gzip_zero_bytes(50 << 20), content_encoding=encoding))
        assert type(self.catch_error(client, creates=True)) is OutcomeUnknown
        assert type(self.catch_error(client, creates=False)) is ResponseUnreadable
        assert "accept-encoding: identity\r\n" in hostile.received[0].head.lower()

    @pytest.mark.parametrize("chunked", [True, False])
    def test_endless_response_is_aborted(self, client: HttpProvider, hostile: HostileServer, chunked: bool) -> None:
        block = b" " * (1 << 16)
        head = b"HTTP/1.1 200 OK\r\n" + (b"Transfer-Encoding: chunked\r\n\r\n" if chunked else b"\r\n")
        piece = b"%x\r\n%s\r\n" % (len(block), block) if chunked else block

        def script(_request: ReceivedRequest) -> Iterator[bytes]:
            yield head
            for _ in range(4 * http.MAX_RESPONSE_BYTES // len(block)):
                yield piece

        hostile.script = script
        assert type(self.catch_error(client, creates=False)) is ResponseUnreadable
        assert hostile.client_hung_up.wait(60), "the whole response was read"
        assert type(self.catch_error(client, creates=True)) is OutcomeUnknown

    # --- API key ---

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_redirect_is_not_followed(
        self, client: HttpProvider, hostile: HostileServer, other_server: HostileServer, status: int
    ) -> None:
        hostile.respond_with(make_response(status, b"", location=f"{other_server.address}/caught"))
        for creates in (True, False):
            self.catch_error(client, creates=creates)
        assert other_server.connection_count == 0

    @pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
    def test_environment_proxies_are_not_used(
        self, client: HttpProvider, hostile: HostileServer, other_server: HostileServer, variable: str, monkeypatch: Any
    ) -> None:
        monkeypatch.setenv(variable, other_server.address)
        hostile.respond_with(make_response(200, {"success": True}))
        client.call("some operation", "GET", "/somewhere")
        assert other_server.connection_count == 0
        assert len(hostile.received) == 1

    def test_key_is_sent_in_a_header_only(
        self, account: SandboxAccount, relay: Relay, listener: CallbackServer
    ) -> None:
        """The key goes to the provider only: an upload to a signed URL contains the file and no key."""
        account = replace(account, address=relay.address)
        for tier, handover in self.list_modes():
            before = len(relay.received)
            spec = self.make_spec(tier, handover, listener)
            with account.open_provider() as provider:
                provider.submit_build(spec, self.make_journal(spec))
            requests = relay.received[before:]
            for request in requests:
                is_signed_upload = handover in SIGNED_UPLOADS and request.request_line.startswith("PUT ")
                assert (account.key in request.head) != is_signed_upload, request.request_line
                assert account.key not in request.request_line
                assert account.key.encode() not in request.body
            assert (handover in SIGNED_UPLOADS) == any(request.request_line.startswith("PUT ") for request in requests)

    @pytest.mark.parametrize("status", [200, 400, 401, 403, 422, 429, 500])
    def test_key_in_a_response_is_redacted(self, client: HttpProvider, hostile: HostileServer, status: int) -> None:
        payload = self.build_error_response(f"The key {KEY} is not valid.")
        hostile.respond_with(make_response(status, payload | {"success": False, "errors": {KEY: KEY}}))
        for creates in (True, False):
            with suppress(ProviderError):
                client.call("some operation", "POST", "/somewhere", creates=creates, json={"a": "b"})
            if status >= 300:
                self.catch_error(client, creates=creates)
        assert KEY not in repr(client.api_log)

    @pytest.mark.parametrize("key", ["schlüssel-€", "line\nbreak", "nul\0", "\r\nX-Evil: 1", ""])
    def test_key_that_no_header_can_hold_is_an_auth_error(self, hostile: HostileServer, key: str) -> None:
        """A key that was pasted wrongly is reported as a wrong key, not as an unreachable provider."""
        with pytest.raises(ProviderAuthError) as exc_info:
            self.provider_class(key, sandbox_url=hostile.address, sandboxed=True)
        assert not key or key not in f"{exc_info.value} {exc_info.value!r} {exc_info.value.__context__!r}"
        assert hostile.connection_count == 0

    def test_remote_id_is_escaped_in_the_url(self, client: HttpProvider, hostile: HostileServer) -> None:
        hostile.respond_with(make_response(200, self.build_voice_response("running")))
        with suppress(NotFound):
            client.fetch_build("a/b?c=d#e")
        assert "a/b" not in hostile.received[0].request_line
        assert ("a%2Fb%3Fc%3Dd%23e" in hostile.received[0].request_line) == self.has_id_in_url


class SuccessFlagContract(HttpProviderContract):
    """For providers whose 200 response has a success flag and a message."""

    @pytest.mark.parametrize("success", [False, "false", 0])
    def test_false_success_flag_is_a_rejection(
        self, client: HttpProvider, hostile: HostileServer, success: Any
    ) -> None:
        hostile.respond_with(make_response(200, {"success": success, "message": "No."}))
        for creates in (True, False):
            error = self.catch_error(client, creates=creates)
            assert type(error) is ProviderRejected
            assert error.detail == "No."

    @pytest.mark.parametrize("success", [True, "true", 1, "1"])
    def test_true_success_flag_is_accepted_in_any_form(
        self, client: HttpProvider, hostile: HostileServer, success: Any
    ) -> None:
        hostile.respond_with(make_response(200, {"success": success, "message": "Voice was deleted."}))
        assert client.call("some operation", "GET", "/somewhere")["success"] == success
