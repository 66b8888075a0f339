"""What every provider that is reached over HTTP is held to besides, against a server that answers what it likes."""

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
from tests.providers.responses import ODD, RETRY_AFTER, STATUSES, UNREADABLE
from tests.providers.wire_contract import WireContract
from tests.support.hostile import Asked, Hostile, answer, zipped
from tests.support.relay import Relay
from tests.support.sandbox import Listener

SOON = 0.6
"""The deadline of a test's call, seconds."""
UPLOADS = (
    Handover.SIGNED_PUT_TEXTS,
    Handover.SIGNED_PUT_CLIPS,
    Handover.SIGNED_PUT_WAV,
    Handover.FILE_IDS,
)
"""The ways that upload to an address which the provider gave us."""


def trickle(head: bytes, over: threading.Event) -> Iterator[bytes]:
    """A byte now and then, each far within any timeout for one read, for long; then `over` is set."""
    yield head
    for _ in range(200):
        over.wait(SOON / 10)
        yield b" "
    over.set()


class HttpProviderContract(WireContract):
    """Held by every provider that is an HttpProvider."""

    @pytest.fixture
    def client(self, hostile: Hostile) -> Iterator[HttpProvider]:
        """The provider, talking to the hostile server with KEY."""
        with self.provider_class(KEY, sandbox_url=hostile.address, sandboxed=True) as provider:
            yield provider

    def catch_error(self, provider: HttpProvider, *, creates: bool, **more: Any) -> ProviderError:
        """How a call ends, by a ProviderError that keeps the key to itself."""
        with pytest.raises(ProviderError) as told:
            provider.call("some work", "POST", "/somewhere", creates=creates, json={"a": "b"}, **more)
        assert told.value.operation == "some work"
        self.check_key_is_absent(told.value)
        return told.value

    def check_key_is_absent(self, error: BaseException) -> None:
        shown = "".join(traceback.format_exception(error))
        carried: BaseException | None = error
        while carried is not None:
            shown += f"{carried} {carried!r} {vars(carried)}"
            shown += str(getattr(getattr(carried, "request", None), "headers", ""))
            carried = carried.__cause__ or carried.__context__
        assert KEY not in shown

    # --- answers ---

    @pytest.mark.parametrize(("status", "creating", "other"), STATUSES)
    def test_status_becomes_the_right_error(
        self, client: HttpProvider, hostile: Hostile, status: int, creating: type, other: type
    ) -> None:
        hostile.says(answer(status, b""))
        for creates, kind in ((True, creating), (False, other)):
            error = self.catch_error(client, creates=creates)
            assert type(error) is kind
            assert error.status == status
        assert hostile.connections == 2

    @pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 413, 422, 429, 500, 503])
    def test_words_of_the_provider_are_kept(self, client: HttpProvider, hostile: Hostile, status: int) -> None:
        hostile.says(answer(status, self.build_error_response("The moon is full.")))
        for creates in (True, False):
            assert "The moon is full." in self.catch_error(client, creates=creates).detail

    @pytest.mark.parametrize("header, wanted", RETRY_AFTER)
    def test_retry_after_is_understood(
        self, client: HttpProvider, hostile: Hostile, header: str, wanted: float | None
    ) -> None:
        for status in (429, 503):
            hostile.says(answer(status, b"", retry_after=header))
            error = self.catch_error(client, creates=False)
            assert isinstance(error, ProviderUnavailable)
            assert error.retry_after == wanted

    def test_retry_after_may_be_a_date(self, client: HttpProvider, hostile: Hostile) -> None:
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
        hostile.says(answer(429, b"", retry_after=date))
        error = self.catch_error(client, creates=True)
        assert isinstance(error, ProviderUnavailable)
        assert error.retry_after is not None
        assert 90 < error.retry_after <= 100

    @pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
    def test_what_is_no_json_object(self, client: HttpProvider, hostile: Hostile, body: bytes) -> None:
        hostile.says(answer(200, body))
        assert type(self.catch_error(client, creates=True)) is OutcomeUnknown
        assert type(self.catch_error(client, creates=False)) is ResponseUnreadable

    def questions(self, client: HttpProvider, listener: Listener) -> Iterator[Callable[[], Any]]:
        """Everything that a provider can be asked to do; what it cannot is an error of ours as well."""
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
        for tier, way in self.list_modes():
            new = self.make_spec(tier, way, listener)
            for spec in (new, replace(new, remote_id="x"), replace(new, remote_id="x", resume_state="{}")):
                yield partial(client.submit_build, spec, self.make_journal(spec))

    def test_odd_answers_to_any_question_are_errors_of_ours(
        self, client: HttpProvider, hostile: Hostile, listener: Listener
    ) -> None:
        for odd in (*ODD, *self.odd_responses):
            hostile.says(answer(200, odd))
            for question in self.questions(client, listener):
                try:
                    question()
                except ProviderError as error:
                    self.check_key_is_absent(error)

    def test_created_without_an_id_is_in_doubt(self, account: SandboxAccount, relay: Relay, listener: Listener) -> None:
        """It is there all the same: the answer to a create that was done is replaced on its way back."""
        account = replace(account, address=relay.address)
        for tier, way in self.list_modes():
            for said in self.responses_without_id:
                spec = self.make_spec(tier, way, listener)
                journal = self.make_journal(spec)
                journal.on_call = lambda step: relay.answers_next(answer(self.success_status, said), late=True)  # noqa: B023
                with account.open_provider() as provider, pytest.raises(OutcomeUnknown):
                    provider.submit_build(spec, journal)
                assert journal.pending_call == "create", said
                journal.on_call = lambda step: None
                self.submit_until_done(account, spec, journal)
                assert account.count_creations()[spec.reference] == self.count_expected(tier, way, journal), (way, said)

    def test_every_attested_status_has_its_meaning(self, client: HttpProvider, hostile: Hostile) -> None:
        for raw, wanted in self.statuses.items():
            for word in (raw, raw.upper(), raw.lower()):
                hostile.says(answer(200, self.build_voice_response(word)))
                report = client.fetch_build("x")
                assert (report.remote_id, report.status, report.raw_status) == ("x", wanted, word)
        assert RemoteStatus.UNKNOWN not in [self.statuses[raw] for raw in self.statuses if raw]

    @pytest.mark.parametrize("word", ["pondering", "ready?", "READY SOON", "\u2713", "0"])
    def test_unknown_status_keeps_its_words(self, client: HttpProvider, hostile: Hostile, word: str) -> None:
        hostile.says(answer(200, self.build_voice_response(word)))
        report = client.fetch_build("x")
        assert report.status is RemoteStatus.UNKNOWN
        assert report.raw_status == word

    def test_no_database_chokes_on_an_answer(self, client: HttpProvider, hostile: Hostile) -> None:
        bad = self.build_voice_response("x\0\ud800")
        odd = {"note": [float("inf"), {"\0": "\0"}]}
        hostile.says(answer(200, [*bad, odd] if isinstance(bad, list) else bad | odd))
        report = client.fetch_build("x")
        for text in (report.raw_status, report.version, report.issue, str(dict(report.raw))):
            assert "\0" not in text.encode("utf-8").decode()

    # --- lost connections ---

    def test_nobody_listens_means_nothing_was_sent(self, client: HttpProvider, hostile: Hostile) -> None:
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
    def test_lost_or_broken_answer(self, client: HttpProvider, hostile: Hostile, pieces: list[bytes]) -> None:
        hostile.says(*pieces)
        assert type(self.catch_error(client, creates=True)) is OutcomeUnknown
        assert type(self.catch_error(client, creates=False)) in (ProviderUnavailable, ResponseUnreadable)
        assert len(hostile.asked) == 2

    def test_connection_that_the_server_keeps_is_not_used_again(self, client: HttpProvider, hostile: Hostile) -> None:
        """It may be closed under our request, which would then look as if nothing had been sent."""
        hostile.keeps_open = True

        def script(_asked: Asked) -> Iterator[bytes]:
            if len(hostile.asked) > 1:
                raise OSError  # closes the connection without an answer
            yield answer(200, {"success": True}, connection="keep-alive")

        hostile.script = script
        client.call("first", "GET", "/somewhere")
        assert type(self.catch_error(client, creates=True)) is OutcomeUnknown
        assert hostile.connections == 2
        assert len(hostile.asked) == 2

    # --- slowness and size ---

    @pytest.mark.parametrize(
        "head", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"]
    )
    def test_trickled_answer_ends_at_the_deadline(self, client: HttpProvider, hostile: Hostile, head: bytes) -> None:
        over = threading.Event()
        hostile.script = lambda _asked: trickle(head, over)
        assert type(self.catch_error(client, creates=True, deadline=SOON)) is OutcomeUnknown
        assert hostile.hung_up.wait(60), "the server was not cut off"
        assert not over.is_set()

    def test_silent_server_ends_at_the_deadline(self, client: HttpProvider, hostile: Hostile) -> None:
        over = threading.Event()

        def script(_asked: Asked) -> Iterator[bytes]:
            over.wait(60)
            yield b""

        hostile.script = script
        assert type(self.catch_error(client, creates=True, deadline=SOON)) is OutcomeUnknown
        assert type(self.catch_error(client, creates=False, deadline=SOON)) is ProviderUnavailable
        assert not over.is_set()
        over.set()

    def test_trickled_handshake_ends_at_the_deadline(self, client: HttpProvider) -> None:
        """A TLS record of 16 kB, a byte at a time; nothing of the request can have left."""
        listening = socket.create_server(("127.0.0.1", 0))
        cut = threading.Event()

        def trickle() -> None:
            connection, _ = listening.accept()
            with connection:
                try:
                    connection.sendall(b"\x16\x03\x03\x40\x00")
                    while not cut.wait(SOON / 10):
                        connection.sendall(b"\x02")
                except OSError:
                    cut.set()

        threading.Thread(target=trickle, daemon=True).start()
        client.base_url = f"https://127.0.0.1:{listening.getsockname()[1]}"
        assert type(self.catch_error(client, creates=True, deadline=SOON)) is ProviderUnavailable
        assert cut.wait(60), "the handshake went on"
        listening.close()

    def test_connection_that_opens_after_the_deadline_is_cut(
        self, client: HttpProvider, hostile: Hostile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connect = HTTPConnection._new_conn
        over = threading.Event()

        def late(connection: Any) -> socket.socket:
            over.wait(2 * SOON)
            return connect(connection)

        monkeypatch.setattr(HTTPConnection, "_new_conn", late)
        hostile.script = lambda _asked: trickle(b"HTTP/1.1 200 OK\r\nX: ", over)
        self.catch_error(client, creates=True, deadline=SOON)
        assert not over.is_set()

    @pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "x-own"])
    def test_compressed_answer_is_refused_unread(self, client: HttpProvider, hostile: Hostile, encoding: str) -> None:
        hostile.says(answer(200, zipped(50 << 20), content_encoding=encoding))
        assert type(self.catch_error(client, creates=True)) is OutcomeUnknown
        assert type(self.catch_error(client, creates=False)) is ResponseUnreadable
        assert "accept-encoding: identity\r\n" in hostile.asked[0].head.lower()

    @pytest.mark.parametrize("chunked", [True, False])
    def test_endless_answer_is_cut_off(self, client: HttpProvider, hostile: Hostile, chunked: bool) -> None:
        block = b" " * (1 << 16)
        head = b"HTTP/1.1 200 OK\r\n" + (b"Transfer-Encoding: chunked\r\n\r\n" if chunked else b"\r\n")
        piece = b"%x\r\n%s\r\n" % (len(block), block) if chunked else block

        def script(_asked: Asked) -> Iterator[bytes]:
            yield head
            for _ in range(4 * http.MAX_RESPONSE_BYTES // len(block)):
                yield piece

        hostile.script = script
        assert type(self.catch_error(client, creates=False)) is ResponseUnreadable
        assert hostile.hung_up.wait(60), "all of it was read"
        assert type(self.catch_error(client, creates=True)) is OutcomeUnknown

    # --- the key ---

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_redirect_takes_nothing_elsewhere(
        self, client: HttpProvider, hostile: Hostile, other_server: Hostile, status: int
    ) -> None:
        hostile.says(answer(status, b"", location=f"{other_server.address}/caught"))
        for creates in (True, False):
            self.catch_error(client, creates=creates)
        assert other_server.connections == 0

    @pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
    def test_proxies_of_the_environment_are_not_used(
        self, client: HttpProvider, hostile: Hostile, other_server: Hostile, variable: str, monkeypatch: Any
    ) -> None:
        monkeypatch.setenv(variable, other_server.address)
        hostile.says(answer(200, {"success": True}))
        client.call("some work", "GET", "/somewhere")
        assert other_server.connections == 0
        assert len(hostile.asked) == 1

    def test_key_goes_out_in_a_header_only(self, account: SandboxAccount, relay: Relay, listener: Listener) -> None:
        """And to the provider only: an address that it gave us gets bytes and no key."""
        account = replace(account, address=relay.address)
        for tier, way in self.list_modes():
            before = len(relay.asked)
            spec = self.make_spec(tier, way, listener)
            with account.open_provider() as provider:
                provider.submit_build(spec, self.make_journal(spec))
            for asked in relay.asked[before:]:
                given = way in UPLOADS and asked.line.startswith("PUT ")
                assert (account.key in asked.head) != given, asked.line
                assert account.key not in asked.line
                assert account.key.encode() not in asked.body
            assert (way in UPLOADS) == any(asked.line.startswith("PUT ") for asked in relay.asked[before:])

    @pytest.mark.parametrize("status", [200, 400, 401, 403, 422, 429, 500])
    def test_key_that_the_provider_repeats_is_taken_out(
        self, client: HttpProvider, hostile: Hostile, status: int
    ) -> None:
        said = self.build_error_response(f"The key {KEY} is not good.")
        hostile.says(answer(status, said | {"success": False, "errors": {KEY: KEY}}))
        for creates in (True, False):
            with suppress(ProviderError):
                client.call("some work", "POST", "/somewhere", creates=creates, json={"a": "b"})
            if status >= 300:
                self.catch_error(client, creates=creates)
        assert KEY not in repr(client.api_log)

    @pytest.mark.parametrize("key", ["schlüssel-€", "line\nbreak", "nul\0", "\r\nX-Evil: 1", ""])
    def test_key_that_no_header_can_hold(self, hostile: Hostile, key: str) -> None:
        """A slip of the clipboard is said as what it is, not as a provider that cannot be reached."""
        with pytest.raises(ProviderAuthError) as told:
            self.provider_class(key, sandbox_url=hostile.address, sandboxed=True)
        assert not key or key not in f"{told.value} {told.value!r} {told.value.__context__!r}"
        assert hostile.connections == 0

    def test_ids_of_the_provider_are_no_paths(self, client: HttpProvider, hostile: Hostile) -> None:
        hostile.says(answer(200, self.build_voice_response("running")))
        with suppress(NotFound):
            client.fetch_build("a/b?c=d#e")
        assert "a/b" not in hostile.asked[0].line
        assert ("a%2Fb%3Fc%3Dd%23e" in hostile.asked[0].line) == self.has_id_in_url


class SuccessFlagContract(HttpProviderContract):
    """Where an answer of 200 has a flag that says yes or no, and words."""

    @pytest.mark.parametrize("success", [False, "false", 0])
    def test_no_in_an_answer_of_200_is_a_no(self, client: HttpProvider, hostile: Hostile, success: Any) -> None:
        hostile.says(answer(200, {"success": success, "message": "No."}))
        for creates in (True, False):
            error = self.catch_error(client, creates=creates)
            assert type(error) is ProviderRejected
            assert error.detail == "No."

    @pytest.mark.parametrize("success", [True, "true", 1, "1"])
    def test_yes_is_a_yes_however_it_is_written(self, client: HttpProvider, hostile: Hostile, success: Any) -> None:
        hostile.says(answer(200, {"success": success, "message": "Voice was deleted."}))
        assert client.call("some work", "GET", "/somewhere")["success"] == success
