"""The control API: faults, ledger, request log and settings, for tests and demos. It needs no key."""

from dataclasses import asdict, fields

from django.http import HttpResponseBase, JsonResponse

from sandbox import clock, training
from sandbox.context import SandboxRequest, Settings
from sandbox.endpoints import NAMES, View, by_method, success_form
from sandbox.faults import ACTIONS, CALLBACK, TRAINING, BadRule, chaos_from, rule_from
from sandbox.requests import RequestRefused, json_body
from sandbox.store import now

LONGEST_PUSH = 366 * 24 * 3600
"""Seconds; years are not worth the trouble that dates far off make."""


def guarded(view: View) -> View:
    """Refuse what a web page sends from a browser: a page of another site must not steer the sandbox."""

    def checked(request: SandboxRequest) -> HttpResponseBase:
        if "Origin" in request.headers:
            return success_form(RequestRefused(403, "The control API is not for browsers."))
        try:
            return view(request)
        except RequestRefused as refused:
            return success_form(refused)

    return checked


@guarded
def show_faults(request: SandboxRequest) -> HttpResponseBase:
    return JsonResponse({"rules": request.house.faults.as_list(), "actions": ACTIONS, "operations": sorted(NAMES)})


@guarded
def set_faults(request: SandboxRequest) -> HttpResponseBase:
    """Replace the rules: `{"rules": [{"operation", "do", "phase", "nth", "retry_after", "to"}]}`."""
    told = json_body(request).get("rules")
    if not isinstance(told, list):
        raise RequestRefused(400, "Send an object with a list of rules.")
    try:
        rules = [rule_from(rule) for rule in told]
        if unknown := {rule.operation for rule in rules} - NAMES - {CALLBACK, TRAINING, "*"}:
            raise BadRule(f"there is no operation {', '.join(sorted(unknown))}")
        request.house.faults.follow(rules)
    except BadRule as problem:
        raise RequestRefused(400, str(problem)) from None
    return show_faults(request)


@guarded
def clear_faults(request: SandboxRequest) -> HttpResponseBase:
    request.house.faults.follow([])
    return show_faults(request)


@guarded
def show_chaos(request: SandboxRequest) -> HttpResponseBase:
    """What is left to chance, if anything, and what happened so far."""
    chaos = request.house.chaos
    return JsonResponse({"chaos": chaos.told() if chaos else None})


@guarded
def begin_chaos(request: SandboxRequest) -> HttpResponseBase:
    """Let a share of all calls go wrong: `{"seed": null, "share": 0.1, "actions": [...]}`, each of them optional."""
    house = request.house
    try:
        house.chaos = chaos_from(json_body(request))
    except BadRule as problem:
        raise RequestRefused(400, str(problem)) from None
    house.faults.roll(house.chaos)
    return show_chaos(request)


@guarded
def end_chaos(request: SandboxRequest) -> HttpResponseBase:
    """Let nothing more go wrong by chance; what went wrong is still shown."""
    request.house.faults.roll(None)
    return show_chaos(request)


@guarded
def show_ledger(request: SandboxRequest) -> HttpResponseBase:
    return JsonResponse({"ledger": request.house.store.ledger()})


@guarded
def show_requests(request: SandboxRequest) -> HttpResponseBase:
    seen = request.house.log.as_list()
    return JsonResponse({"count": seen[-1]["number"] if seen else 0, "requests": seen})


@guarded
def show_work(request: SandboxRequest) -> HttpResponseBase:
    """How many trainings are past their time, or ended with a callback that is still on its way."""
    return JsonResponse({"due": training.due(request.house)})


@guarded
def show_clock(request: SandboxRequest) -> HttpResponseBase:
    """The time by the sandbox's clock, and by how many seconds it was pushed ahead."""
    return JsonResponse({"now": now(), "ahead": clock.ahead()})


@guarded
def push_clock(request: SandboxRequest) -> HttpResponseBase:
    """Push the clock: `{"forward": 2400}`, in seconds. What is due by then ends now."""
    seconds = json_body(request).get("forward")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= LONGEST_PUSH:
        raise RequestRefused(400, f"forward must be a number of seconds from 0 to {LONGEST_PUSH:,}.")
    # Written down first: what is due by the new time must not come earlier for a sandbox that starts again.
    request.house.store.remember_ahead(clock.ahead() + seconds)
    clock.forward(seconds)
    return show_clock(request)


@guarded
def show_settings(request: SandboxRequest) -> HttpResponseBase:
    return JsonResponse({"settings": asdict(request.house.settings)})


@guarded
def change_settings(request: SandboxRequest) -> HttpResponseBase:
    """Change any of the Settings by name; unknown names and other types are refused."""
    settings = request.house.settings
    wanted = json_body(request)
    for name, value in wanted.items():
        if name not in {known.name for known in fields(Settings)}:
            raise RequestRefused(400, f"There is no setting {name}.")
        if isinstance(getattr(settings, name), str) != isinstance(value, str) or isinstance(value, bool):
            raise RequestRefused(400, f"{name} cannot be {value!r}.")
    for name, value in wanted.items():
        setattr(settings, name, value)
    return show_settings(request)


faults = by_method(get=show_faults, post=set_faults, delete=clear_faults)
chaos = by_method(get=show_chaos, post=begin_chaos, delete=end_chaos)
ledger = by_method(get=show_ledger)
requests = by_method(get=show_requests)
work = by_method(get=show_work)
clock_view = by_method(get=show_clock, post=push_clock)
settings = by_method(get=show_settings, post=change_settings)
