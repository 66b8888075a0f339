"""Resumable uploads of recordings by tus 1.0.0 (https://tus.io/protocols/resumable-upload).

An upload exists only for the person who made its import. The number of files that this person has chosen comes in the
header Import-Files.
"""

import base64
import hashlib
from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import http_date
from django.views.decorators.http import require_http_methods

from consent.access import get_user, require_permission
from voicehub.refusals import ActionRefused
from voicehub.upload_limits import ARCHIVE_BYTES, IMPORT_FILES
from voices import access
from voices.models import Import, ImportFile
from voices.services.imports import uploads
from voices.services.imports.room import UploadTooLarge

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,expiration,termination"
PART_TYPE = "application/offset+octet-stream"
METADATA_LENGTH = 8192
MAX_DIGITS = 15
View = Callable[[HttpRequest, UUID], HttpResponse]


class ProtocolError(Exception):
    """The request breaks the protocol."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.code = status


def answer_in_tus(view: View) -> View:
    """Decorator: say the version in each answer, and answer refusals with their status and a sentence for the page."""

    @wraps(view)
    def answering(request: HttpRequest, pk: UUID) -> HttpResponse:
        response = _call(view, request, pk)
        response.headers["Tus-Resumable"] = VERSION
        return response

    return answering


def _call(view: View, request: HttpRequest, pk: UUID) -> HttpResponse:
    try:
        return view(request, pk)
    except ProtocolError as error:
        response = _explain(error.code, str(error))
        if error.code == 412:
            response.headers["Tus-Version"] = VERSION
        return response
    except Http404:
        return _explain(404, "This upload does not exist. Upload the file again.")
    except uploads.OffsetConflict:
        return _explain(409, "The part does not begin where the upload has arrived.")
    except UploadTooLarge as refusal:
        return _explain(413, str(refusal))
    except ActionRefused as refusal:  # the import is over, or has expired
        return _explain(410, str(refusal))


def _explain(status: int, text: str) -> HttpResponse:
    return JsonResponse({"problem": text}, status=status)


@require_permission("voices.add_recording")
@answer_in_tus
@require_http_methods(["GET", "POST", "OPTIONS"])
def import_uploads(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Create an upload for a file of this import, or list how much of each file has arrived."""
    import_set = get_object_or_404(Import.objects.select_related("voice"), pk=pk, by=get_user(request))
    access.require_open_recordings(import_set.voice, get_user(request))
    if request.method == "OPTIONS":
        return _describe_server()
    if request.method == "GET":
        return _list_files(import_set)
    _require_version(request)
    return _create(request, import_set)


