"""Forms that create something: sent piece by piece for as long as they move, and given up by us before their end."""

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
from tests.providers.test_http import SOON, Plain, opened, sink
from tests.support.hostile import Asked, Hostile, answer
from tests.support.sink import Sink
from voicehub.outbox import LeaseLost
from voices.services.builds.journal import GateClosed

__all__ = ["sink"]

FIELDS = {"name": "vh-0123456789ab", "voice_visibility": "PRIVATE"}


def file(blocks: int) -> UploadFile:
    return make_upload_file("voice.wav", "audio/x-wav", bytes(blocks * BLOCK_BYTES))


def send(client: Plain, parcel: UploadFile, moved: Callable[[int, int], None]) -> dict[str, Any]:
    return client.post_form("create", "/clone", "audio", parcel, FIELDS, moved)


def test_form_is_what_was_asked_for(hostile: Hostile) -> None:
    hostile.says(answer(201, {"id": "x"}))
    moved: list[tuple[int, int]] = []
    with opened(hostile.address) as client:
        assert send(client, file(3), lambda *told: moved.append(told)) == {"id": "x"}
    (asked,) = hostile.asked
    assert KEY in asked.head and KEY.encode() not in asked.body
    assert parts(asked) == {"name": b"vh-0123456789ab", "voice_visibility": b"PRIVATE", "audio": bytes(3 * BLOCK_BYTES)}
    assert {whole for _sent, whole in moved} == {len(asked.body)}
    assert moved == sorted(moved) and moved[-1][0] < len(asked.body)


def parts(asked: Asked) -> dict[str, bytes]:
    kind = next(line for line in asked.head.split("\r\n") if line.lower().startswith("content-type:"))
    form = message_from_bytes(f"{kind}\r\n\r\n".encode() + asked.body)
    named = [part for part in form.get_payload() if isinstance(part, Message)]
    return {str(part.get_param("name", header="content-disposition")): _bytes(part) for part in named}


def _bytes(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def test_form_that_moves_has_its_time(sink: Callable[..., Sink]) -> None:
    """Each piece well within the deadline, and all of them past it."""
    server = sink(says=answer(201, {"id": "x"}))

    def moved(_sent: int, _whole: int) -> None:
        Event().wait(SOON / 2)

    with opened(server.address, 2 * SOON) as client:
        send(client, file(8), moved)
    assert server.got > 8 * BLOCK_BYTES


def test_form_that_stalls_is_in_doubt(sink: Callable[..., Sink]) -> None:
    server = sink(takes=BLOCK_BYTES)
    with opened(server.address, SOON) as client, pytest.raises(OutcomeUnknown):
        send(client, file(200), lambda *_told: None)
    server.go_on.set()
    assert server.over.wait(60)


@pytest.mark.parametrize("error", [LeaseLost("x"), GateClosed(("withdrawn",))], ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("at", [1, 3])
def test_what_we_raise_ends_it_before_its_last_byte(sink: Callable[..., Sink], error: Exception, at: int) -> None:
    """A form that never came whole creates nothing, so that the build may be ended by us."""
    server, whole = sink(says=answer(201, {"id": "x"})), []

    def moved(sent: int, size: int) -> None:
        whole.append(size)
        if len(whole) == at:
            raise error

    with opened(server.address) as client, pytest.raises(type(error)) as told:
        send(client, file(3), moved)
    assert told.value is error
    assert server.over.wait(60), "the connection stayed open"
    assert server.got < whole[0]


def test_file_that_breaks_does_so_before_anything_is_sent(hostile: Hostile) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"RIFF"
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        load_into_memory(UploadFile("voice.wav", "audio/x-wav", 8, b"", chunks))
    assert not hostile.asked
