"""What happens around every operation: it is logged, it may misbehave, its refusals get the vendor's form."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from django.http import HttpResponseBase, JsonResponse

from sandbox import clock
from sandbox.context import SandboxRequest
from sandbox.fault_actions import ErrorForm, misbehave, read_half
from sandbox.requests import RequestRefused
from sandbox.store import written

View = Callable[..., HttpResponseBase]


NAMES: set[str] = set()
"""Every operation of every vendor whose views were imported."""


def success_form(refused: RequestRefused) -> JsonResponse:
    """Resemble's error: `success`, `message`, and by field where it is about fields."""
    body: dict[str, Any] = {"success": False, "message": refused.message}
    if refused.errors:
        body["errors"] = refused.errors
    return JsonResponse(body, status=refused.status)


def operation(name: str, error_form: ErrorForm = success_form) -> Callable[[View], View]:
    """Make a view the operation `name` of the fault script, the ledger and the log."""
    NAMES.add(name)

    def wrap(view: View) -> View:
        def performed(request: SandboxRequest, **parts: str) -> HttpResponseBase:
            request.seen.operation = name
            request.rules = request.house.faults.called(name)
            if early := _before_commit(request, error_form):
                return early
            try:
                answer = _answered(view, request, parts)
            except RequestRefused as refused:
                answer = error_form(refused)
            return _after_commit(request, error_form, answer)

        return performed

    return wrap


def _before_commit(request: SandboxRequest, error_form: ErrorForm) -> HttpResponseBase | None:
    """What is answered before anything is done, or None to go on. Raises Dropped."""
    for rule in request.rules:
        if rule.phase == "after_commit":
            continue
        if rule.phase == "during_body":
            read_half(request)
        if answer := misbehave(request, rule, error_form):
            return answer
    return None


def _after_commit(request: SandboxRequest, error_form: ErrorForm, answer: HttpResponseBase) -> HttpResponseBase:
    for rule in request.rules:
        if rule.phase == "after_commit":
            answer = misbehave(request, rule, error_form, answer) or answer
    return answer


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


def _answered(view: View, request: SandboxRequest, parts: dict[str, str]) -> HttpResponseBase:
    """What the view says; where the script wants it ignored, nothing of what it writes remains."""
    if all(rule.action != "ignore" for rule in request.rules):
        return view(request, **parts)
    with request.house.store.pretence():
        return view(request, **parts)


class NotAllowed(RequestRefused):
    """405; `allowed` are the methods that there are."""

    def __init__(self, views: Iterable[str]) -> None:
        super().__init__(405, "This method is not allowed here.")
        self.allowed = ", ".join(sorted(method.upper() for method in views))


def by_method(**views: View) -> View:
    """One path with a view per method, named in lower case. Raises NotAllowed for other methods."""

    def chosen(request: SandboxRequest, **parts: str) -> HttpResponseBase:
        view = views.get((request.method or "").lower())
        if view is None:
            raise NotAllowed(views)
        return view(request, **parts)

    return chosen
