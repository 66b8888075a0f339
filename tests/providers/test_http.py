"""The HTTP client: calls to URLs from a provider, large uploads, and the API log."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from threading import Event, Thread
from typing import Any, ClassVar

import pytest
from urllib3.connection import HTTPConnection

from providers import http, responses
from providers.connections import is_public
from providers.errors import (
    NotFound,
    OutcomeUnknown,
    ProviderAuthError,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    ResponseUnreadable,
)
from providers.http import MAX_LOG_ENTRIES, MAX_LOG_TEXT_LENGTH, HttpProvider
from providers.journal import Journal
from providers.types import BuildReport, BuildSpec, Sound, UploadFile
from tests.providers.factories import KEY, make_sound, make_upload_file
from tests.providers.responses import STATUSES, UNREADABLE
from tests.support.hostile_server import HostileServer, ReceivedRequest, make_response
from tests.support.stalling_server import StallingServer
from voicehub.outbox import LeaseLost
from voices.services.builds.journal import GateClosed

SHORT_DEADLINE = 0.6  # seconds
CHUNK_BYTES = 1 << 16
NON_PUBLIC_ADDRESSES = """
0.0.0.0 127.0.0.1 127.8.8.8 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 192.0.2.1 198.18.0.1 224.0.0.1
255.255.255.255 240.0.0.1 :: ::1 fc00::1 fd12::1 fe80::1 fe80::1%1 ff02::1 ff0e::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1
::ffff:169.254.169.254 64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 2002:7f00:1::1 2002:a00:1::1
2001:0:4136:e378:8000:63bf:f5ff:fffe 2001:db8::1
"""
HEADERS = {"Content-Type": "audio/x-wav", "Content-MD5": "abc=="}


class PlainProvider(HttpProvider):
    """A minimal vendor, which only reads the error text of a response."""

    slug = "plain"
    label = "Plain"
    tiers: ClassVar[dict[Any, Any]] = {}
    live_url = "https://vendor.example/api"
    sandbox_path = "/api"

    def parse_error_text(self, answer: Any) -> str:
        return str(answer.get("message", ""))

    def _submit_build(self, spec: BuildSpec, journal: Journal) -> BuildReport:
        raise NotImplementedError

    def fetch_build(self, remote_id: str) -> BuildReport:
        raise NotImplementedError

    def check_key(self) -> None:
        raise NotImplementedError


def open_client(address: str, seconds: float = 45) -> PlainProvider:
    return PlainProvider(KEY, sandbox_url=address, sandboxed=True, longest_call=seconds)


def make_zeros(chunk_count: int) -> UploadFile:
    return make_upload_file("voice.wav", "audio/x-wav", bytes(chunk_count * CHUNK_BYTES))


def ignore_progress(_sent: int) -> None: ...


def fetch_json_array(client: PlainProvider) -> list[Any]:
    return client.call("x", "GET", "/x", read=responses.read_json_array)


def fetch_json_container(client: PlainProvider) -> dict[str, Any] | list[Any]:
    return client.call("x", "GET", "/x", read=responses.read_json_container)


def fetch_sound(client: PlainProvider) -> Sound:
    return client.call("x", "GET", "/x", read=responses.read_sound)


@pytest.fixture
def client(hostile: HostileServer) -> Iterator[PlainProvider]:
    with open_client(hostile.address) as provider:
        yield provider


@pytest.fixture
def sink() -> Iterator[Callable[..., StallingServer]]:
    """A function that starts a StallingServer, which is closed after the test."""
    sinks: list[StallingServer] = []

    def make_sink(**options: Any) -> StallingServer:
        sinks.append(StallingServer(**options))
        return sinks[-1]

    yield make_sink
    for server in sinks:
        server.close()


class LoopbackServer:
    """Accepts one connection on loopback and stores its first bytes."""

    def __init__(self) -> None:
        self.received: bytes | None = None
        self.finished = Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        connection, _ = self._socket.accept()
        with connection, self._socket:
            self.received = connection.recv(100)
        self.finished.set()


class TestProviderUrls:
    def test_upload_sends_the_given_headers_and_no_key(self, client: PlainProvider, hostile: HostileServer) -> None:
        progress: list[int] = []
        upload = make_upload_file("voice.wav", "audio/x-wav", make_sound(1))
        client.upload_file("upload", f"{hostile.address}/signed?x=1", HEADERS, upload, progress.append)
        (request,) = hostile.received
        assert request.request_line == "PUT /signed?x=1 HTTP/1.1"
        assert request.body == make_sound(1)
        assert "content-md5: abc==\r\n" in request.head.lower()
        assert f"content-length: {upload.size}\r\n" in request.head.lower()
        assert "transfer-encoding" not in request.head.lower()
        assert "authorization" not in request.head.lower()
        assert KEY not in request.head
        assert progress == sorted(progress)
        assert progress[-1] == upload.size

    def test_download_sends_no_key(self, client: PlainProvider, hostile: HostileServer) -> None:
        hostile.respond_with(make_response(200, make_sound(1), content_type="text/plain"))
        sound = client.download_sound(f"{hostile.address}/sound")
        assert (sound.content, sound.content_type) == (make_sound(1), "audio/wav")
        assert KEY not in hostile.received[0].head
        assert "authorization" not in hostile.received[0].head.lower()

    @pytest.mark.parametrize(
        "address",
        ["{other}/x", "{sandbox}1/x", "{sandbox}@{other_host}/x", "{sandbox}.evil.example/x", "{sandbox}",
         "https://vendor.example/x", "file:///etc/passwd", "ftp://127.0.0.1/x", "/signed", "//127.0.0.1/x", "", "x",
         "{SANDBOX}/x", " {sandbox}/x"],
    )  # fmt: skip
    def test_sandbox_account_calls_the_sandbox_only(
        self, client: PlainProvider, hostile: HostileServer, other_server: HostileServer, address: str
    ) -> None:
        url = address.format(
            other=other_server.address,
            other_host=other_server.address.removeprefix("http://"),
            sandbox=hostile.address,
            SANDBOX=hostile.address.upper(),
        )
        self._check_refused(client, url)
        assert hostile.connection_count == other_server.connection_count == 0

    @pytest.mark.parametrize(
        "url", ["{hostile}/x", "http://vendor.example/x", "HTTPS://vendor.example/x", "https://", "https:///x",
                "https://[", "https://[::1", "https://a b/x", "https://*.example/x", "https://vendor.example:port/x"]
    )  # fmt: skip
    def test_live_account_follows_https_only(self, hostile: HostileServer, url: str) -> None:
        with PlainProvider(KEY) as client:
            self._check_refused(client, url.format(hostile=hostile.address))
        assert hostile.connection_count == 0

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0"])
    def test_live_account_sends_nothing_to_the_local_network(self, host: str) -> None:
        server = LoopbackServer()
        with PlainProvider(KEY) as client:
            self._check_refused(client, f"https://{host}:{server.port}/x", calls=1)
        assert server.finished.wait(60)
        assert server.received == b""

    @pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "fd00::1"])
    def test_host_name_with_an_internal_address_is_refused(self, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """The check uses the address of the open connection, not an earlier DNS lookup."""
        server = LoopbackServer()
        connection = socket.create_connection(("127.0.0.1", server.port))

        class RedirectedSocket(socket.socket):
            def getpeername(self) -> Any:
                return (address, 443)

        redirected = RedirectedSocket(fileno=connection.detach())
        monkeypatch.setattr(HTTPConnection, "_new_conn", lambda _self: redirected)
        with PlainProvider(KEY) as client:
            self._check_refused(client, "https://vendor.example/x", calls=1)
        assert server.finished.wait(60)
        assert server.received == b""

    def _check_refused(self, client: PlainProvider, url: str, calls: int = 2) -> None:
        for call in (
            lambda: client.download_sound(url),
            lambda: client.upload_file("upload", url, HEADERS, make_zeros(1), ignore_progress),
        )[:calls]:
            with pytest.raises(ResponseUnreadable) as exc_info:
                call()
            assert exc_info.value.detail == http.UNSAFE_ADDRESS_MESSAGE

    @pytest.mark.parametrize("headers", [{"X": "a\r\nb"}, {"X\n": "a"}, {"X": 5}, {"X": None, "Y": ["a"]}, {5: "a"}])
    def test_invalid_headers_are_unreadable(self, client: PlainProvider, hostile: HostileServer, headers: Any) -> None:
        with pytest.raises(ResponseUnreadable):
            client.upload_file("upload", f"{hostile.address}/x", headers, make_zeros(1), ignore_progress)
        assert hostile.connection_count == 0

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_redirect_is_not_followed(
        self, client: PlainProvider, hostile: HostileServer, other_server: HostileServer, status: int
    ) -> None:
        hostile.respond_with(make_response(status, b"", location=f"{other_server.address}/caught"))
        with pytest.raises(ProviderRejected):
            client.upload_file("upload", f"{hostile.address}/x", HEADERS, make_zeros(1), ignore_progress)
        with pytest.raises(ProviderRejected):
            client.download_sound(f"{hostile.address}/x")
        assert other_server.connection_count == 0
        assert hostile.connection_count == 2

    @pytest.mark.parametrize(("status", "_error_of_creating_call", "error_of_other_call"), STATUSES)
    def test_http_status_raises_the_error_of_its_kind(
        self,
        client: PlainProvider,
        hostile: HostileServer,
        status: int,
        _error_of_creating_call: type,
        error_of_other_call: type,
    ) -> None:
        """An expired URL does not show that the API key is wrong. The body of an upload's response is ignored."""
        hostile.respond_with(make_response(status, b""))
        expected = ProviderRejected if error_of_other_call in (ProviderAuthError, NotFound) else error_of_other_call
        for call in (
            lambda: client.upload_file("upload", f"{hostile.address}/x", HEADERS, make_zeros(1), ignore_progress),
            lambda: client.download_sound(f"{hostile.address}/x"),
        ):
            if status < 300:
                continue
            with pytest.raises(ProviderError) as exc_info:
                call()
            assert type(exc_info.value) is expected
            assert exc_info.value.status == status


