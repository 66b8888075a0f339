"""Receives a recording of the statement from the recorder or from a plain form."""

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

NOT_USABLE = "The recording was saved, but it cannot be used."


@dataclass(frozen=True, slots=True)
class UploadResult:
    """The stored take, or the error message (`problem`) for the user with its HTTP status."""

    take: Take | None = None
    problem: str = ""
    status: int = 200


def receive_take(request: HttpRequest, consent: Consent, recorded_as: Capture, by: User | None) -> UploadResult:
    """Store the uploaded file as a take. If the recorder made the file, the capture of the take is `recorded_as`."""
    form = TakeForm(request.POST, request.FILES)
    if not form.is_valid():
        return UploadResult(problem=str(next(iter(form.errors.values()))[0]), status=400)
    data = form.cleaned_data
    try:
        return UploadResult(
            submit_take(
                consent,
                data["file"],
                recorded_as if data["recorded"] else Capture.UPLOAD,
                by=by,
                claimed_sha256=data["sha256"],
                device=data["device"],
                user_agent=request.headers.get("User-Agent", ""),
                address=get_client_address(request),
            )
        )
    except (TakeDamaged, TakeWithoutStatement) as problem:
        return UploadResult(problem=str(problem), status=422)
    except ActionRefused as problem:
        return _find_duplicate(consent, data["sha256"]) or UploadResult(problem=str(problem), status=409)


def _find_duplicate(consent: Consent, sha256: str) -> UploadResult | None:
    """The stored take with this hash, if any. The page repeats an upload whose response was lost."""
    take = consent.takes.filter(sha256=sha256).first() if sha256 else None
    return UploadResult(take) if take else None


def make_response(request: HttpRequest, received: UploadResult, *, success_url: str, retry_url: str) -> HttpResponse:
    """JSON for the recorder. A plain form gets a redirect, with a message on errors."""
    if request.accepts("text/html"):
        return _redirect_with_message(request, received, success_url, retry_url)
    if received.take is None:
        return JsonResponse({"problem": received.problem}, status=received.status)
    return JsonResponse(
        _describe_take_for_recorder(received.take) | {"next": success_url if received.take.acceptable else ""}
    )


def _describe_take_for_recorder(take: Take) -> dict[str, Any]:
    problem = "" if take.acceptable else f"{NOT_USABLE} {_format_error_findings(take)}"
    return {"sha256": take.sha256, "problem": problem}


def _format_error_findings(take: Take) -> str:
    errors = [finding for finding in take.findings if finding["severity"] == "refused"]
    return " ".join(f"{finding['text']} {finding['advice']}" for finding in errors)


def _redirect_with_message(
    request: HttpRequest, received: UploadResult, success_url: str, retry_url: str
) -> HttpResponse:
    if received.take is None:
        messages.error(request, received.problem)
        return redirect(retry_url)
    if not received.take.acceptable:
        messages.error(request, f"{NOT_USABLE} {_format_error_findings(received.take)}")
        return redirect(retry_url)
    return redirect(success_url)
