"""The control API: faults, ledger, request log and settings, for tests and demos. It needs no key."""

import time
from dataclasses import asdict, fields

from django.http import HttpResponseBase, JsonResponse

from voices.sandbox.faults import ACTIONS, BadRule, rule_from
from voices.sandbox.house import SandboxRequest, Settings
from voices.sandbox.operations import View, by_method, success_form
from voices.sandbox.resemble_v2.rows import unfinished_voices
from voices.sandbox.wire import Refused, json_body


def guarded(view: View) -> View:
    """Refuse what a web page sends from a browser: a page of another site must not steer the sandbox."""

    def checked(request: SandboxRequest) -> HttpResponseBase:
        if "Origin" in request.headers:
            return success_form(Refused(403, "The control API is not for browsers."))
        try:
            return view(request)
        except Refused as refused:
            return success_form(refused)

    return checked


@guarded
def show_faults(request: SandboxRequest) -> HttpResponseBase:
    return JsonResponse({"rules": request.house.faults.as_list(), "actions": ACTIONS})


@guarded
def set_faults(request: SandboxRequest) -> HttpResponseBase:
    """Replace the rules: `{"rules": [{"operation", "do", "phase", "nth", "retry_after"}]}`."""
    told = json_body(request).get("rules")
    if not isinstance(told, list):
        raise Refused(400, "Send an object with a list of rules.")
    try:
        request.house.faults.follow([rule_from(rule) for rule in told])
    except BadRule as problem:
        raise Refused(400, str(problem)) from None
    return show_faults(request)


@guarded
def clear_faults(request: SandboxRequest) -> HttpResponseBase:
    request.house.faults.follow([])
    return show_faults(request)


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
    with request.house.store.transaction() as db:
        unfinished = unfinished_voices(db)
    return JsonResponse({"due": sum((voice.ready_at or 0) <= time.time() for voice in unfinished)})


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
            raise Refused(400, f"There is no setting {name}.")
        if isinstance(getattr(settings, name), str) != isinstance(value, str) or isinstance(value, bool):
            raise Refused(400, f"{name} cannot be {value!r}.")
    for name, value in wanted.items():
        setattr(settings, name, value)
    return show_settings(request)


faults = by_method(get=show_faults, post=set_faults, delete=clear_faults)
ledger = by_method(get=show_ledger)
requests = by_method(get=show_requests)
work = by_method(get=show_work)
settings = by_method(get=show_settings, post=change_settings)