def test_only_global_addresses_are_public() -> None:
    for address in ("1.1.1.1", "93.184.215.14", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"):
        assert is_public(address), address
    for address in NON_PUBLIC_ADDRESSES.split():
        assert not is_public(address), address


class TestUploads:
    def test_stalled_upload_is_aborted(self, sink: Callable[..., StallingServer]) -> None:
        server = sink(read_limit=CHUNK_BYTES)
        with open_client(server.address, SHORT_DEADLINE) as client, pytest.raises(ProviderUnavailable):
            client.upload_file("upload", f"{server.address}/x", HEADERS, make_zeros(1000), ignore_progress)
        server.resume.set()
        assert server.finished.wait(60)
        assert server.received_size < 1000 * CHUNK_BYTES

    def test_upload_without_a_response_is_aborted(self, hostile: HostileServer) -> None:
        finished = Event()

        def script(_request: ReceivedRequest) -> Iterator[bytes]:
            finished.wait(60)
            yield b""

        hostile.script = script
        with open_client(hostile.address, SHORT_DEADLINE) as client, pytest.raises(ProviderUnavailable):
            client.upload_file("upload", f"{hostile.address}/x", HEADERS, make_zeros(1), ignore_progress)
        finished.set()

    def test_upload_that_makes_progress_may_exceed_the_deadline(self, sink: Callable[..., StallingServer]) -> None:
        """Each chunk is sent well within the deadline. All chunks together take longer than the deadline."""
        server, progress = sink(), list[int]()
        began = time.monotonic()
        with open_client(server.address, 3.0) as client:
            client.upload_file(
                "upload", f"{server.address}/x", HEADERS, self._make_slow_upload(16, 0.25), progress.append
            )
        assert time.monotonic() - began > 3.5
        assert server.received_size == progress[-1] == 16 * CHUNK_BYTES

    def test_upload_longer_than_the_time_limit_is_aborted(
        self, sink: Callable[..., StallingServer], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(http, "MAX_UPLOAD_SECONDS", 2 * SHORT_DEADLINE)
        server = sink()
        with open_client(server.address, SHORT_DEADLINE) as client, pytest.raises(ProviderUnavailable):
            client.upload_file(
                "upload",
                f"{server.address}/x",
                HEADERS,
                self._make_slow_upload(100, SHORT_DEADLINE / 6),
                ignore_progress,
            )
        assert server.finished.wait(60)
        assert server.received_size < 100 * CHUNK_BYTES

    def _make_slow_upload(self, chunk_count: int, pause: float) -> UploadFile:
        def chunks() -> Iterator[bytes]:
            for _ in range(chunk_count):
                Event().wait(pause)
                yield bytes(CHUNK_BYTES)

        return UploadFile("voice.wav", "audio/x-wav", chunk_count * CHUNK_BYTES, b"", chunks)

    @pytest.mark.parametrize(
        "error",
        [LeaseLost("x"), GateClosed(("withdrawn",)), OSError("disk"), ConnectionResetError(), TimeoutError(),
         ValueError("x"), KeyError("x"), ProviderUnavailable("x")],
        ids=lambda error: type(error).__name__,
    )  # fmt: skip
    @pytest.mark.parametrize("source", ["journal", "file"])
    def test_exception_of_journal_or_file_aborts_the_upload_and_propagates(
        self, sink: Callable[..., StallingServer], error: Exception, source: str
    ) -> None:
        server, zeros = sink(), make_zeros(1000)

        def fail_at_third_chunk(sent: int) -> None:
            if source == "journal" and sent >= 3 * CHUNK_BYTES:
                raise error

        def chunks() -> Iterator[bytes]:
            for number, piece in enumerate(zeros.chunks()):
                if source == "file" and number == 3:
                    raise error
                yield piece

        upload = UploadFile("voice.wav", "audio/x-wav", zeros.size, zeros.md5, chunks)
        with open_client(server.address) as client, pytest.raises(type(error)) as exc_info:
            client.upload_file("upload", f"{server.address}/x", HEADERS, upload, fail_at_third_chunk)
        assert exc_info.value is error
        assert server.finished.wait(60), "the connection stayed open"
        assert server.received_size <= 3 * CHUNK_BYTES


class TestResponses:
    def test_empty_response_is_accepted_only_where_allowed(self, client: PlainProvider, hostile: HostileServer) -> None:
        for response in (make_response(204, b""), make_response(200, b""), make_response(200, b" \n")):
            hostile.respond_with(response)
            assert client.call("delete", "DELETE", "/x", may_be_empty=True) == {}
            with pytest.raises(ResponseUnreadable):
                client.call("delete", "DELETE", "/x")
            with pytest.raises(OutcomeUnknown):
                client.call("create", "POST", "/x", creates=True)

    @pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
    def test_nonsense_response_is_unreadable(self, client: PlainProvider, hostile: HostileServer, body: bytes) -> None:
        hostile.respond_with(make_response(200, body))
        calls: list[Callable[[], Any]] = [
            lambda: fetch_sound(client),
            lambda: client.download_sound(f"{hostile.address}/x"),
        ]
        if body:
            calls.append(lambda: client.call("x", "GET", "/x", may_be_empty=True))
        if not body.startswith(b"[1"):
            calls += [lambda: fetch_json_array(client), lambda: fetch_json_container(client)]
        for call in calls:
            with pytest.raises(ResponseUnreadable):
                call()

    def test_json_arrays_and_objects_are_distinguished(self, client: PlainProvider, hostile: HostileServer) -> None:
        hostile.respond_with(make_response(200, [{"a": "b\0"}]))
        assert fetch_json_array(client) == fetch_json_container(client) == [{"a": "b\ufffd"}]
        hostile.respond_with(make_response(200, {"a": 1}))
        assert fetch_json_container(client) == {"a": 1}
        with pytest.raises(ResponseUnreadable):
            fetch_json_array(client)

    def test_sound_over_the_size_limit_is_refused(
        self, client: PlainProvider, hostile: HostileServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(http, "MAX_SOUND_BYTES", len(make_sound(1)))
        hostile.respond_with(make_response(200, make_sound(1)))
        assert fetch_sound(client).content == make_sound(1)
        hostile.respond_with(make_response(200, make_sound(1) + b"\0"))
        calls: list[Callable[[], Any]] = [
            lambda: fetch_sound(client),
            lambda: client.download_sound(f"{hostile.address}/x"),
        ]
        for call in calls:
            with pytest.raises(ResponseUnreadable):
                call()


class TestApiLog:
    def test_api_log_keeps_the_last_responses(self, client: PlainProvider, hostile: HostileServer) -> None:
        for number in range(MAX_LOG_ENTRIES + 5):
            hostile.respond_with(make_response(200, {"number": number, "text": "ä\0" * MAX_LOG_TEXT_LENGTH}))
            client.call(f"call {number}", "GET", "/x")
        assert len(client.api_log) == MAX_LOG_ENTRIES
        last = list(client.api_log)[-1]
        assert (last.operation, last.status, len(last.text)) == (
            f"call {MAX_LOG_ENTRIES + 4}",
            200,
            MAX_LOG_TEXT_LENGTH,
        )
        assert f'"number": {MAX_LOG_ENTRIES + 4}' in last.text
        assert "ä" in last.text
        assert "\0" not in last.text

    def test_api_log_records_a_missing_response(self, client: PlainProvider, hostile: HostileServer) -> None:
        hostile.respond_with()
        with pytest.raises(ProviderUnavailable):
            client.call("check", "GET", "/x")
        assert (list(client.api_log)[-1].operation, list(client.api_log)[-1].status) == ("check", None)

    @pytest.mark.parametrize("key", [KEY, 'with"quote', "back\\slash", "sla/sh", "<angle>&"])
    @pytest.mark.parametrize("status", [200, 400, 500])
    def test_key_is_redacted_in_the_api_log(self, hostile: HostileServer, key: str, status: int) -> None:
        """However the provider escapes the key, and wherever VoiceHub cuts the text."""
        escaped_key = "".join(f"\\u{ord(letter):04x}" for letter in key)
        bodies = [{"message": key * 200}, {"a": [key], "b": {key: key}}, {"message": "x" * 490 + key}]
        raw = [json.dumps(body).encode() for body in bodies]
        raw += [f'{{"message": "{escaped_key}"}}'.encode(), raw[0].replace(b"/", b"\\/"), b"<p>" + key.encode()]
        for body in raw:
            hostile.respond_with(make_response(status, body))
            with PlainProvider(key, sandbox_url=hostile.address, sandboxed=True) as client:
                try:
                    client.call("check", "GET", "/x")
                except ProviderError as error:
                    assert key not in f"{error} {error!r} {vars(error)}"
                assert client.api_log
                for response in (entry.text for entry in client.api_log):
                    assert key not in response
                    assert key[:5] not in response
                assert key not in repr(client) + repr(client.api_log)