@require_permission("voices.add_recording")
@answer_in_tus
@require_http_methods(["HEAD", "PATCH", "DELETE", "POST", "OPTIONS"])
def import_upload(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Say how much of a file has arrived, append to it, or remove it from its import."""
    rows = ImportFile.objects.select_related("import_set__voice")
    file = get_object_or_404(rows, pk=pk, import_set__by=get_user(request))
    access.require_open_recordings(file.import_set.voice, get_user(request))
    if request.method == "OPTIONS":
        return _describe_server()
    actions = {"HEAD": _show_offset, "PATCH": _append, "DELETE": _terminate}
    action = actions.get(_get_method(request))
    if action is None:
        return HttpResponseNotAllowed([*actions, "OPTIONS"])
    _require_version(request)
    return action(request, file)


def _get_method(request: HttpRequest) -> str:
    """The method. A POST may name another, which a proxy does not allow. A GET may not: no token guards it."""
    method = str(request.method)
    return request.headers.get("X-HTTP-Method-Override", method).upper() if method == "POST" else method


def _describe_server() -> HttpResponse:
    headers = {"Tus-Version": VERSION, "Tus-Extension": EXTENSIONS, "Tus-Max-Size": str(ARCHIVE_BYTES)}
    return HttpResponse(status=204, headers=headers)


def _require_version(request: HttpRequest) -> None:
    if request.headers.get("Tus-Resumable") != VERSION:
        raise ProtocolError(412, f"The server speaks version {VERSION} of tus.")


def _list_files(import_set: Import) -> HttpResponse:
    """For a page that continues: each file that has begun, by size and metadata, and the bytes that have arrived."""
    uploads.require_usable(import_set)
    files = list(import_set.files.order_by().values("size", "metadata", "received"))
    return JsonResponse({"files": files, "planned": import_set.planned_files})


# --- Creation ---


def _create(request: HttpRequest, import_set: Import) -> HttpResponse:
    size = _read_number(request, "Upload-Length")
    header = request.headers.get("Upload-Metadata", "")
    metadata = _parse_metadata(header)
    length = _read_body_length(request)
    if length:
        _require_part(request, length, room=size)
    name = metadata.get("relativePath") or metadata.get("filename") or ""
    is_identified = "lastModified" in metadata
    key = hashlib.sha256(f"{size} {header}".encode()).hexdigest() if is_identified else ""
    file = uploads.create_upload(import_set, name, size, metadata=header, key=key)
    uploads.note_planned_files(import_set, _read_planned_files(request))
    if length and not file.received:
        _append_first_part(request, file)
    url = reverse("voices:import_upload", args=[file.pk])
    return HttpResponse(status=201, headers={"Location": url, **_describe(file)})


def _append_first_part(request: HttpRequest, file: ImportFile) -> None:
    try:
        uploads.append_part(file, 0, request)
    except uploads.OffsetConflict:  # the same request came twice at once
        file.refresh_from_db(fields=["received"])


def _read_planned_files(request: HttpRequest) -> int:
    text = request.headers.get("Import-Files", "")
    return min(int(text), IMPORT_FILES) if text.isdecimal() and len(text) <= MAX_DIGITS else 0


def _parse_metadata(header: str) -> dict[str, str]:
    """The pairs of Upload-Metadata: keys, and values in Base64, which may be absent."""
    if len(header) > METADATA_LENGTH:
        raise ProtocolError(400, "Upload-Metadata is too long.")
    try:
        pairs = [pair.strip().partition(" ") for pair in header.split(",") if pair.strip()]
        return {key: base64.b64decode(value.strip(), validate=True).decode() for key, _, value in pairs}
    except ValueError:  # no Base64, or no UTF-8
        raise ProtocolError(400, "Upload-Metadata is not valid.") from None


# --- One upload ---


def _show_offset(_request: HttpRequest, file: ImportFile) -> HttpResponse:
    uploads.require_usable(file.import_set)
    headers = {**_describe(file), "Upload-Length": str(file.size), "Cache-Control": "no-store"}
    if file.metadata:
        headers["Upload-Metadata"] = file.metadata
    return HttpResponse(headers=headers)


def _append(request: HttpRequest, file: ImportFile) -> HttpResponse:
    offset = _read_number(request, "Upload-Offset")
    if offset != file.received:
        uploads.require_usable(file.import_set)
        raise uploads.OffsetConflict
    _require_part(request, _read_body_length(request), room=file.size - offset)
    uploads.append_part(file, offset, request)
    return HttpResponse(status=204, headers=_describe(file))


def _terminate(_request: HttpRequest, file: ImportFile) -> HttpResponse:
    uploads.terminate_upload(file)
    return HttpResponse(status=204)


def _describe(file: ImportFile) -> dict[str, str]:
    expires = http_date(file.import_set.expires_at.timestamp())
    return {"Upload-Offset": str(file.received), "Upload-Expires": expires}


# --- Headers ---


def _read_number(request: HttpRequest, name: str) -> int:
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS):
        raise ProtocolError(400, f"{name} is missing or no number.")
    return int(text)


def _read_body_length(request: HttpRequest) -> int:
    """The length of the body, which Django does not read without this header."""
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        raise ProtocolError(411, "Content-Length is missing.")
    text = request.headers.get("Content-Length") or "0"
    return int(text) if text.isdecimal() else 0


def _require_part(request: HttpRequest, length: int, room: int) -> None:
    if request.content_type != PART_TYPE:
        raise ProtocolError(415, f"The content type of a part is {PART_TYPE}.")
    if length > room:
        raise ProtocolError(413, "The part is longer than the rest of the upload.")
