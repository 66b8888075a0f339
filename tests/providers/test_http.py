"""The client itself: calls to addresses that a provider gave us, big uploads, and what is kept of responses."""

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
from providers.types import BuildReport, BuildSpec, Journal, Sound, UploadFile
from tests.providers.factories import KEY, make_sound, make_upload_file
from tests.providers.responses import STATUSES, UNREADABLE
from tests.support.hostile import Asked, Hostile, answer
from tests.support.sink import Sink
from voicehub.outbox import LeaseLost
from voices.services.builds.journal import GateClosed

SOON = 0.6
PIECE = 1 << 16
INSIDE = """
0.0.0.0 127.0.0.1 127.8.8.8 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 192.0.2.1 198.18.0.1 224.0.0.1
255.255.255.255 240.0.0.1 :: ::1 fc00::1 fd12::1 fe80::1 fe80::1%1 ff02::1 ff0e::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1
::ffff:169.254.169.254 64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 2002:7f00:1::1 2002:a00:1::1
2001:0:4136:e378:8000:63bf:f5ff:fffe 2001:db8::1
"""
HEADERS = {"Content-Type": "audio/x-wav", "Content-MD5": "abc=="}


class Plain(HttpProvider):
    """A vendor of which nothing is known but where its words are."""

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


def opened(address: str, seconds: float = 45) -> Plain:
    return Plain(KEY, sandbox_url=address, sandboxed=True, longest_call=seconds)


def zeros(pieces: int) -> UploadFile:
    return make_upload_file("voice.wav", "audio/x-wav", bytes(pieces * PIECE))


def unheard(_sent: int) -> None:
    """Where nobody waits."""


def call_list(client: Plain) -> list[Any]:
    return client.call("x", "GET", "/x", read=responses.read_json_array)


def call_json(client: Plain) -> dict[str, Any] | list[Any]:
    return client.call("x", "GET", "/x", read=responses.read_json_container)


def call_sound(client: Plain) -> Sound:
    return client.call("x", "GET", "/x", read=responses.read_sound)


@pytest.fixture
def client(hostile: Hostile) -> Iterator[Plain]:
    with opened(hostile.address) as provider:
        yield provider


@pytest.fixture
def sink() -> Iterator[Callable[..., Sink]]:
    made: list[Sink] = []

    def make(**options: Any) -> Sink:
        made.append(Sink(**options))
        return made[-1]

    yield make
    for one in made:
        one.close()


class Ear:
    """Listens on loopback for one connection, and keeps the first bytes that come."""

    def __init__(self) -> None:
        self.heard: bytes | None = None
        self.over = Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        connection, _ = self._listening.accept()
        with connection, self._listening:
            self.heard = connection.recv(100)
        self.over.set()


