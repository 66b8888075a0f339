"""Records who opens a file of a talent: a row for each person, file and hour, written before the file is sent.

Takes, contracts and recordings must not leave without a trace. If the row cannot be written, the file stays closed
(503), and the page says why.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar
from uuid import UUID

from django.db import Error, connection, transaction
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from consent.extension_points import get_provider_label
from consent.models import Consent, Contract, ContractDraft, FileAccess, Take
from voicehub.models import User
from voicehub.storage import StorageUnavailable

Response = TypeVar("Response", bound=HttpResponseBase)
NOT_RECORDED = "VoiceHub could not record who opens this file, so the file stays closed."
# The whole file, or a part of it.
DELIVERED = {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}
TALENT_READER, TALENT_NAME = "talent", "The talent"
MAX_NAME = FileAccess._meta.get_field("reader_name").max_length or 200
MAX_LABEL = FileAccess._meta.get_field("label").max_length or 200
COLUMNS = ("talent", "reader", "user", "reader_name", "kind", "object_id", "label", "hour", "last_at", "count")
# `bulk_create` can replace the values of a row that is there, but not count.
UPSERT = """
INSERT INTO consent_fileaccess (talent_id, reader, user_id, reader_name, kind, object_id, label, hour, last_at, count)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (reader, kind, object_id, hour)
DO UPDATE SET count = consent_fileaccess.count + 1, last_at = excluded.last_at
"""
# What the kinds of files are called, by the word that rows store. Each app adds its own.
FILE_KINDS: dict[str, str] = {}


class AccessNotRecorded(StorageUnavailable):
    """The row that says who opens a file cannot be written."""

    def __init__(self) -> None:
        super().__init__(NOT_RECORDED)


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A file: its kind, the id of its row, and words for it without the name of the talent.

    A voice of an account that belongs to no talent here has previews without a talent.
    """

    talent_id: UUID | None
    kind: str
    object_id: UUID
    label: str


@dataclass(frozen=True, slots=True)
class Reader:
    """Who opens a file. `key` tells readers apart."""

    key: str
    name: str
    user: User | None = None


TALENT = Reader(TALENT_READER, TALENT_NAME)


def register_file_kind(kind: str, label: str) -> str:
    """Add a kind of files. Rows store `kind`: never rename it."""
    FILE_KINDS[kind] = label
    return kind


TAKE = register_file_kind("take", "Recording of a consent")
CONTRACT = register_file_kind("contract", "Contract")
NOTICE = register_file_kind("notice", "Notice")
RECEIPT = register_file_kind("receipt", "Receipt")


def get_kind_label(kind: str) -> str:
    """The label of a kind. A kind that no longer exists is shown as it is stored."""
    return FILE_KINDS.get(kind, kind)


def describe_take(take: Take) -> OpenedFile:
    return OpenedFile(take.consent.talent_id, TAKE, take.pk, _name_consent(take.consent))


def describe_contract(contract: Contract) -> OpenedFile:
    return OpenedFile(contract.talent_id, CONTRACT, contract.pk, f"signed on {contract.signed_on:%Y-%m-%d}")


def describe_draft(draft: ContractDraft) -> OpenedFile:
    return OpenedFile(draft.talent_id, CONTRACT, draft.pk, "not filed yet")


def describe_notice(consent: Consent) -> OpenedFile:
    return OpenedFile(consent.talent_id, NOTICE, consent.pk, _name_consent(consent))


def describe_receipt(take: Take) -> OpenedFile:
    return OpenedFile(take.consent.talent_id, RECEIPT, take.pk, _name_consent(take.consent))


def _name_consent(consent: Consent) -> str:
    return f"{get_provider_label(consent.provider)}, {consent.purpose}"


def find_reader(request: HttpRequest) -> Reader:
    """The signed-in user, also on the pages of a private link. Without one, these pages are read by the talent."""
    user = request.user
    return Reader(f"user:{user.pk}", str(user), user) if isinstance(user, User) else TALENT


def send_recorded(request: HttpRequest, file: OpenedFile, response: Response, reader: Reader | None = None) -> Response:
    """The response with a file, after the access is recorded. Raises AccessNotRecorded, and then sends nothing.

    A HEAD request and a refused range deliver nothing, and are not recorded. The signed address of a store does, also
    in the answer to HEAD.
    """
    is_redirect = response.status_code == HTTPStatus.FOUND
    if is_redirect or (request.method != "HEAD" and response.status_code in DELIVERED):
        try:
            record_access(file, reader or find_reader(request))
        except AccessNotRecorded:
            # `response.close()` would end the request, and its database connection with it.
            if isinstance(response, FileResponse) and response.file_to_stream:
                response.file_to_stream.close()
            raise
    return response


def record_access(file: OpenedFile, reader: Reader) -> None:
    """Add the row of this hour, or count it. One statement, so that no request of many at once is lost."""
    now = timezone.now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    row = FileAccess(
        talent_id=file.talent_id, reader=reader.key, user=reader.user, reader_name=reader.name[:MAX_NAME],
        kind=file.kind, object_id=file.object_id, label=file.label[:MAX_LABEL], hour=hour, last_at=now, count=1,
    )  # fmt: skip
    fields = {field.name: field for field in FileAccess._meta.concrete_fields}
    ordered = [fields[name] for name in COLUMNS]
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in ordered]
    try:
        # A transaction of its own, so that a failure breaks no other one.
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(UPSERT, values)
    except Error as error:
        raise AccessNotRecorded from error
