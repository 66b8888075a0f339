"""The account: its team with plan and limit of voices, and its seconds of speech in a period."""

from datetime import date
from typing import Any

from django.http import HttpResponse, JsonResponse

from sandbox import store
from sandbox.context import SandboxRequest
from sandbox.endpoints import operation
from sandbox.requests import Account, RequestRefused
from sandbox.resemble_v2 import constants
from sandbox.resemble_v2.auth import with_account

ALWAYS = (date.min, date.max)


@operation("list_teams")
@with_account
def list_teams(request: SandboxRequest, account: Account) -> HttpResponse:
    return JsonResponse({"success": True, "items": [_make_team(request, account)]})


@operation("get_team")
@with_account
def get_team(request: SandboxRequest, account: Account, uuid: str) -> HttpResponse:
    team = _make_team(request, account)
    if uuid != team["uuid"]:
        raise RequestRefused(404, "Team not found.")
    return JsonResponse({"success": True, "item": team})


@operation("billing_usage")
@with_account
def get_billing_usage(request: SandboxRequest, account: Account) -> HttpResponse:
    """The seconds as texts, as in the vendor's example. `detect` is a service that the sandbox does not have."""
    first, last = ALWAYS
    try:
        first = date.fromisoformat(request.GET["start_date"]) if "start_date" in request.GET else first
        last = date.fromisoformat(request.GET["end_date"]) if "end_date" in request.GET else last
    except ValueError:
        raise RequestRefused(400, "start_date and end_date must be dates such as 2024-01-31.") from None
    seconds = _count_seconds(request, account, first, last)
    return JsonResponse({"success": True, "items": {"detect": "0", "synth": f"{seconds:.0f}"}})


def _make_team(request: SandboxRequest, account: Account) -> dict[str, Any]:
    return {
        "uuid": f"team-{account.hint}",
        "name": "Sandbox",
        "plan": constants.PLAN,
        "voice_limit": int(request.context.settings.resemble_v2_voice_limit),
        "units": "seconds",
        "rate": 0.0,
        "current_usage": round(_count_seconds(request, account, *ALWAYS)),
    }


def _count_seconds(request: SandboxRequest, account: Account, first: date, last: date) -> float:
    with request.context.store.transaction() as db:
        cents = store.sum_charges(db, account.hint, ("synthesize",), first, last)
    return cents / constants.SYNTHESIS_CENTS_PER_SECOND
