"""AudioStack's files: announced, sent to the returned address, polled until they are uploaded, and deleted."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import PurePath
from typing import Any, ClassVar
from urllib.parse import quote

from providers.audiostack.parsing import parse_file_status, parse_id
from providers.errors import NotFound, ProviderRejected, ProviderUnavailable, ResponseUnreadable
from providers.http import HttpProvider
from providers.journal import Journal
from providers.parsing import flatten_text
from providers.types import BuildSpec, FileRef, UploadFile

UPLOADED = "uploaded"
DELETED_STATUSES = ("deleted", "removed")
BLOCK_BYTES = 1 << 20  # bytes
MAX_FILE_POLLS = 30  # polls of a file before the upload is retried later


@dataclass(frozen=True, slots=True)
class PendingUpload:
    """An announced file: its build and recording, and its upload address, which is valid for seven days."""

    reference: str
    key: str
    file_id: str
    url: str
    content_type: str


class AudioStackFiles(HttpProvider):
    poll_seconds: ClassVar[float] = 0.5
    """Seconds between two polls of a sent file."""

    def ensure_uploaded(
        self, spec: BuildSpec, key: str, audio: FileRef, journal: Journal, report_progress: Callable[[], None]
    ) -> str:
        """Upload the file and return its id. A file that was announced before a crash is reused if possible."""
        report_progress()
        pending = _parse_pending(spec.resume_state)
        if pending and (pending.reference, pending.key) == (spec.reference, key):
            # If a call is refused, the file is gone or its address has expired. A new file costs nothing.
            with suppress(ProviderRejected):
                if self._fetch_file_status(pending) != UPLOADED:
                    self._upload_audio(pending, audio, report_progress)
                return pending.file_id
        pending = self._announce_file(spec, key, audio)
        journal.record_file(key, pending.file_id)
        journal.save_resume_state(json.dumps(asdict(pending)))
        self._upload_audio(pending, audio, report_progress)
        return pending.file_id

    def _announce_file(self, spec: BuildSpec, key: str, audio: FileRef) -> PendingUpload:
        """Announce a file. Its name reveals nothing about a person, because the whole organization can see it."""
        name = f"{spec.reference}-{key}{PurePath(audio.name).suffix or '.wav'}"
        response = self.call("announce file", "POST", "/files", json={"file_name": name})
        file_id, url, content_type = (
            parse_id(response.get("fileId")),
            response.get("uploadUrl"),
            response.get("mimeType"),
        )
        if not (file_id and isinstance(url, str) and isinstance(content_type, str)):
            raise ResponseUnreadable("announce file", "no file in the response")
        return PendingUpload(spec.reference, key, file_id, url, content_type)

    def _upload_audio(self, pending: PendingUpload, audio: FileRef, report_progress: Callable[[], None]) -> None:
        def on_progress(sent: int) -> None:
            if sent < audio.size:
                report_progress()

        upload = UploadFile(audio.name, pending.content_type, audio.size, b"", lambda: _read_blocks(audio))
        self.upload_file("send file", pending.url, {"Content-Type": pending.content_type}, upload, on_progress)
        for _poll in range(MAX_FILE_POLLS):
            if self._fetch_file_status(pending) == UPLOADED:
                return
            report_progress()
            time.sleep(self.poll_seconds)
        raise ProviderUnavailable("send file", "The file was sent, but AudioStack has not accepted it yet.")

    def _fetch_file_status(self, pending: PendingUpload) -> str:
        return parse_file_status(self._fetch_file(pending.file_id))

    def _fetch_file(self, file_id: str) -> dict[str, Any]:
        return self.call("look at file", "GET", _build_file_path(file_id))

    def delete_file(self, file_id: str) -> Mapping[str, Any]:
        try:
            return self.call("delete file", "DELETE", _build_file_path(file_id), may_be_empty=True)
        except NotFound:  # already deleted
            return {}

    def has_file(self, file_id: str) -> bool:
        try:
            return flatten_text(self._fetch_file(file_id).get("status")).lower() not in DELETED_STATUSES
        except NotFound:
            return False


def _build_file_path(file_id: str) -> str:
    return f"/files/{quote(file_id, safe='')}"


def _parse_pending(text: str) -> PendingUpload | None:
    try:
        return PendingUpload(**json.loads(text))
    except (ValueError, TypeError):
        return None


def _read_blocks(audio: FileRef) -> Iterator[bytes]:
    with audio.open() as file:
        while block := file.read(BLOCK_BYTES):
            yield block
