"""Request parsing and responses that all vendors share."""

import binascii
import hashlib
import json
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.http import JsonResponse

from sandbox import vendor_defaults
from sandbox.context import SandboxRequest

KEY_HEADER = re.compile(r"authorization|token|key|cookie|secret", re.IGNORECASE)
MIN_REDACTED_KEY_LENGTH = 8  # characters
TOKEN_SCHEME = re.compile(r'Token\s+token="?(?P<key>[^"]*)"?')


class RequestRefused(Exception):
    """Refuse the request with this status and message. The vendor's package formats the response."""

    def __init__(self, status: int, message: str, errors: dict[str, list[str]] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors or {}


def make_field_error(field: str, message: str) -> RequestRefused:
    return RequestRefused(vendor_defaults.INVALID_STATUS, f"{field} {message}", {field: [message]})


@dataclass(frozen=True, slots=True)
class Account:
    """The owner of a key. The key is not stored: `hint` is the start of its SHA-256."""

    hint: str
    can_write: bool
    is_authorized_uploader: bool


def make_key_hint(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def authenticate_key(key: str) -> Account:
    """The account of a key. Raises RequestRefused 401 if the key is missing or invalid."""
    if not key or key.startswith(vendor_defaults.BAD_KEY_PREFIX):
        raise RequestRefused(401, "The API key is missing or not valid.")
    return Account(
        hint=make_key_hint(key),
        can_write=not key.startswith(vendor_defaults.READ_ONLY_KEY_PREFIX),
        is_authorized_uploader=key.startswith(vendor_defaults.AUTHORIZED_KEY_PREFIX),
    )


def parse_authorization_key(header: str) -> str:
    """The key in `Bearer KEY`, `Token token=KEY`, `Token token="KEY"`, or alone."""
    if found := TOKEN_SCHEME.fullmatch(header.strip()):
        return found["key"]
    scheme, _, rest = header.strip().partition(" ")
    return rest.strip() if scheme == "Bearer" else header.strip()


def redact_keys(headers: Mapping[str, str]) -> dict[str, str]:
    """All headers with their values, in which each key is replaced by the `[hint]` of its account."""
    key_values = [value for name, value in headers.items() if KEY_HEADER.search(name)]
    keys = sorted(
        {key for value in key_values for key in (parse_authorization_key(value), value.strip()) if key}, key=len
    )
    return {name: _redact_value(keys, name, value) for name, value in sorted(headers.items())}


def _redact_value(keys: list[str], name: str, value: str) -> str:
    """Replace the shortest key first, so that in `Bearer KEY` only the key is replaced."""
    for key in keys:
        # A short key can be part of a word, so outside its own header only long keys are replaced.
        if KEY_HEADER.search(name) or len(key) >= MIN_REDACTED_KEY_LENGTH:
            value = value.replace(key, f"[{make_key_hint(key)}]")
    return value


def read_json_body(request: SandboxRequest) -> dict[str, Any]:
    """The JSON object of the body; empty if there is no body. Raises RequestRefused 400 or 413."""
    # Not request.body: Django applies the dashboard's limit there, which a base64 consent exceeds.
    raw = request.read(vendor_defaults.MAX_BODY_BYTES + 1)
    if len(raw) > vendor_defaults.MAX_BODY_BYTES:
        raise RequestRefused(413, "The request is too large.")
    try:
        body = json.loads(raw or b"{}")
    except ValueError:
        raise RequestRefused(400, "The request is not valid JSON.") from None
    if not isinstance(body, dict):
        raise RequestRefused(400, "The request must be a JSON object.")
    return body


def parse_text_field(body: dict[str, Any], field: str, max_length: int, *, required: bool = False) -> str | None:
    """A text of at most `max_length` characters; None if absent or empty. Raises RequestRefused."""
    value = body.get(field)
    if value is None or value == "":
        if required:
            raise make_field_error(field, "can't be blank")
        return None
    if not isinstance(value, str):
        raise make_field_error(field, "must be a string")
    if not _is_encodable(value):
        raise make_field_error(field, "is not valid Unicode")
    if len(value) > max_length:
        raise make_field_error(field, f"is too long (maximum is {max_length} characters)")
    return value


def _is_encodable(value: str) -> bool:
    """Whether the text can be stored. JSON can contain an escaped lone surrogate, which is not a character."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def parse_url_field(body: dict[str, Any], field: str, max_length: int) -> str | None:
    """An http(s) URL, or None if absent. Raises RequestRefused."""
    value = parse_text_field(body, field, max_length)
    if value is None:
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        raise make_field_error(field, "is not a valid URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise make_field_error(field, "is not a valid URL")
    return value


def parse_boolean_field(body: dict[str, Any], field: str, default: bool) -> bool:
    """A boolean, also as the text of a multipart form. Raises RequestRefused."""
    value = body.get(field)
    if value is None or value == "":
        return default
    if isinstance(value, bool):
        return value
    if value in ("true", "false", "1", "0"):
        return value in ("true", "1")
    raise make_field_error(field, "must be true or false")


def parse_base64_field(value: str, field: str) -> bytes:
    """Decode base64, which may contain line breaks. Raises RequestRefused."""
    try:
        return b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        raise make_field_error(field, "is not valid base64") from None


def parse_page(request: SandboxRequest) -> tuple[int, int]:
    """Page number from 1, and page size. Raises RequestRefused 400."""
    number = request.GET.get("page", "1")
    size = request.GET.get("page_size") or request.GET.get("per_page") or str(vendor_defaults.PAGE_SIZE)
    if not (number.isdecimal() and size.isdecimal() and int(number) and int(size)):
        raise RequestRefused(400, "page and page_size must be whole numbers from 1.")
    return int(number), min(int(size), vendor_defaults.MAX_PAGE_SIZE)


def render_page(items: list[dict[str, Any]], *, page: int, size: int, total: int) -> JsonResponse:
    """A page of a list, with every key name that the vendor's documentation uses for it."""
    pages = -(-total // size)
    return JsonResponse(
        {
            "success": True,
            "page": page,
            "num_pages": pages,
            "page_count": pages,
            "page_size": size,
            "total_results": total,
            "items": items,
        }
    )
