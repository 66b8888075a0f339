"""Server responses, from valid to malicious, and the error that a provider must raise for each response."""

from typing import Any

from providers.errors import (
    Conflict,
    NotFound,
    OutcomeUnknown,
    PaymentRequired,
    ProviderAuthError,
    ProviderRejected,
    ProviderUnavailable,
    ResponseUnreadable,
    TooLarge,
)
from providers.responses import MAX_RETRY_AFTER_SECONDS

# (status, error of a creating call, error of any other call)
STATUSES = [
    (103, OutcomeUnknown, ResponseUnreadable),
    (204, OutcomeUnknown, ResponseUnreadable),
    (301, OutcomeUnknown, ProviderRejected),
    (302, OutcomeUnknown, ProviderRejected),
    (303, OutcomeUnknown, ProviderRejected),
    (307, OutcomeUnknown, ProviderRejected),
    (400, ProviderRejected, ProviderRejected),
    (401, ProviderAuthError, ProviderAuthError),
    (403, ProviderAuthError, ProviderAuthError),
    (404, NotFound, NotFound),
    (408, OutcomeUnknown, ProviderUnavailable),
    (402, PaymentRequired, PaymentRequired),
    (409, Conflict, Conflict),
    (413, TooLarge, TooLarge),
    (422, ProviderRejected, ProviderRejected),
    (429, ProviderUnavailable, ProviderUnavailable),
    (500, OutcomeUnknown, ProviderUnavailable),
    (502, OutcomeUnknown, ProviderUnavailable),
    (503, OutcomeUnknown, ProviderUnavailable),
    (599, OutcomeUnknown, ProviderUnavailable),
]
UNREADABLE = {
    "empty": b"",
    "HTML": b"<html>It works!</html>",
    "JSON array": b"[1, 2]",
    "JSON string": b'"yes"',
    "half an object": b'{"success": true, "item": {"uuid"',
    "two objects": b"{}{}",
    "not UTF-8": b"\xff\xfe\x00",
    "deeply nested": b"[" * 100_000,
    "a number of 10 000 digits": b'{"n": ' + b"9" * 10_000 + b"}",
}
# Responses with status 200 and valid JSON that fit no call.
ODD_RESPONSES: list[Any] = [
    {},
    {"success": True},
    {"success": True, "item": None},
    {"success": True, "item": []},
    {"success": True, "item": {}},
    {"success": True, "item": {"uuid": None}},
    {"success": True, "item": {"uuid": {"a": 1}, "status": ["x"], "name": 5, "scores": "none", "updated_at": {}}},
    {"success": True, "item": {"uuid": "x\0\ud800", "status": "\0", "scores": {"pauses": float("nan")}}},
    {"success": True, "items": "none"},
    {"success": True, "items": [None, 5, [], {"uuid": 0}]},
    {"success": True, "items": [{"uuid": "same"}], "num_pages": "many", "page_count": -1},
    {"success": "true", "item": 7, "audio_content": 7},
    {"success": False},
    {"success": False, "message": {"a": [[[["b"]]]]}, "errors": [1, None]},
    {"message": "Hello."},
    {"error": "Something."},
    {"success": None, "errors": {"name": ["taken"]}},
    {"item": {"uuid": "x", "status": "finished", "issue": [[[[[]]]]]}, "items": [{"uuid": "y", "metrics": 5}]},
]
RETRY_AFTER = [
    ("7", 7.0),
    ("0", 0.0),
    ("1.5", 1.5),
    ("999999", MAX_RETRY_AFTER_SECONDS),
    ("", None),
    ("-1", None),
    ("soon", None),
    ("inf", None),
    ("nan", None),
    ("1e999", None),
    ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
    ("Wed, 99 Foo 2015 07:28:00 GMT", None),
]
