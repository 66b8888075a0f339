"""A private file is sent completely or in ranges, with a content type and file name that VoiceHub sets."""

import hashlib
from collections.abc import Iterator
from contextlib import closing

import pytest
from django.core.files.base import ContentFile
from django.db.models.fields.files import FieldFile
from django.http import HttpResponseBase
from django.test import RequestFactory
from hypothesis import given, strategies

from voicehub import media
from voicehub.storage import hash_file, private
from voices.models import Recording, RecordingStatus

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]  # closing a response closes old database connections

CONTENT = bytes(range(256)) * 40


@pytest.fixture
def file() -> Iterator[FieldFile]:
    recording = Recording(file_name="x.wav", status=RecordingStatus.ACCEPTED)
    recording.file.name = private().save("tests/range.bin", ContentFile(CONTENT))
    yield recording.file
    private().delete(str(recording.file.name))


def send_file(file: FieldFile, header: str = "", *, attachment: bool = False) -> HttpResponseBase:
    headers = {"Range": header} if header else {}
    request = RequestFactory().get("/", headers=headers)
    return media.send_file(request, file, "audio/wav", "näme\r\n.wav", attachment=attachment)


def read_body(response: HttpResponseBase) -> bytes:
    with closing(response):
        return b"".join(response) if response.streaming else response.content  # type: ignore[attr-defined]


def test_file_is_sent_completely_without_a_range_header(file: FieldFile) -> None:
    response = send_file(file)
    assert (response.status_code, read_body(response)) == (200, CONTENT)
    assert response["Content-Type"] == "audio/wav"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Accept-Ranges"] == "bytes"
    assert "\r" not in response["Content-Disposition"]


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [("bytes=0-0", 0, 1), ("bytes=10-19", 10, 20), ("bytes=10200-", 10200, 10240), ("bytes=-5", 10235, 10240)]
    + [("bytes=0-999999", 0, 10240), ("bytes=-999999", 0, 10240)],
)
def test_range_is_sent_as_partial_content(file: FieldFile, header: str, start: int, end: int) -> None:
    response = send_file(file, header)
    assert (response.status_code, read_body(response)) == (206, CONTENT[start:end])
    assert response["Content-Range"] == f"bytes {start}-{end - 1}/{len(CONTENT)}"
    assert response["Content-Length"] == str(end - start)


@pytest.mark.parametrize("header", ["bytes=10240-", "bytes=-0", "bytes=20-10", "bytes=99999-100000"])
def test_range_outside_the_file_is_refused(file: FieldFile, header: str) -> None:
    response = send_file(file, header)
    assert (response.status_code, response["Content-Range"]) == (416, f"bytes */{len(CONTENT)}")


@pytest.mark.parametrize("header", ["bytes=0-1,5-6", "lines=1-2", "bytes=a-b", "bytes=-", "bytes"])
def test_unsupported_range_header_sends_the_whole_file(file: FieldFile, header: str) -> None:
    response = send_file(file, header)
    assert (response.status_code, len(read_body(response))) == (200, len(CONTENT))


def test_attachment_is_sent_with_a_sandbox_content_security_policy(file: FieldFile) -> None:
    response = send_file(file, attachment=True)
    assert response["Content-Disposition"].startswith("attachment")
    assert response["Content-Security-Policy"].startswith("sandbox")
    response.close()


@given(header=strategies.text(max_size=30), size=strategies.integers(min_value=1, max_value=10**12))
def test_any_range_header_gives_a_range_inside_the_file_or_an_error(header: str, size: int) -> None:
    try:
        byte_range = media.parse_range("bytes=" + header, size)
    except ValueError:
        return
    assert byte_range is None or 0 <= byte_range[0] <= byte_range[1] < size


def test_hash_covers_the_whole_file_and_rewinds_it(file: FieldFile) -> None:
    with file.open("rb") as stream:
        stream.seek(77)
        assert hash_file(stream) == hashlib.sha256(CONTENT).hexdigest()
        assert stream.tell() == 0
