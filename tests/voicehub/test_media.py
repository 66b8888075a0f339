"""Private files are sent whole or in ranges, with the type and name that we chose."""

import hashlib
from collections.abc import Iterator
from contextlib import closing

import pytest
from django.core.files.base import ContentFile
from django.db.models.fields.files import FieldFile
from django.http import HttpResponseBase
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as some

from voicehub import media
from voicehub.storage import hash_file, private
from voices.models import Recording, RecordingStatus

pytestmark = pytest.mark.django_db  # a response that is closed looks after old connections

BYTES = bytes(range(256)) * 40


@pytest.fixture
def file() -> Iterator[FieldFile]:
    recording = Recording(file_name="x.wav", status=RecordingStatus.ACCEPTED)
    recording.file.name = private().save("tests/range.bin", ContentFile(BYTES))
    yield recording.file
    private().delete(str(recording.file.name))


def ask(file: FieldFile, header: str = "", *, attachment: bool = False) -> HttpResponseBase:
    headers = {"Range": header} if header else {}
    request = RequestFactory().get("/", headers=headers)
    return media.send_file(request, file, "audio/wav", "näme\r\n.wav", attachment=attachment)


def body(response: HttpResponseBase) -> bytes:
    with closing(response):
        return b"".join(response) if response.streaming else response.content  # type: ignore[attr-defined]


def test_the_whole_file(file: FieldFile) -> None:
    response = ask(file)
    assert (response.status_code, body(response)) == (200, BYTES)
    assert response["Content-Type"] == "audio/wav"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Accept-Ranges"] == "bytes"
    assert "\r" not in response["Content-Disposition"]


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [("bytes=0-0", 0, 1), ("bytes=10-19", 10, 20), ("bytes=10200-", 10200, 10240), ("bytes=-5", 10235, 10240)]
    + [("bytes=0-999999", 0, 10240), ("bytes=-999999", 0, 10240)],
)
def test_a_range(file: FieldFile, header: str, start: int, end: int) -> None:
    response = ask(file, header)
    assert (response.status_code, body(response)) == (206, BYTES[start:end])
    assert response["Content-Range"] == f"bytes {start}-{end - 1}/{len(BYTES)}"
    assert response["Content-Length"] == str(end - start)


@pytest.mark.parametrize("header", ["bytes=10240-", "bytes=-0", "bytes=20-10", "bytes=99999-100000"])
def test_a_range_outside_of_the_file(file: FieldFile, header: str) -> None:
    response = ask(file, header)
    assert (response.status_code, response["Content-Range"]) == (416, f"bytes */{len(BYTES)}")


@pytest.mark.parametrize("header", ["bytes=0-1,5-6", "lines=1-2", "bytes=a-b", "bytes=-", "bytes"])
def test_what_is_not_understood_is_answered_whole(file: FieldFile, header: str) -> None:
    response = ask(file, header)
    assert (response.status_code, len(body(response))) == (200, len(BYTES))


def test_an_attachment_can_do_nothing_in_the_browser(file: FieldFile) -> None:
    response = ask(file, attachment=True)
    assert response["Content-Disposition"].startswith("attachment")
    assert response["Content-Security-Policy"].startswith("sandbox")
    response.close()


@given(header=some.text(max_size=30), size=some.integers(min_value=1, max_value=10**12))
def test_any_header_gives_a_range_inside_of_the_file_or_a_plain_no(header: str, size: int) -> None:
    try:
        part = media.parse_range("bytes=" + header, size)
    except ValueError:
        return
    assert part is None or 0 <= part[0] <= part[1] < size


def test_hash_of_a_file_reads_it_in_blocks(file: FieldFile) -> None:
    with file.open("rb") as opened:
        opened.seek(77)
        assert hash_file(opened) == hashlib.sha256(BYTES).hexdigest()
        assert opened.tell() == 0
