"""Reading requests and writing answers, as far as it is the same for every vendor."""

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
REAL_KEY = 8  # characters
TOKEN_SCHEME = re.compile(r'Token\s+token="?(?P<key>[^"]*)"?')


class RequestRefused(Exception):
    """The request gets this status and these words; a vendor's package puts them in the vendor's form."""

    def __init__(self, status: int, message: str, errors: dict[str, list[str]] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors or {}


def invalid(field: str, message: str) -> RequestRefused:
    return RequestRefused(vendor_defaults.INVALID, f"{field} {message}", {field: [message]})


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a key belongs to. The key itself is not kept: `hint` is the start of its SHA-256."""

    hint: str
    may_change: bool
    authorized_uploader: bool


def hint_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def account_of(key: str) -> Account:
    """The account of a key. Raises RequestRefused 401 for none and for a bad one."""
    if not key or key.startswith(vendor_defaults.BAD_KEY):
        raise RequestRefused(401, "The API key is missing or not valid.")
    return Account(
        hint=hint_of(key),
        may_change=not key.startswith(vendor_defaults.PLAN_KEY),
        authorized_uploader=key.startswith(vendor_defaults.AUTHORIZED_KEY),
    )


def authorization_key(header: str) -> str:
    """The key in `Bearer KEY`, `Token token=KEY`, `Token token="KEY"`, or alone."""
    if found := TOKEN_SCHEME.fullmatch(header.strip()):
        return found["key"]
    scheme, _, rest = header.strip().partition(" ")
    return rest.strip() if scheme == "Bearer" else header.strip()


def headers_without_keys(headers: Mapping[str, str]) -> dict[str, str]:
    """Every header with its value; each key is replaced by `[hint]` of its account, wherever it stands."""
    sent = [value for name, value in headers.items() if KEY_HEADER.search(name)]
    keys = sorted({key for value in sent for key in (authorization_key(value), value.strip()) if key}, key=len)
    return {name: _without(keys, name, value) for name, value in sorted(headers.items())}


def _without(keys: list[str], name: str, value: str) -> str:
    """The shortest first, so that of `Bearer KEY` only the key is replaced."""
    for key in keys:
        # A key of a few letters is part of many a word; outside its own header only a real one is looked for.
        if KEY_HEADER.search(name) or len(key) >= REAL_KEY:
            value = value.replace(key, f"[{hint_of(key)}]")
    return value


def json_body(request: SandboxRequest) -> dict[str, Any]:
    """The JSON object that was sent, or an empty one. Raises RequestRefused 400 or 413."""
    # Read by hand: Django's own limit is the dashboard's, and a consent as base64 passes it.
    raw = request.read(vendor_defaults.LONGEST_BODY + 1)
    if len(raw) > vendor_defaults.LONGEST_BODY:
        raise RequestRefused(413, "The request is too large.")
    try:
        body = json.loads(raw or b"{}")
    except ValueError:
        raise RequestRefused(400, "The request is not valid JSON.") from None
    if not isinstance(body, dict):
        raise RequestRefused(400, "The request must be a JSON object.")
    return body


def text_field(body: dict[str, Any], field: str, longest: int, *, required: bool = False) -> str | None:
    """A text of at most `longest` characters; None if it was not sent. Raises RequestRefused."""
    value = body.get(field)
    if value is None or value == "":
        if required:
            raise invalid(field, "can't be blank")
        return None
    if not isinstance(value, str):
        raise invalid(field, "must be a string")
    if not _is_text(value):
        raise invalid(field, "is not valid Unicode")
    if len(value) > longest:
        raise invalid(field, f"is too long (maximum is {longest} characters)")
    return value


def _is_text(value: str) -> bool:
    """Whether it can be stored: JSON can escape half of a surrogate pair, which is no character."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def address_field(body: dict[str, Any], field: str, longest: int) -> str | None:
    """An http(s) address, or None if it was not sent. Raises RequestRefused."""
    value = text_field(body, field, longest)
    if value is None:
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        raise invalid(field, "is not a valid URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise invalid(field, "is not a valid URL")
    return value


def flag_field(body: dict[str, Any], field: str, default: bool) -> bool:
    """A boolean, also as the words that multipart forms carry. Raises RequestRefused."""
    value = body.get(field)
    if value is None or value == "":
        return default
    if isinstance(value, bool):
        return value
    if value in ("true", "false", "1", "0"):
        return value in ("true", "1")
    raise invalid(field, "must be true or false")


def base64_field(value: str, field: str) -> bytes:
    """The bytes of a base64 text; line breaks are allowed in it. Raises RequestRefused."""
    try:
        return b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        raise invalid(field, "is not valid base64") from None


def page_of(request: SandboxRequest) -> tuple[int, int]:
    """Page number from 1, and its size. Raises RequestRefused 400."""
    number = request.GET.get("page", "1")
    size = request.GET.get("page_size") or request.GET.get("per_page") or str(vendor_defaults.PAGE_SIZE)
    if not (number.isdecimal() and size.isdecimal() and int(number) and int(size)):
        raise RequestRefused(400, "page and page_size must be whole numbers from 1.")
    return int(number), min(int(size), vendor_defaults.LARGEST_PAGE)


def page_answer(items: list[dict[str, Any]], *, page: int, size: int, total: int) -> JsonResponse:
    """A page with the keys of all the vendor's pages, which disagree on their names."""
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
