"""Send private files, whole or in ranges, with a content type that VoiceHub chooses. The caller checks permissions.

The type and the name come from what was verified at upload, never from the file name that a browser sent.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.files.storage import FileSystemStorage
from django.db.models.fields.files import FieldFile
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header

from voicehub.storage import BLOCK, explain_storage_errors, require_stored_file

RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})$")


def parse_range(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte of a Range header. None means the whole file (RFC 9110, 14.2).

    Several ranges or an invalid one return None, as the standard allows.
    Raises ValueError if the range is outside the file.
    """
    match = RANGE.match(header.strip())
    if not match or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if first:
        start, end = int(first), min(int(last or size - 1), size - 1)
    else:
        start, end = max(size - int(last), 0), size - 1
    if start > end:
        raise ValueError(header)
    return start, end


def _read_byte_range(file: Any, start: int, length: int) -> Iterator[bytes]:
    with file:
        file.seek(start)
        while length > 0 and (block := file.read(min(BLOCK, length))):
            length -= len(block)
            yield block


def send_file(
    request: HttpRequest, file: FieldFile, content_type: str, name: str, *, attachment: bool
) -> HttpResponseBase:
    """A response with the file: streamed from disk with ranges, or a redirect to a short-lived signed S3 URL.

    Raises StoredFileLost or StorageUnavailable, which LostDataMiddleware answers. S3 is asked first, because the
    browser would show S3's own error for a lost file.
    """
    disposition = content_disposition_header(attachment, name) or "attachment"
    if not isinstance(file.storage, FileSystemStorage):
        require_stored_file(file)
        return _redirect_to_store(file, content_type, disposition)
    with explain_storage_errors(file):
        response = _stream_from_disk(request, file)
    response.headers["Content-Type"] = content_type
    response.headers["Content-Disposition"] = disposition
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["X-Content-Type-Options"] = "nosniff"
    if attachment:
        response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def _redirect_to_store(file: FieldFile, content_type: str, disposition: str) -> HttpResponse:
    parameters = {"ResponseContentType": content_type, "ResponseContentDisposition": disposition}
    url = file.storage.url(file.name, parameters=parameters)  # type: ignore[call-arg]  # S3Storage takes parameters
    return HttpResponse(status=302, headers={"Location": url})


def _stream_from_disk(request: HttpRequest, file: FieldFile) -> HttpResponseBase:
    if not file.name:
        raise FileNotFoundError
    size = file.size
    try:
        part = parse_range(request.headers.get("Range", ""), size)
    except ValueError:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    if part is None:
        return FileResponse(file.open("rb"))
    start, end = part
    response = StreamingHttpResponse(_read_byte_range(file.open("rb"), start, end - start + 1), status=206)
    response.headers["Content-Length"] = str(end - start + 1)
    response.headers["Content-Range"] = f"bytes {start}-{end}/{size}"
    return response


def send_unnamed_file(request: HttpRequest, file: FieldFile, content_type: str) -> HttpResponse:
    """A response with a small file that names it nowhere: not in a header, and not in the address of a store.

    Raises StoredFileLost or StorageUnavailable, as `send_file` does.
    """
    with explain_storage_errors(file), file.open("rb") as opened:
        content = opened.read()
    headers = {"Accept-Ranges": "bytes", "X-Content-Type-Options": "nosniff", "Content-Disposition": "inline"}
    try:
        part = parse_range(request.headers.get("Range", ""), len(content))
    except ValueError:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{len(content)}"})
    if part is None:
        return HttpResponse(content, content_type=content_type, headers=headers)
    start, end = part
    headers["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
    return HttpResponse(content[start : end + 1], content_type=content_type, status=206, headers=headers)


def format_peaks(peaks: Sequence[int]) -> list[list[float]]:
    """Convert (lowest, highest) pairs of -128..127 to two lists for a waveform: highest, then lowest, in -1..1."""
    return [[round(value / 128, 3) for value in row] for row in (peaks[1::2], peaks[0::2])]
