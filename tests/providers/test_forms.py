"""Multipart forms that create a voice: VoiceHub sends them in chunks, and can abort them before their end."""

from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.message import Message
from threading import Event
from typing import Any

import pytest

from providers.connections import BLOCK_BYTES, load_into_memory
from providers.errors import OutcomeUnknown
from providers.types import UploadFile
from tests.providers.factories import KEY, make_upload_file
from tests.providers.test_http import SHORT_DEADLINE, PlainProvider, open_client, sink
from tests.support.hostile_server import HostileServer, ReceivedRequest, make_response
from tests.support.stalling_server import StallingServer
from voicehub.outbox import LeaseLost
from voices.services.builds.journal import GateClosed

__all__ = ["sink"]

FIELDS = {"name": "vh-0123456789ab", "voice_visibility": "PRIVATE"}


def make_upload_of_blocks(blocks: int) -> UploadFile:
    return make_upload_file("voice.wav", "audio/x-wav", bytes(blocks * BLOCK_BYTES))


def send_form(client: PlainProvider, upload: UploadFile, report: Callable[[int, int], None]) -> dict[str, Any]:
    return client.post_form("create", "/clone", "audio", upload, FIELDS, report)


def test_form_contains_fields_and_file_and_reports_progress(hostile: HostileServer) -> None:
    hostile.respond_with(make_response(201, {"id": "x"}))
    progress: list[tuple[int, int]] = []
    with open_client(hostile.address) as client:
        assert send_form(client, make_upload_of_blocks(3), lambda *counts: progress.append(counts)) == {"id": "x"}
    (request,) = hostile.received
    assert KEY in request.head and KEY.encode() not in request.body
    assert read_parts(request) == {
        "name": b"vh-0123456789ab",
        "voice_visibility": b"PRIVATE",
        "audio": bytes(3 * BLOCK_BYTES),
    }
    assert {size for _sent, size in progress} == {len(request.body)}
    assert progress == sorted(progress) and progress[-1][0] < len(request.body)


def read_parts(request: ReceivedRequest) -> dict[str, bytes]:
    content_type = next(line for line in request.head.split("\r\n") if line.lower().startswith("content-type:"))
    form = message_from_bytes(f"{content_type}\r\n\r\n".encode() + request.body)
    parts = [part for part in form.get_payload() if isinstance(part, Message)]
    return {str(part.get_param("name", header="content-disposition")): read_content(part) for part in parts}


def read_content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def test_form_that_makes_progress_may_exceed_the_deadline(sink: Callable[..., StallingServer]) -> None:
    """Each chunk is sent well within the deadline. All chunks together take longer than the deadline."""
    server = sink(response=make_response(201, {"id": "x"}))

    def wait(_sent: int, _size: int) -> None:
        Event().wait(SHORT_DEADLINE / 2)

    with open_client(server.address, 2 * SHORT_DEADLINE) as client:
        send_form(client, make_upload_of_blocks(8), wait)
    assert server.received_size > 8 * BLOCK_BYTES


def test_stalled_form_has_an_unknown_outcome(sink: Callable[..., StallingServer]) -> None:
    server = sink(read_limit=BLOCK_BYTES)
    with open_client(server.address, SHORT_DEADLINE) as client, pytest.raises(OutcomeUnknown):
        send_form(client, make_upload_of_blocks(200), lambda *_counts: None)
    server.resume.set()
    assert server.finished.wait(60)


@pytest.mark.parametrize("error", [LeaseLost("x"), GateClosed(("withdrawn",))], ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("failing_report", [1, 3])
def test_exception_in_progress_report_aborts_form_before_its_last_byte(
    sink: Callable[..., StallingServer], error: Exception, failing_report: int
) -> None:
    """An incomplete form creates no voice, so VoiceHub may end the build."""
    server, sizes = sink(response=make_response(201, {"id": "x"})), list[int]()

    def fail(_sent: int, size: int) -> None:
        sizes.append(size)
        if len(sizes) == failing_report:
            raise error

    with open_client(server.address) as client, pytest.raises(type(error)) as exc_info:
        send_form(client, make_upload_of_blocks(3), fail)
    assert exc_info.value is error
    assert server.finished.wait(60), "the connection stayed open"
    assert server.received_size < sizes[0]


def test_file_that_cannot_be_read_fails_before_anything_is_sent(hostile: HostileServer) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"RIFF"
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        load_into_memory(UploadFile("voice.wav", "audio/x-wav", 8, b"", chunks))
    assert not hostile.received
