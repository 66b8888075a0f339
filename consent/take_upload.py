"""Taking in a recording of the statement from a page, whether the recorder or a plain form sent it."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect

from consent.forms import TakeForm
from consent.models import Capture, Consent, Take
from consent.services.takes import TakeDamaged, TakeWithoutStatement, submit_take
from voicehub.middleware import get_client_address
from voicehub.models import User
from voicehub.refusals import ActionRefused

NOT_USABLE = "It is kept, but it cannot be used."


@dataclass(frozen=True, slots=True)
class UploadResult:
    """What became of what was sent: a take, or in `problem` why there is none, in plain words."""

    take: Take | None = None
    problem: str = ""
    status: int = 200


def receive_take(request: HttpRequest, consent: Consent, recorded_as: Capture, by: User | None) -> UploadResult:
    """Keep what was sent as a take; `recorded_as` is how it was made if the recorder on our page made it."""
    form = TakeForm(request.POST, request.FILES)
    if not form.is_valid():
        return UploadResult(problem=str(next(iter(form.errors.values()))[0]), status=400)
    given = form.cleaned_data
    try:
        return UploadResult(
            submit_take(
                consent,
                given["file"],
                recorded_as if given["recorded"] else Capture.UPLOAD,
                by=by,
                claimed_sha256=given["sha256"],
                device=given["device"],
                user_agent=request.headers.get("User-Agent", ""),
                address=get_client_address(request),
            )
        )
    except (TakeDamaged, TakeWithoutStatement) as problem:
        return UploadResult(problem=str(problem), status=422)
    except ActionRefused as problem:
        return _find_duplicate(consent, given["sha256"]) or UploadResult(problem=str(problem), status=409)


def _find_duplicate(consent: Consent, sha256: str) -> UploadResult | None:
    """The take with these bytes if we have it: its answer was lost on the way, and the page sends it again."""
    take = consent.takes.filter(sha256=sha256).first() if sha256 else None
    return UploadResult(take) if take else None


def make_response(request: HttpRequest, received: UploadResult, *, success_url: str, retry_url: str) -> HttpResponse:
    """For the recorder as JSON; for a plain form as a redirect with a message."""
    if request.accepts("text/html"):
        return _redirect_with_message(request, received, success_url, retry_url)
    if received.take is None:
        return JsonResponse({"problem": received.problem}, status=received.status)
    return JsonResponse(_make_json(received.take) | {"next": success_url if received.take.acceptable else ""})


def _make_json(take: Take) -> dict[str, Any]:
    problem = "" if take.acceptable else f"{NOT_USABLE} {_join_refusals(take)}"
    return {"sha256": take.sha256, "problem": problem}


def _join_refusals(take: Take) -> str:
    refused = [one for one in take.findings if one["severity"] == "refused"]
    return " ".join(f"{one['text']} {one['advice']}" for one in refused)


def _redirect_with_message(
    request: HttpRequest, received: UploadResult, success_url: str, retry_url: str
) -> HttpResponse:
    if received.take is None:
        messages.error(request, received.problem)
        return redirect(retry_url)
    if not received.take.acceptable:
        messages.error(request, f"{NOT_USABLE} {_join_refusals(received.take)}")
        return redirect(retry_url)
    return redirect(success_url)
