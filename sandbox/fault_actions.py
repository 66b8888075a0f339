"""What the actions of the fault script do to a request and its answer."""

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

ErrorForm = Callable[[RequestRefused], HttpResponse]

BLOCK = 64 * 1024
HUGE_BYTES = 64 << 20
BOMB_BYTES = 1 << 30
TRICKLE_PAUSE = 0.05
ENDLESS_PAUSE = 0.01
"""Seconds; without a pause an endless answer would take the whole machine."""


class Dropped(ConnectionAbortedError):
    """The connection is to be closed; `sent` is what the client still gets of the answer."""

    def __init__(self, sent: bytes = b"", *, reset: bool = False) -> None:
        super().__init__("dropped by the fault script")
        self.sent = sent
        self.reset = reset


@dataclass(frozen=True, slots=True)
class Case:
    """A call that is to go wrong; `answer` is the right one, or a made-up one if nothing was done yet."""

    rule: Rule
    closing: Event
    error_form: ErrorForm
    answer: HttpResponseBase

    @property
    def content(self) -> bytes:
        if isinstance(self.answer, StreamingHttpResponse):
            return b"".join(self.answer)
        return bytes(getattr(self.answer, "content", b""))


def misbehave(
    request: SandboxRequest, rule: Rule, error_form: ErrorForm, answer: HttpResponseBase | None = None
) -> HttpResponseBase | None:
    """Do what a rule says: an answer instead of the right one, or None to go on. Raises Dropped."""
    act = _ACTS.get(rule.action)
    made_up = JsonResponse({"success": True, "item": {}})
    return act(Case(rule, request.house.closing, error_form, answer or made_up)) if act else None


def read_half(request: SandboxRequest) -> None:
    """Take the first half of the request's body off the line."""
    length = request.headers.get("Content-Length", "")
    left = int(length) // 2 if length.isdecimal() else 0
    while left > 0 and (block := request.read(min(left, BLOCK))):
        left -= len(block)


def _status(case: Case) -> HttpResponse:
    answer = case.error_form(RequestRefused(int(case.rule.number or 500), "The sandbox was told to answer this."))
    if case.rule.retry_after is not None:
        answer["Retry-After"] = case.rule.retry_after
    return answer


def _delay(case: Case) -> None:
    case.closing.wait(case.rule.number)


def _drop(_case: Case) -> None:
    raise Dropped


def _reset(_case: Case) -> None:
    raise Dropped(reset=True)


def _hang(case: Case) -> None:
    case.closing.wait()
    raise Dropped


def _truncate(case: Case) -> None:
    """As much as would be right, with the length of the whole."""
    status, kind, content = case.answer.status_code, case.answer["Content-Type"], case.content
    head = (
        f"HTTP/1.1 {status} {case.answer.reason_phrase}\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n"
    )
    raise Dropped(head.encode() + b"\r\n" + content[: len(content) // 2])


def _trickle(case: Case) -> StreamingHttpResponse:
    content, pause = case.content, case.rule.number or TRICKLE_PAUSE

    def bytewise() -> Iterator[bytes]:
        for at in range(len(content)):
            if case.closing.wait(pause):
                return
            yield content[at : at + 1]

    slow = StreamingHttpResponse(bytewise(), status=case.answer.status_code)
    slow.headers = case.answer.headers
    slow["Content-Length"] = str(len(content))
    return slow


def _garbage(_case: Case) -> HttpResponse:
    return HttpResponse(b'{"item": \xff\xfe\x00 it works', content_type="application/json")


def _html(_case: Case) -> HttpResponse:
    return HttpResponse("<html><body>It works!</body></html>")


def _huge(_case: Case) -> StreamingHttpResponse:
    blocks = (b" " * BLOCK for _ in range(HUGE_BYTES // BLOCK - 1))
    answer = StreamingHttpResponse(_between(b'{"success": true, "item": {}', blocks), content_type="application/json")
    answer["Content-Length"] = str(HUGE_BYTES - BLOCK + len(b'{"success": true, "item": {}}'))
    return answer


def _between(start: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    yield start
    yield from blocks
    yield b"}"


def _endless(case: Case) -> StreamingHttpResponse:
    def blocks() -> Iterator[bytes]:
        yield b'{"success": true, "item": {}'
        while not case.closing.wait(ENDLESS_PAUSE):
            yield b" " * BLOCK

    return StreamingHttpResponse(blocks(), content_type="application/json")


def _gzip_bomb(_case: Case) -> HttpResponse:
    answer = HttpResponse(_bomb(), content_type="application/json")
    answer["Content-Encoding"] = "gzip"
    return answer


@lru_cache(maxsize=1)
def _bomb() -> bytes:
    """An empty JSON object after a gigabyte of spaces; gzip allows its files to be put one after the other."""
    piece = 1 << 24
    return compress(b" " * piece) * (BOMB_BYTES // piece) + compress(b"{}")


def _redirect(case: Case) -> HttpResponse:
    return HttpResponse(status=302, headers={"Location": case.rule.to})


def _wrong_type(case: Case) -> JsonResponse:
    try:
        right = json.loads(case.content)
    except ValueError:
        right = {}
    if case.rule.number is not None:
        wrong = _wrong_values(right)
    else:
        wrong = {"items": right} if isinstance(right, list) else [right]
    return JsonResponse(wrong, safe=False, status=case.answer.status_code)


def _wrong_values(value: Any) -> Any:
    """The same keys, and under each a value of another type."""
    match value:
        case {} if value:
            return {name: _wrong_values(inner) for name, inner in value.items()}
        case [_, *_]:
            return [_wrong_values(inner) for inner in value]
        case str():
            return len(value)
        case bool() | int() | float():
            return str(value)
        case None:
            return {}
    return 7


_ACTS: dict[str, Callable[[Case], HttpResponseBase | None]] = {
    "status": _status,
    "delay": _delay,
    "drop": _drop,
    "reset": _reset,
    "hang": _hang,
    "trickle": _trickle,
    "truncate": _truncate,
    "garbage": _garbage,
    "html": _html,
    "huge": _huge,
    "endless": _endless,
    "gzip_bomb": _gzip_bomb,
    "redirect": _redirect,
    "wrong_type": _wrong_type,
}
