"""The control API for tests and demos: faults, ledger, request log, clock and settings. It needs no key."""

from dataclasses import asdict, fields

from django.http import HttpResponseBase, JsonResponse

from sandbox import clock, training
from sandbox.context import SandboxRequest, Settings
from sandbox.endpoints import OPERATIONS, View, dispatch_by_method, render_default_error
from sandbox.faults import ACTIONS, CALLBACK, TRAINING, InvalidRule, parse_chaos, parse_rule
from sandbox.requests import RequestRefused, read_json_body
from sandbox.store import format_now

MAX_ADVANCE_SECONDS = 366 * 24 * 3600
"""No test needs a longer advance of the clock, and distant dates cause problems."""


def refuse_browsers(view: View) -> View:
    """Refuse requests from a browser, so that a page of another site cannot control the sandbox."""

    def wrapper(request: SandboxRequest) -> HttpResponseBase:
        if "Origin" in request.headers:
            return render_default_error(RequestRefused(403, "The control API is not for browsers."))
        try:
            return view(request)
        except RequestRefused as refused:
            return render_default_error(refused)

    return wrapper


@refuse_browsers
def show_faults(request: SandboxRequest) -> HttpResponseBase:
    return JsonResponse(
        {"rules": request.context.faults.list_rules(), "actions": ACTIONS, "operations": sorted(OPERATIONS)}
    )


@refuse_browsers
def set_faults(request: SandboxRequest) -> HttpResponseBase:
    """Replace the rules: `{"rules": [{"operation", "do", "phase", "nth", "retry_after", "to"}]}`."""
    rules_data = read_json_body(request).get("rules")
    if not isinstance(rules_data, list):
        raise RequestRefused(400, "Send an object with a list of rules.")
    try:
        rules = [parse_rule(rule) for rule in rules_data]
        if unknown := {rule.operation for rule in rules} - OPERATIONS - {CALLBACK, TRAINING, "*"}:
            raise InvalidRule(f"there is no operation {', '.join(sorted(unknown))}")
        request.context.faults.replace_rules(rules)
    except InvalidRule as problem:
        raise RequestRefused(400, str(problem)) from None
    return show_faults(request)


@refuse_browsers
def clear_faults(request: SandboxRequest) -> HttpResponseBase:
    request.context.faults.replace_rules([])
    return show_faults(request)


@refuse_browsers
def show_chaos(request: SandboxRequest) -> HttpResponseBase:
    """The parameters of the random faults, if they are on, and the faults applied so far."""
    chaos = request.context.chaos
    return JsonResponse({"chaos": chaos.describe() if chaos else None})


@refuse_browsers
def start_chaos(request: SandboxRequest) -> HttpResponseBase:
    """Make a share of all calls fail: `{"seed": null, "share": 0.1, "actions": [...]}`, all optional."""
    context = request.context
    try:
        context.chaos = parse_chaos(read_json_body(request))
    except InvalidRule as problem:
        raise RequestRefused(400, str(problem)) from None
    context.faults.set_chaos(context.chaos)
    return show_chaos(request)


@refuse_browsers
def stop_chaos(request: SandboxRequest) -> HttpResponseBase:
    """Stop the random faults. The list of the applied faults stays available."""
    request.context.faults.set_chaos(None)
    return show_chaos(request)


@refuse_browsers
def show_ledger(request: SandboxRequest) -> HttpResponseBase:
    return JsonResponse({"ledger": request.context.store.list_ledger()})


@refuse_browsers
def show_requests(request: SandboxRequest) -> HttpResponseBase:
    """The number of all requests, and the newest of them. `?account=` and `?after=NUMBER` select some of these."""
    try:
        after = int(request.GET.get("after", "0"))
    except ValueError:
        raise RequestRefused(400, "after must be the number of a request.") from None
    number, entries = request.context.log.list_entries(after, request.GET.get("account"))
    return JsonResponse({"count": number, "requests": entries})


@refuse_browsers
def show_due_trainings(request: SandboxRequest) -> HttpResponseBase:
    """The number of trainings that are overdue or whose callback is not yet sent."""
    return JsonResponse({"due": training.count_due_trainings(request.context)})


@refuse_browsers
def show_clock(request: SandboxRequest) -> HttpResponseBase:
    """The time of the sandbox's clock, and how many seconds it is ahead of the machine's clock."""
    return JsonResponse({"now": format_now(), "ahead": clock.get_offset()})


@refuse_browsers
def advance_clock(request: SandboxRequest) -> HttpResponseBase:
    """Advance the clock: `{"forward": 2400}`, in seconds. Every training that is due by the new time ends now."""
    seconds = read_json_body(request).get("forward")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= MAX_ADVANCE_SECONDS:
        raise RequestRefused(400, f"forward must be a number of seconds from 0 to {MAX_ADVANCE_SECONDS:,}.")
    # Saved first: after a restart, the clock must not be behind a training that ended by the new time.
    request.context.store.save_clock_offset(clock.get_offset() + seconds)
    clock.advance(seconds)
    return show_clock(request)


@refuse_browsers
def show_settings(request: SandboxRequest) -> HttpResponseBase:
    return JsonResponse({"settings": asdict(request.context.settings)})


@refuse_browsers
def change_settings(request: SandboxRequest) -> HttpResponseBase:
    """Change Settings by name. Unknown names and wrong types are refused."""
    settings = request.context.settings
    changes = read_json_body(request)
    for name, value in changes.items():
        if name not in {known.name for known in fields(Settings)}:
            raise RequestRefused(400, f"There is no setting {name}.")
        if isinstance(getattr(settings, name), str) != isinstance(value, str) or isinstance(value, bool):
            raise RequestRefused(400, f"{name} cannot be {value!r}.")
    for name, value in changes.items():
        setattr(settings, name, value)
    return show_settings(request)


faults = dispatch_by_method(get=show_faults, post=set_faults, delete=clear_faults)
chaos = dispatch_by_method(get=show_chaos, post=start_chaos, delete=stop_chaos)
ledger = dispatch_by_method(get=show_ledger)
requests = dispatch_by_method(get=show_requests)
work = dispatch_by_method(get=show_due_trainings)
clock_view = dispatch_by_method(get=show_clock, post=advance_clock)
settings = dispatch_by_method(get=show_settings, post=change_settings)
