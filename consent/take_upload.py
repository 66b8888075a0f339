"""Receives a recording of the statement from the recorder or from the form for a file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect

from consent.forms import TakeForm
from consent.models import Capture, Consent, Take
from consent.services.take_sounds import RecordingUsedElsewhere
from consent.services.takes import TakeDamaged, TakeWithoutStatement, submit_take
from consent.take_files import describe_problem
from voicehub.client_address import get_client_address
from voicehub.models import User
from voicehub.refusals import ActionRefused


@dataclass(frozen=True, slots=True)
class UploadResult:
    """The stored take, or why there is none. `problem` is for the user, also of a stored take that cannot be used."""

    take: Take | None = None
    problem: str = ""
    status: int = 200

    @property
    def form_status(self) -> int:
        """The HTTP status of the page that shows the form again, with the problem beside its field."""
        return self.status if self.take is None else 422


def receive_take(
    request: HttpRequest,
    consent: Consent,
    recorded_as: Capture,
    by: User | None,
    *,
    others: Sequence[Consent] = (),
    address_check: str = "",
) -> UploadResult:
    """Store the uploaded file as a take. If the recorder made the file, the capture of the take is `recorded_as`.

    The recording is also for `others`. They have the same statement. `address_check` is one of `AddressCheck`.
    """
    form = TakeForm(request.POST, request.FILES)
    if not form.is_valid():
        return UploadResult(problem=str(next(iter(form.errors.values()))[0]), status=400)
    data = form.cleaned_data
    try:
        take = submit_take(
            consent,
            data["file"],
            recorded_as if data["recorded"] else Capture.UPLOAD,
            others=others,
            by=by,
            claimed_sha256=data["sha256"],
            device=data["device"],
            user_agent=request.headers.get("User-Agent", ""),
            address=get_client_address(request),
            address_check=address_check,
        )
    except (TakeDamaged, TakeWithoutStatement) as problem:
        return UploadResult(problem=str(problem), status=422)
    except RecordingUsedElsewhere as problem:
        return UploadResult(problem=_describe_use(problem, is_talent=recorded_as == Capture.LINK), status=422)
    except ActionRefused as problem:
        earlier = _find_duplicate(consent, data["sha256"])
        if earlier is None:
            return UploadResult(problem=str(problem), status=409)
        take = earlier
    return UploadResult(take, describe_problem(take, is_talent=recorded_as == Capture.LINK))


def _describe_use(problem: RecordingUsedElsewhere, *, is_talent: bool) -> str:
    """Only staff learn whose request it is."""
    return str(problem) if is_talent else f"{problem} It is the recording for {problem.other}."


def _find_duplicate(consent: Consent, sha256: str) -> Take | None:
    """The stored take with this hash, if any. The page repeats an upload whose response was lost."""
    return consent.takes.filter(sha256=sha256).first() if sha256 else None


def make_response(
    request: HttpRequest, received: UploadResult, success_url: str, render_form: Callable[[str, int], HttpResponse]
) -> HttpResponse:
    """JSON for the scripts. Without them, an error is the page with the form, by `render_form(problem, status)`."""
    if request.accepts("text/html"):
        if not received.problem:
            return redirect(success_url)
        return render_form(received.problem, received.form_status)
    if received.take is None:
        return JsonResponse({"problem": received.problem}, status=received.status)
    answer = {"sha256": received.take.sha256, "problem": received.problem}
    return JsonResponse(answer | {"next": "" if received.problem else success_url})
