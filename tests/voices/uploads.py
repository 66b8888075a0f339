"""A client of resumable uploads (tus 1.0.0), for tests."""

import base64
from typing import Any

from django.test import Client
from django.urls import reverse

from voices.models import Import, ImportFile

VERSION = {"Tus-Resumable": "1.0.0"}
PART_TYPE = "application/offset+octet-stream"


def encode_metadata(**fields: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in fields.items())


def create_upload(
    client: Client,
    import_set: Import,
    size: int,
    content: bytes = b"",
    *,
    headers: dict[str, str] | None = None,
    metadata: dict[str, str] | None = None,
) -> Any:
    """Send the POST that creates an upload, with its first part if `content` is given."""
    sent = VERSION | {"Upload-Length": str(size)}
    sent["Upload-Metadata"] = encode_metadata(**(metadata or {"filename": "a.wav"}))
    url = reverse("voices:import_uploads", args=[import_set.pk])
    return client.post(url, content, content_type=PART_TYPE, headers=sent | (headers or {}))


def send_part(client: Client, file: ImportFile, offset: int, content: bytes, **headers: str) -> Any:
    url = reverse("voices:import_upload", args=[file.pk])
    sent = (
        VERSION
        | {"Upload-Offset": str(offset), "Content-Type": PART_TYPE}
        | {name.replace("_", "-"): text for name, text in headers.items()}
    )
    return client.patch(url, content, content_type=PART_TYPE, headers=sent)


def read_offset(client: Client, file: ImportFile) -> int:
    response = client.head(reverse("voices:import_upload", args=[file.pk]), headers=VERSION)
    assert response.status_code == 200
    return int(response["Upload-Offset"])


def read_stored(file: ImportFile) -> bytes:
    file.refresh_from_db()
    with file.file.open("rb") as stored:
        content: bytes = stored.read()
    return content
