"""Build pages: start, progress, results, export, and resolving a build by hand."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.views.decorators.http import require_POST, require_safe

from consent.access import may, user_of
from providers import registry
from voicehub.refusals import refusal_to_message
from voices import access
from voices.account_forms import say_errors
from voices.forms import BuildForm, ConcludeForm, SettleForm
from voices.models import Account, Build, BuildRecording, BuildStatus
from voices.models.build import ACTIVE
from voices.presenters import asks_a_person, handed_over, stamp
from voices.services.builds.reconcile import conclude_by_hand, settle_by_hand
from voices.services.builds.scores import SCORES, ScoreInfo, worst_first
from voices.services.builds.start import cancel_build, reasons_against, start_build

PAGE = 100
TONES = {"good": "good", "fair": "wait", "poor": "bad"}
MEASURED = ("stoi", "pesq", "si_sdr", "sample_score")  # a column without any value is not shown
# Large recording columns that no build page shows.
HEAVY = ("peaks", "fine_peaks", "levels", "findings", "set_findings")
# Our own estimates, shown beside the provider's scores, with their column headings.
ESTIMATES = {"dnsmos_overall": "DNSMOS", "stoi": "STOI", "si_sdr": "SI-SDR"}
RESULTS = {
    BuildStatus.READY: "good",
    BuildStatus.DATASET_ISSUE: "wait",
    BuildStatus.CONSENT_REJECTED: "bad",
    BuildStatus.FAILED: "bad",
    BuildStatus.CANCELLED: "over",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """One step of a build's timeline. `state` is done, now, next, or the severity of a result."""

    label: str
    state: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Score:
    info: ScoreInfo
    value: float

    @property
    def verdict(self) -> str:
        return self.info.verdict(self.value)

    @property
    def tone(self) -> str:
        return TONES[self.verdict]


@may("voices.start_build")
@require_POST
@refusal_to_message("voices:voice")
def build_start(request: HttpRequest, pk: str) -> HttpResponse:
    voice = get_object_or_404(access.voices(), pk=pk)
    form = BuildForm(request.POST)
    if not form.is_valid():
        messages.error(request, "The build was not started. Choose the account and the kind of build again.")
        return redirect(voice)
    account = get_object_or_404(Account, pk=form.cleaned_data["account"])
    tier, handover = form.cleaned_data["tier"], form.cleaned_data["handover"]
    if account.provider not in registry.PROVIDERS or tier not in registry.provider_class(account.provider).tiers:
        raise Http404
    return redirect(start_build(voice, account, tier, handover, user_of(request)))


@may("voices.view_build")
@require_safe
def build(request: HttpRequest, pk: str) -> HttpResponse:
    build = get_object_or_404(access.builds(), pk=pk)
    return render(request, "voices/build.html", build_context(request, build))


@may("voices.view_build")
@require_safe
def build_progress(request: HttpRequest, pk: str) -> HttpResponse:
    """The part of a build page that changes; 204 when the page is up to date."""
    build = get_object_or_404(access.builds(), pk=pk)
    if build.active and request.GET.get("seen") == stamp(build):
        return HttpResponse(status=204)
    return render(request, "voices/_build.html", build_context(request, build))


@may("voices.view_build")
@require_safe
def build_export(_request: HttpRequest, pk: str) -> StreamingHttpResponse:
    """The recordings as CSV, escaped against formula injection."""
    build = get_object_or_404(access.builds(), pk=pk)
    rows = csv_lines(worst_first(build))
    response = StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8")
    name = f"{slugify(build.voice.name) or 'voice'}-{build.remote_voice.tier}-{build.created_at:%Y%m%d-%H%M}.csv"
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return response


@may("voices.start_build")
@require_POST
@refusal_to_message("voices:build")
def build_cancel(request: HttpRequest, pk: str) -> HttpResponse:
    build = get_object_or_404(access.builds(), pk=pk)
    cancel_build(build, user_of(request))
    messages.success(request, "Build canceled. Nothing was sent to the provider.")
    return redirect(build)


@may("voices.start_build")
@require_POST
@refusal_to_message("voices:build")
def build_settle(request: HttpRequest, pk: str) -> HttpResponse:
    """Resolve a build that the lookup cannot find."""
    build = get_object_or_404(access.builds(), pk=pk)
    form = SettleForm(request.POST)
    if not form.is_valid():
        say_errors(request, form)
        return redirect(build)
    data = form.cleaned_data
    settle_by_hand(build, user_of(request), form.answer, data["why"], step=data["step"])
    messages.success(request, "Saved. The build continues from there.")
    return redirect(build)


