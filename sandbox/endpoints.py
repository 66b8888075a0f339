"""What every operation does around its view: logging, faults, and refusals in the vendor's error format."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from django.http import HttpResponseBase, JsonResponse

from sandbox import clock
from sandbox.context import SandboxRequest
from sandbox.fault_actions import ErrorRenderer, apply_fault, read_half_body
from sandbox.requests import RequestRefused
from sandbox.store import format_time

View = Callable[..., HttpResponseBase]


OPERATIONS: set[str] = set()
"""Names of the operations of all imported vendors."""


def render_default_error(refused: RequestRefused) -> JsonResponse:
    """Resemble's error: `success`, `message`, and `errors` by field if there are any."""
    body: dict[str, Any] = {"success": False, "message": refused.message}
    if refused.errors:
        body["errors"] = refused.errors
    return JsonResponse(body, status=refused.status)


def operation(name: str, render_error: ErrorRenderer = render_default_error) -> Callable[[View], View]:
    """Register a view as the operation `name` for the fault script and the request log."""
    OPERATIONS.add(name)

    def wrap(view: View) -> View:
        def wrapper(request: SandboxRequest, **path_arguments: str) -> HttpResponseBase:
            request.entry.operation = name
            request.rules = request.context.faults.match_call(name)
            if response := _apply_faults_before_commit(request, render_error):
                return response
            try:
                response = _call_view(view, request, path_arguments)
            except RequestRefused as refused:
                response = render_error(refused)
            return _apply_faults_after_commit(request, render_error, response)

        return wrapper

    return wrap


def _apply_faults_before_commit(request: SandboxRequest, render_error: ErrorRenderer) -> HttpResponseBase | None:
    """A response that a fault sends before the view runs, or None to continue. Raises ConnectionDropped."""
    for rule in request.rules:
        if rule.phase == "after_commit":
            continue
        if rule.phase == "during_body":
            read_half_body(request)
        if response := apply_fault(request, rule, render_error):
            return response
    return None


def _apply_faults_after_commit(
    request: SandboxRequest, render_error: ErrorRenderer, response: HttpResponseBase
) -> HttpResponseBase:
    for rule in request.rules:
        if rule.phase == "after_commit":
            response = apply_fault(request, rule, render_error, response) or response
    return response


class HasCreationTime(Protocol):
    @property
    def created_at(self) -> str: ...


T = TypeVar("T", bound=HasCreationTime)


def apply_list_lag(request: SandboxRequest, items: Iterable[T]) -> list[T]:
    """The items that a list shows: all items, or with the fault `hide` only items older than the lag.

    Every vendor's list view calls this.
    """
    lag = max((rule.number or 0 for rule in request.rules if rule.action == "hide"), default=None)
    if lag is None:
        return list(items)
    return [item for item in items if item.created_at < format_time(clock.now() - lag)]


def _call_view(view: View, request: SandboxRequest, path_arguments: dict[str, str]) -> HttpResponseBase:
    """The view's response. With the fault `ignore`, everything that the view writes is rolled back."""
    if all(rule.action != "ignore" for rule in request.rules):
        return view(request, **path_arguments)
    with request.context.store.dry_run():
        return view(request, **path_arguments)


class MethodNotAllowed(RequestRefused):
    """A refusal with 405 that names the methods that the path has."""

    def __init__(self, views: Iterable[str]) -> None:
        super().__init__(405, "This method is not allowed here.")
        self.allowed_methods = ", ".join(sorted(method.upper() for method in views))


def dispatch_by_method(**views: View) -> View:
    """One view of a path, from a view for each method (`get=…`). Raises MethodNotAllowed for other methods."""

    def dispatch(request: SandboxRequest, **path_arguments: str) -> HttpResponseBase:
        view = views.get((request.method or "").lower())
        if view is None:
            raise MethodNotAllowed(views)
        return view(request, **path_arguments)

    return dispatch
