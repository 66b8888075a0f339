"""How each action of the fault script changes a request and its response."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from gzip import compress
from threading import Event
from typing import Any

from django.http import HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse

from sandbox.context import SandboxRequest
from sandbox.faults import Rule
from sandbox.requests import RequestRefused

ErrorRenderer = Callable[[RequestRefused], HttpResponse]

BLOCK_BYTES = 64 * 1024
HUGE_BYTES = 64 << 20
BOMB_BYTES = 1 << 30
TRICKLE_PAUSE_SECONDS = 0.05
ENDLESS_PAUSE_SECONDS = 0.01
"""Without a pause, an endless response would use the whole CPU."""


class ConnectionDropped(ConnectionAbortedError):
    """Close the connection after sending `partial_response`."""

    def __init__(self, partial_response: bytes = b"", *, reset: bool = False) -> None:
        super().__init__("dropped by the fault script")
        self.partial_response = partial_response
        self.reset = reset


@dataclass(frozen=True, slots=True)
class FaultCase:
    """A call that a fault changes. `response` is the real one, or a placeholder if the view has not run yet."""

    rule: Rule
    closing: Event
    render_error: ErrorRenderer
    response: HttpResponseBase

    @property
    def content(self) -> bytes:
        if isinstance(self.response, StreamingHttpResponse):
            return b"".join(self.response)
        return bytes(getattr(self.response, "content", b""))


def apply_fault(
    request: SandboxRequest, rule: Rule, render_error: ErrorRenderer, response: HttpResponseBase | None = None
) -> HttpResponseBase | None:
    """Apply a rule: return a replacement response, or None to continue. Raises ConnectionDropped."""
    handler = _ACTION_HANDLERS.get(rule.action)
    placeholder = JsonResponse({"success": True, "item": {}})
    return handler(FaultCase(rule, request.context.closing, render_error, response or placeholder)) if handler else None


def read_half_body(request: SandboxRequest) -> None:
    """Read the first half of the request's body."""
    length = request.headers.get("Content-Length", "")
    remaining = int(length) // 2 if length.isdecimal() else 0
    while remaining > 0 and (block := request.read(min(remaining, BLOCK_BYTES))):
        remaining -= len(block)


def _send_status(case: FaultCase) -> HttpResponse:
    response = case.render_error(
        RequestRefused(int(case.rule.number or 500), "A fault rule of the sandbox asked for this response.")
    )
    if case.rule.retry_after is not None:
        response["Retry-After"] = case.rule.retry_after
    return response


def _delay_response(case: FaultCase) -> None:
    case.closing.wait(case.rule.number)


def _drop_connection(_case: FaultCase) -> None:
    raise ConnectionDropped


def _reset_connection(_case: FaultCase) -> None:
    raise ConnectionDropped(reset=True)


def _hang_connection(case: FaultCase) -> None:
    case.closing.wait()
    raise ConnectionDropped


def _truncate_response(case: FaultCase) -> None:
    """Send half of the body with the Content-Length of the whole."""
    status, kind, content = case.response.status_code, case.response["Content-Type"], case.content
    header = (
        f"HTTP/1.1 {status} {case.response.reason_phrase}\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n"
    )
    raise ConnectionDropped(header.encode() + b"\r\n" + content[: len(content) // 2])


def _trickle_response(case: FaultCase) -> StreamingHttpResponse:
    content, pause = case.content, case.rule.number or TRICKLE_PAUSE_SECONDS

    def send_bytes() -> Iterator[bytes]:
        for index in range(len(content)):
            if case.closing.wait(pause):
                return
            yield content[index : index + 1]

    streamed = StreamingHttpResponse(send_bytes(), status=case.response.status_code)
    streamed.headers = case.response.headers
    streamed["Content-Length"] = str(len(content))
    return streamed


def _send_garbage(_case: FaultCase) -> HttpResponse:
    return HttpResponse(b'{"item": \xff\xfe\x00 it works', content_type="application/json")


def _send_html(_case: FaultCase) -> HttpResponse:
    return HttpResponse("<html><body>It works!</body></html>")


def _send_huge(_case: FaultCase) -> StreamingHttpResponse:
    blocks = (b" " * BLOCK_BYTES for _ in range(HUGE_BYTES // BLOCK_BYTES - 1))
    response = StreamingHttpResponse(
        _wrap_blocks(b'{"success": true, "item": {}', blocks), content_type="application/json"
    )
    response["Content-Length"] = str(HUGE_BYTES - BLOCK_BYTES + len(b'{"success": true, "item": {}}'))
    return response


def _wrap_blocks(start: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    yield start
    yield from blocks
    yield b"}"


def _send_endless(case: FaultCase) -> StreamingHttpResponse:
    def blocks() -> Iterator[bytes]:
        yield b'{"success": true, "item": {}'
        while not case.closing.wait(ENDLESS_PAUSE_SECONDS):
            yield b" " * BLOCK_BYTES

    return StreamingHttpResponse(blocks(), content_type="application/json")


def _send_gzip_bomb(_case: FaultCase) -> HttpResponse:
    response = HttpResponse(_build_gzip_bomb(), content_type="application/json")
    response["Content-Encoding"] = "gzip"
    return response


@lru_cache(maxsize=1)
def _build_gzip_bomb() -> bytes:
    """An empty JSON object after 1 GiB of spaces, as concatenated gzip members."""
    member_bytes = 1 << 24
    return compress(b" " * member_bytes) * (BOMB_BYTES // member_bytes) + compress(b"{}")


def _send_redirect(case: FaultCase) -> HttpResponse:
    return HttpResponse(status=302, headers={"Location": case.rule.to})


def _send_wrong_type(case: FaultCase) -> JsonResponse:
    try:
        right = json.loads(case.content)
    except ValueError:
        right = {}
    if case.rule.number is not None:
        wrong = _replace_types(right)
    else:
        wrong = {"items": right} if isinstance(right, list) else [right]
    return JsonResponse(wrong, safe=False, status=case.response.status_code)


def _replace_types(value: Any) -> Any:
    """The same keys, each with a value of another type."""
    match value:
        case {} if value:
            return {name: _replace_types(inner) for name, inner in value.items()}
        case [_, *_]:
            return [_replace_types(inner) for inner in value]
        case str():
            return len(value)
        case bool() | int() | float():
            return str(value)
        case None:
            return {}
    return 7


_ACTION_HANDLERS: dict[str, Callable[[FaultCase], HttpResponseBase | None]] = {
    "status": _send_status,
    "delay": _delay_response,
    "drop": _drop_connection,
    "reset": _reset_connection,
    "hang": _hang_connection,
    "trickle": _trickle_response,
    "truncate": _truncate_response,
    "garbage": _send_garbage,
    "html": _send_html,
    "huge": _send_huge,
    "endless": _send_endless,
    "gzip_bomb": _send_gzip_bomb,
    "redirect": _send_redirect,
    "wrong_type": _send_wrong_type,
}
