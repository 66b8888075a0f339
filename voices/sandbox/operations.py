"""What happens around every operation: it is logged, it may misbehave, its refusals get the vendor's form."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from django.http import HttpResponse, HttpResponseBase, JsonResponse

from voices.sandbox import clock
from voices.sandbox.faults import Rule
from voices.sandbox.house import SandboxRequest
from voices.sandbox.state import written
from voices.sandbox.wire import Refused

View = Callable[..., HttpResponseBase]
ErrorForm = Callable[[Refused], HttpResponse]


class Dropped(ConnectionAbortedError):
    """The connection is to be closed; `sent` is what the client still gets of the answer."""

    def __init__(self, sent: bytes = b"") -> None:
        super().__init__("dropped by the fault script")
        self.sent = sent


def success_form(refused: Refused) -> HttpResponse:
    """Resemble's error: `success`, `message`, and by field where it is about fields."""
    body: dict[str, Any] = {"success": False, "message": refused.message}
    if refused.errors:
        body["errors"] = refused.errors
    return JsonResponse(body, status=refused.status)


def operation(name: str, error_form: ErrorForm = success_form) -> Callable[[View], View]:
    """Make a view the operation `name` of the fault script, the ledger and the log."""

    def wrap(view: View) -> View:
        def performed(request: SandboxRequest, **parts: str) -> HttpResponseBase:
            request.seen.operation = name
            rules = request.house.faults.called(name)
            for rule in rules:
                if rule.phase == "before" and (answer := misbehave(request, rule, error_form)):
                    return answer
            request.rules = rules
            try:
                answer = view(request, **parts)
            except Refused as refused:
                answer = error_form(refused)
            return _after(request, rules, answer, error_form)

        return performed

    return wrap


class Dated(Protocol):
    @property
    def created_at(self) -> str: ...


T = TypeVar("T", bound=Dated)


def shown(request: SandboxRequest, things: Iterable[T]) -> list[T]:
    """What a list shows: all, or where the fault script says that lists lag, only what is older than the lag.

    Every vendor's list calls it (`hide`).
    """
    lag = max((rule.number or 0 for rule in request.rules if rule.action == "hide"), default=None)
    if lag is None:
        return list(things)
    return [thing for thing in things if thing.created_at < written(clock.now() - lag)]


def _after(
    request: SandboxRequest, rules: list[Rule], answer: HttpResponseBase, error_form: ErrorForm
) -> HttpResponseBase:
    for rule in rules:
        if rule.phase == "after":
            answer = misbehave(request, rule, error_form, answer) or answer
    return answer


def misbehave(
    request: SandboxRequest, rule: Rule, error_form: ErrorForm, answer: HttpResponseBase | None = None
) -> HttpResponseBase | None:
    """Do what a rule says: an answer instead of the right one, or None to go on. Raises Dropped."""
    match rule.action:
        case "drop":
            raise Dropped
        case "hang":
            request.house.closing.wait()
            raise Dropped
        case "delay":
            request.house.closing.wait(rule.number)
        case "truncate":
            raise Dropped(_half(answer))
        case "garbage":
            return HttpResponse("<html><body>It works!</body></html>")
        case "status":
            return _status(rule, error_form)
    return None


def _half(answer: HttpResponseBase | None) -> bytes:
    content = answer.content if isinstance(answer, HttpResponse) else b'{"success": true, "item": {}}'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(content)
    return head + content[: len(content) // 2]


def _status(rule: Rule, error_form: ErrorForm) -> HttpResponse:
    answer = error_form(Refused(int(rule.number or 500), "The sandbox was told to answer this."))
    if rule.retry_after is not None:
        answer["Retry-After"] = rule.retry_after
    return answer


def by_method(**views: View) -> View:
    """One path with a view per method, named in lower case; other methods get 405 in JSON."""

    def chosen(request: SandboxRequest, **parts: str) -> HttpResponseBase:
        view = views.get((request.method or "").lower())
        if view is None:
            answer = success_form(Refused(405, "This method is not allowed here."))
            answer["Allow"] = ", ".join(sorted(method.upper() for method in views))
            return answer
        return view(request, **parts)

    return chosen