class TestAddressesOfTheProvider:
    def test_put_takes_its_own_headers_and_no_key(self, client: Plain, hostile: Hostile) -> None:
        moved: list[int] = []
        parcel = make_upload_file("voice.wav", "audio/x-wav", make_sound(1))
        client.upload_file("upload", f"{hostile.address}/signed?x=1", HEADERS, parcel, moved.append)
        (asked,) = hostile.asked
        assert asked.line == "PUT /signed?x=1 HTTP/1.1"
        assert asked.body == make_sound(1)
        assert "content-md5: abc==\r\n" in asked.head.lower()
        assert f"content-length: {parcel.size}\r\n" in asked.head.lower()
        assert "transfer-encoding" not in asked.head.lower()
        assert "authorization" not in asked.head.lower()
        assert KEY not in asked.head
        assert moved == sorted(moved)
        assert moved[-1] == parcel.size

    def test_download_takes_no_key(self, client: Plain, hostile: Hostile) -> None:
        hostile.says(answer(200, make_sound(1), content_type="text/plain"))
        got = client.download_sound(f"{hostile.address}/sound")
        assert (got.content, got.content_type) == (make_sound(1), "audio/wav")
        assert KEY not in hostile.asked[0].head
        assert "authorization" not in hostile.asked[0].head.lower()

    @pytest.mark.parametrize(
        "address",
        ["{elsewhere}/x", "{sandbox}1/x", "{sandbox}@{elsewhere_host}/x", "{sandbox}.evil.example/x", "{sandbox}",
         "https://vendor.example/x", "file:///etc/passwd", "ftp://127.0.0.1/x", "/signed", "//127.0.0.1/x", "", "x",
         "{SANDBOX}/x", " {sandbox}/x"],
    )  # fmt: skip
    def test_sandbox_account_goes_to_the_sandbox_only(
        self, client: Plain, hostile: Hostile, other_server: Hostile, address: str
    ) -> None:
        url = address.format(
            elsewhere=other_server.address,
            elsewhere_host=other_server.address.removeprefix("http://"),
            sandbox=hostile.address,
            SANDBOX=hostile.address.upper(),
        )
        self._refused(client, url)
        assert hostile.connections == other_server.connections == 0

    @pytest.mark.parametrize(
        "url", ["{hostile}/x", "http://vendor.example/x", "HTTPS://vendor.example/x", "https://", "https:///x",
                "https://[", "https://[::1", "https://a b/x", "https://*.example/x", "https://vendor.example:port/x"]
    )  # fmt: skip
    def test_live_account_follows_https_only(self, hostile: Hostile, url: str) -> None:
        with Plain(KEY) as client:
            self._refused(client, url.format(hostile=hostile.address))
        assert hostile.connections == 0

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0"])
    def test_live_account_says_nothing_into_our_own_network(self, host: str) -> None:
        ear = Ear()
        with Plain(KEY) as client:
            self._refused(client, f"https://{host}:{ear.port}/x", calls=1)
        assert ear.over.wait(60)
        assert ear.heard == b""

    @pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "fd00::1"])
    def test_name_that_leads_inside_is_not_followed(self, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whatever the name said when somebody looked: what counts is where the connection really ended."""
        ear = Ear()
        connect = socket.create_connection(("127.0.0.1", ear.port))

        class Elsewhere(socket.socket):
            def getpeername(self) -> Any:
                return (address, 443)

        far = Elsewhere(fileno=connect.detach())
        monkeypatch.setattr(HTTPConnection, "_new_conn", lambda _self: far)
        with Plain(KEY) as client:
            self._refused(client, "https://vendor.example/x", calls=1)
        assert ear.over.wait(60)
        assert ear.heard == b""

    def _refused(self, client: Plain, url: str, calls: int = 2) -> None:
        for ask in (
            lambda: client.download_sound(url),
            lambda: client.upload_file("upload", url, HEADERS, zeros(1), unheard),
        )[:calls]:
            with pytest.raises(ResponseUnreadable) as told:
                ask()
            assert told.value.detail == http.UNSAFE_ADDRESS_MESSAGE

    @pytest.mark.parametrize("headers", [{"X": "a\r\nb"}, {"X\n": "a"}, {"X": 5}, {"X": None, "Y": ["a"]}, {5: "a"}])
    def test_headers_that_are_none(self, client: Plain, hostile: Hostile, headers: Any) -> None:
        with pytest.raises(ResponseUnreadable):
            client.upload_file("upload", f"{hostile.address}/x", headers, zeros(1), unheard)
        assert hostile.connections == 0

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_redirect_takes_nothing_elsewhere(
        self, client: Plain, hostile: Hostile, other_server: Hostile, status: int
    ) -> None:
        hostile.says(answer(status, b"", location=f"{other_server.address}/caught"))
        with pytest.raises(ProviderRejected):
            client.upload_file("upload", f"{hostile.address}/x", HEADERS, zeros(1), unheard)
        with pytest.raises(ProviderRejected):
            client.download_sound(f"{hostile.address}/x")
        assert other_server.connections == 0
        assert hostile.connections == 2

    @pytest.mark.parametrize(("status", "_creating", "other"), STATUSES)
    def test_status_becomes_the_right_error(
        self, client: Plain, hostile: Hostile, status: int, _creating: type, other: type
    ) -> None:
        """An address that is not good any more says nothing of our key; and an upload's answer has nothing to say."""
        hostile.says(answer(status, b""))
        wanted = ProviderRejected if other in (ProviderAuthError, NotFound) else other
        for ask in (
            lambda: client.upload_file("upload", f"{hostile.address}/x", HEADERS, zeros(1), unheard),
            lambda: client.download_sound(f"{hostile.address}/x"),
        ):
            if status < 300:
                continue
            with pytest.raises(ProviderError) as told:
                ask()
            assert type(told.value) is wanted
            assert told.value.status == status


def test_which_addresses_are_everybodys() -> None:
    for address in ("1.1.1.1", "93.184.215.14", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"):
        assert is_public(address), address
    for address in INSIDE.split():
        assert not is_public(address), address


class TestUploads:
    def test_one_that_stalls_is_cut(self, sink: Callable[..., Sink]) -> None:
        server = sink(takes=PIECE)
        with opened(server.address, SOON) as client, pytest.raises(ProviderUnavailable):
            client.upload_file("upload", f"{server.address}/x", HEADERS, zeros(1000), unheard)
        server.go_on.set()
        assert server.over.wait(60)
        assert server.got < 1000 * PIECE

    def test_server_that_never_answers_is_cut(self, hostile: Hostile) -> None:
        over = Event()

        def script(_asked: Asked) -> Iterator[bytes]:
            over.wait(60)
            yield b""

        hostile.script = script
        with opened(hostile.address, SOON) as client, pytest.raises(ProviderUnavailable):
            client.upload_file("upload", f"{hostile.address}/x", HEADERS, zeros(1), unheard)
        over.set()

    def test_one_that_moves_has_its_time(self, sink: Callable[..., Sink]) -> None:
        """Each piece well within the deadline, and all of them well past it."""
        server, moved = sink(), list[int]()
        began = time.monotonic()
        with opened(server.address, 3.0) as client:
            client.upload_file("upload", f"{server.address}/x", HEADERS, self._slow(16, 0.25), moved.append)
        assert time.monotonic() - began > 3.5
        assert server.got == moved[-1] == 16 * PIECE

    def test_one_that_moves_for_ever_is_cut(self, sink: Callable[..., Sink], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(http, "MAX_UPLOAD_SECONDS", 2 * SOON)
        server = sink()
        with opened(server.address, SOON) as client, pytest.raises(ProviderUnavailable):
            client.upload_file("upload", f"{server.address}/x", HEADERS, self._slow(100, SOON / 6), unheard)
        assert server.over.wait(60)
        assert server.got < 100 * PIECE

    def _slow(self, pieces: int, pause: float) -> UploadFile:
        def chunks() -> Iterator[bytes]:
            for _ in range(pieces):
                Event().wait(pause)
                yield bytes(PIECE)

        return UploadFile("voice.wav", "audio/x-wav", pieces * PIECE, b"", chunks)

    @pytest.mark.parametrize(
        "error",
        [LeaseLost("x"), GateClosed(("withdrawn",)), OSError("disk"), ConnectionResetError(), TimeoutError(),
         ValueError("x"), KeyError("x"), ProviderUnavailable("x")],
        ids=lambda error: type(error).__name__,
    )  # fmt: skip
    @pytest.mark.parametrize("where", ["journal", "parcel"])
    def test_what_we_raise_ends_it_and_comes_out(self, sink: Callable[..., Sink], error: Exception, where: str) -> None:
        server, whole = sink(), zeros(1000)

        def moved(sent: int) -> None:
            if where == "journal" and sent >= 3 * PIECE:
                raise error

        def chunks() -> Iterator[bytes]:
            for number, piece in enumerate(whole.chunks()):
                if where == "parcel" and number == 3:
                    raise error
                yield piece

        parcel = UploadFile("voice.wav", "audio/x-wav", whole.size, whole.md5, chunks)
        with opened(server.address) as client, pytest.raises(type(error)) as told:
            client.upload_file("upload", f"{server.address}/x", HEADERS, parcel, moved)
        assert told.value is error
        assert server.over.wait(60), "the connection stayed open"
        assert server.got <= 3 * PIECE


class TestOtherCalls:
    def test_answer_may_be_empty_where_that_is_allowed(self, client: Plain, hostile: Hostile) -> None:
        for said in (answer(204, b""), answer(200, b""), answer(200, b" \n")):
            hostile.says(said)
            assert client.call("delete", "DELETE", "/x", may_be_empty=True) == {}
            with pytest.raises(ResponseUnreadable):
                client.call("delete", "DELETE", "/x")
            with pytest.raises(OutcomeUnknown):
                client.call("create", "POST", "/x", creates=True)

    @pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
    def test_nonsense_is_no_answer(self, client: Plain, hostile: Hostile, body: bytes) -> None:
        hostile.says(answer(200, body))
        asks: list[Callable[[], Any]] = [
            lambda: call_sound(client),
            lambda: client.download_sound(f"{hostile.address}/x"),
        ]
        if body:
            asks.append(lambda: client.call("x", "GET", "/x", may_be_empty=True))
        if not body.startswith(b"[1"):
            asks += [lambda: call_list(client), lambda: call_json(client)]
        for ask in asks:
            with pytest.raises(ResponseUnreadable):
                ask()

    def test_lists_are_lists(self, client: Plain, hostile: Hostile) -> None:
        hostile.says(answer(200, [{"a": "b\0"}]))
        assert call_list(client) == call_json(client) == [{"a": "b\ufffd"}]
        hostile.says(answer(200, {"a": 1}))
        assert call_json(client) == {"a": 1}
        with pytest.raises(ResponseUnreadable):
            call_list(client)

    def test_sound_has_a_size_that_we_take(
        self, client: Plain, hostile: Hostile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(http, "MAX_SOUND_BYTES", len(make_sound(1)))
        hostile.says(answer(200, make_sound(1)))
        assert call_sound(client).content == make_sound(1)
        hostile.says(answer(200, make_sound(1) + b"\0"))
        asks: list[Callable[[], Any]] = [
            lambda: call_sound(client),
            lambda: client.download_sound(f"{hostile.address}/x"),
        ]
        for ask in asks:
            with pytest.raises(ResponseUnreadable):
                ask()


class TestApiLog:
    def test_last_answers_are_kept(self, client: Plain, hostile: Hostile) -> None:
        for number in range(MAX_LOG_ENTRIES + 5):
            hostile.says(answer(200, {"number": number, "words": "ä\0" * MAX_LOG_TEXT_LENGTH}))
            client.call(f"work {number}", "GET", "/x")
        assert len(client.api_log) == MAX_LOG_ENTRIES
        last = list(client.api_log)[-1]
        assert (last.operation, last.status, len(last.text)) == (
            f"work {MAX_LOG_ENTRIES + 4}",
            200,
            MAX_LOG_TEXT_LENGTH,
        )
        assert f'"number": {MAX_LOG_ENTRIES + 4}' in last.text
        assert "ä" in last.text
        assert "\0" not in last.text

    def test_no_answer_is_kept_too(self, client: Plain, hostile: Hostile) -> None:
        hostile.says()
        with pytest.raises(ProviderUnavailable):
            client.call("work", "GET", "/x")
        assert (list(client.api_log)[-1].operation, list(client.api_log)[-1].status) == ("work", None)

    @pytest.mark.parametrize("key", [KEY, 'with"quote', "back\\slash", "sla/sh", "<angle>&"])
    @pytest.mark.parametrize("status", [200, 400, 500])
    def test_key_is_in_none_of_them(self, hostile: Hostile, key: str, status: int) -> None:
        """However the provider writes it, and wherever the words are cut."""
        spelled = "".join(f"\\u{ord(letter):04x}" for letter in key)
        bodies = [{"message": key * 200}, {"a": [key], "b": {key: key}}, {"message": "x" * 490 + key}]
        raw = [json.dumps(body).encode() for body in bodies]
        raw += [f'{{"message": "{spelled}"}}'.encode(), raw[0].replace(b"/", b"\\/"), b"<p>" + key.encode()]
        for body in raw:
            hostile.says(answer(status, body))
            with Plain(key, sandbox_url=hostile.address, sandboxed=True) as client:
                try:
                    client.call("work", "GET", "/x")
                except ProviderError as error:
                    assert key not in f"{error} {error!r} {vars(error)}"
                assert client.api_log
                for said in (one.text for one in client.api_log):
                    assert key not in said
                    assert key[:5] not in said
                assert key not in repr(client) + repr(client.api_log)