@may("voices.start_build")
@require_POST
@refusal_to_message("voices:build")
def build_conclude(request: HttpRequest, pk: str) -> HttpResponse:
    """Resolve a build whose provider status VoiceHub does not recognize."""
    build = get_object_or_404(access.builds(), pk=pk)
    form = ConcludeForm(request.POST)
    if not form.is_valid():
        say_errors(request, form)
        return redirect(build)
    conclude_by_hand(build, user_of(request), form.cleaned_data["became"], form.cleaned_data["why"])
    messages.success(request, "Saved. The build is finished.")
    return redirect(build)


def build_context(request: HttpRequest, build: Build) -> dict[str, Any]:
    rows = worst_first(build).defer(*(f"recording__{name}" for name in HEAVY))
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    marked = Q(is_silent=True) | Q(is_outlier=True) | ~Q(discarded="")
    counts = build.recordings.aggregate(
        seconds=Sum("recording__seconds", default=0.0),
        reported=Count("pk", filter=Q(reported=True)),
        from_callback=Count("pk", filter=Q(from_callback=True)),
        marked=Count("pk", filter=marked),
        troubled=Count("pk", filter=marked | Q(is_active=False)),
    )
    measured = build.recordings.aggregate(**{name: Count(name) for name in MEASURED})
    return {
        "build": build,
        "stamp": stamp(build),
        "timeline": timeline(build),
        "scores": scores(build),
        "page": page,
        "estimates": estimates_of(page),
        "fetches": list(build.dataset_fetches.order_by("-at")[:20]),
        "lost": asks_a_person(build),
        "handed": handed_over(build, page.paginator.count, counts["seconds"]),
        "others": [] if build.active else list(others_of(build)),
        "again": not build.active,
        "refused": reasons_against_another(build),
        "measured": measured,
        "provider_columns": sum(1 for count in measured.values() if count),
        **counts,
    }


def others_of(build: Build) -> QuerySet[Build]:
    return access.builds().filter(voice=build.voice_id).exclude(pk=build.pk).exclude(status__in=ACTIVE)[:50]


def estimates_of(rows: Iterable[BuildRecording]) -> dict[str, str]:
    """The estimates that at least one of these recordings has."""
    estimates = [row.recording.measures.get("estimates") or {} for row in rows]
    return {key: label for key, label in ESTIMATES.items() if any(row.get(key) is not None for row in estimates)}


def reasons_against_another(build: Build) -> list[str]:
    """Why a rebuild would be refused now. Empty while the build is active; no query is made then."""
    account, tier = build.remote_voice.account, build.remote_voice.tier
    if build.active:
        return []
    if account.provider not in registry.PROVIDERS or tier not in registry.provider_class(account.provider).tiers:
        return ["VoiceHub no longer supports this provider or this kind of build."]
    return reasons_against(build.voice, account, tier, build.handover)


def timeline(build: Build) -> list[Moment]:
    """The steps of the build: started, sending, training, result."""
    sending = build.status in {BuildStatus.SUBMITTING, BuildStatus.UNCONFIRMED}
    steps = [
        Moment("Started", "done", build.created_at),
        Moment("Sending", _state(build.training_at is not None, sending), build.submitted_at),
        Moment(
            "Training",
            _state(build.training_at is not None and not build.active, build.status == BuildStatus.TRAINING),
            build.training_at,
        ),
    ]
    if build.status == BuildStatus.CANCELLED:
        steps = steps[:1]
    if build.active:
        return [*steps, Moment("Result", "next")]
    reached = [step for step in steps if step.state == "done"]
    return [*reached, Moment(build.get_status_display(), RESULTS[BuildStatus(build.status)], build.finished_at)]


def _state(is_done: bool, is_current: bool) -> str:
    return "done" if is_done else "now" if is_current else "next"


def scores(build: Build) -> list[Score]:
    return [Score(info, float(build.scores[info.key])) for info in SCORES if build.scores.get(info.key) is not None]


class _Line:
    """A file for `csv.writer` whose `write` returns the line instead of storing it."""

    def write(self, text: str) -> str:
        return text


HEADINGS = (
    "file", "transcript", "seconds", "sha256", "stoi", "pesq", "si_sdr", "sample_score",
    "active", "outlier", "silent", "from_callback", "discarded",
)  # fmt: skip


def csv_lines(rows: Iterable[BuildRecording]) -> Iterator[str]:
    writer = csv.writer(_Line(), quoting=csv.QUOTE_ALL)
    yield str(writer.writerow(HEADINGS))
    for row in rows:
        yield str(writer.writerow([harmless(value) for value in _cells(row)]))


def _cells(row: BuildRecording) -> tuple[object, ...]:
    return (
        row.recording.file_name, row.transcript, row.recording.seconds, row.sha256, row.stoi, row.pesq, row.si_sdr,
        row.sample_score, row.is_active, row.is_outlier, row.is_silent, row.from_callback,
        row.discarded,
    )  # fmt: skip


def harmless(value: object) -> object:
    """Put an apostrophe before text that a spreadsheet would read as a formula (OWASP, CSV injection)."""
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")):
        return f"'{value}"
    return value
