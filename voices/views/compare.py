"""Two finished builds of one voice side by side: recordings, scores and previews."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from django.contrib import messages
from django.db.models import Avg, Count, Q, Sum
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from consent.access import get_user, require_permission
from voicehub.models import User
from voicehub.refusals import handle_refusal
from voicehub.tokens import hash_token
from voices import access
from voices.account_forms import SentenceForm, show_errors
from voices.models import Build, BuildStatus, Preview, PreviewStatus
from voices.presenters import build_name
from voices.services.builds.recheck import VoiceStates, check_built_voices
from voices.services.builds.scores import SCORES, ScoreInfo
from voices.services.previews import find_reasons_against_preview, get_longest_preview, request_preview
from voices.services.remote_state import find_outdated_builds

MAX_SENTENCES = 20
PENDING_STATUSES = (PreviewStatus.QUEUED, PreviewStatus.GENERATING)
SCORE_TOLERANCE = 0.005  # smaller differences do not show in two decimals
RETRAINED_TEXT = "This voice has been retrained since this build. A preview would use the newer training."


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One score, with its value in each of two builds."""

    info: ScoreInfo
    values: tuple[float | None, float | None]

    @property
    def better_side(self) -> int | None:
        """0 or 1 for the build with the better value. None if the values are equal or one is missing."""
        first, second = self.values
        if first is None or second is None or abs(first - second) < SCORE_TOLERANCE:
            return None
        return int((second > first) != self.info.lower_is_better)

    @property
    def cells(self) -> list[tuple[float | None, str]]:
        """Each value with its label: "better", "the same" or an empty string."""
        if None in self.values:
            return [(value, "") for value in self.values]
        if self.better_side is None:
            return [(value, "the same") for value in self.values]
        return [(value, "better" if side == self.better_side else "") for side, value in enumerate(self.values)]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, with the preview of it by each build. The preview is None if a build has not spoken it."""

    text: str
    by_build: tuple[tuple[Build, Preview | None], ...]

    @property
    def previews(self) -> list[Preview]:
        return [preview for _, preview in self.by_build if preview]


@dataclass(frozen=True)
class BuildPair:
    """Two finished builds of one voice."""

    first: Build
    second: Build

    @property
    def builds(self) -> tuple[Build, Build]:
        return self.first, self.second

    @property
    def query(self) -> str:
        """The query string that names both builds in a URL."""
        query = QueryDict(mutable=True)
        query.update({"a": str(self.first.pk), "b": str(self.second.pk)})
        return query.urlencode()

    @property
    def url(self) -> str:
        return f"{reverse('voices:compare')}?{self.query}"

    @cached_property
    def sentences(self) -> list[Sentence]:
        """Each text, with the newest preview of it by each build. Texts with previews of both builds come first."""
        by_text: dict[str, dict[uuid.UUID | None, Preview]] = {}
        for preview in Preview.objects.filter(build__in=self.builds).order_by("-created_at", "pk"):
            by_text.setdefault(preview.text, {}).setdefault(preview.build_id, preview)
        sentences = [
            Sentence(text, tuple((build, by_build.get(build.pk)) for build in self.builds))
            for text, by_build in by_text.items()
        ]
        return sorted(sentences, key=lambda sentence: -len(sentence.previews))[:MAX_SENTENCES]

    @property
    def _previews(self) -> list[Preview]:
        return [preview for sentence in self.sentences for preview in sentence.previews]

    @property
    def is_generating(self) -> bool:
        return any(preview.status in PENDING_STATUSES for preview in self._previews)

    @property
    def change_token(self) -> str:
        return hash_token(repr([(preview.pk, preview.status) for preview in self._previews]))


@require_permission("voices.view_build")
@require_safe
def compare_builds(request: HttpRequest) -> HttpResponse:
    pair = _get_pair(request.GET)
    if problem := _describe_problem(pair):
        messages.error(request, problem)
        return redirect(pair.first.voice.get_builds_url())
    counts = count_recordings(pair)
    context = {
        "pair": pair,
        "voice": pair.first.voice,
        "sides": list(zip(pair.builds, counts, strict=True)),
        "has_noise": any(count["noise"] is not None for count in counts),
        "scores": list(make_score_rows(pair)),
        "shared_count": count_shared_recordings(pair),
        "preview_refusals": list_preview_refusals(pair),
        "longest_preview": min(get_longest_preview(build.remote_voice) for build in pair.builds),
        "outdated": find_outdated_builds(pair.builds),
        **find_locked_voices(pair, get_user(request)),
    }
    return render(request, "voices/compare.html", context)


@require_permission("voices.view_build")
@require_safe
def compare_previews(request: HttpRequest) -> HttpResponse:
    """The part of the page with the previews. Returns 204 if the page is up to date.

    The page polls this URL while a preview is being generated.
    """
    pair = _get_pair(request.GET)
    if request.GET.get("seen") == pair.change_token:
        return HttpResponse(status=204)
    return render(
        request, "voices/_compare_previews.html", {"pair": pair, **find_locked_voices(pair, get_user(request))}
    )


def find_locked_voices(pair: BuildPair, user: User) -> dict[str, VoiceStates | frozenset[uuid.UUID]]:
    """The ids of the remote voices whose previews cannot be played: while they are held, or closed to this user."""
    remotes = [build.remote_voice for build in pair.builds]
    closed = frozenset(remote.pk for remote in remotes if access.are_previews_closed(remote, user))
    states = check_built_voices(pair.builds)
    return {"held": frozenset(states.held), "closed": closed, "voice_states": states}


@require_permission("voices.ask_preview")
@require_POST
def compare_request_previews(request: HttpRequest) -> HttpResponse:
    """Request a preview of the same sentence from each build. If one build is refused, the other is still requested."""
    pair, form = _get_pair(request.GET), SentenceForm(request.POST)
    if problem := _describe_problem(pair):
        messages.error(request, problem)
        return redirect(pair.first.voice.get_builds_url())
    if not form.is_valid():
        show_errors(request, form)
        return redirect(f"{pair.url}#sentences")
    for build in pair.builds:
        if issue := _request_preview(build, form.cleaned_data["text"], get_user(request)):
            messages.error(request, f"{build_name(build)}: {issue}")
    return redirect(f"{pair.url}#sentences")


def _request_preview(build: Build, text: str, user: User) -> str:
    """Request a preview of one build. Returns why the request was refused, or an empty string."""
    if reason := _explain_preview_refusal(build):
        return reason
    issues: list[str] = []
    with handle_refusal(issues.append):
        request_preview(build.remote_voice, text, user)
    return " ".join(issues)


def _get_pair(params: Mapping[str, str]) -> BuildPair:
    """The two builds in the query string. Raises Http404 unless both belong to one voice."""
    try:
        ids = [uuid.UUID(params.get(name, "")) for name in ("a", "b")]
    except ValueError:
        raise Http404 from None
    found = {build.pk: build for build in access.query_builds().filter(pk__in=ids)}
    builds = [found[pk] for pk in ids if pk in found]
    if len(builds) != 2 or builds[0].voice_id != builds[1].voice_id:
        raise Http404
    return BuildPair(*builds)


def _describe_problem(pair: BuildPair) -> str:
    """Why the two builds cannot be compared, or an empty string."""
    if pair.first.pk == pair.second.pk:
        return "Choose two different builds to compare."
    return (
        "A build can be compared when it is finished. Wait until both have finished."
        if any(build.is_active for build in pair.builds)
        else ""
    )


def make_score_rows(pair: BuildPair) -> Iterator[ScoreRow]:
    """A row for each score that at least one build has. Every page shows scores in this order."""
    for info in SCORES:
        first, second = (_read_score(build, info.key) for build in pair.builds)
        if first is not None or second is not None:
            yield ScoreRow(info, (first, second))


def _read_score(build: Build, key: str) -> float | None:
    value = build.scores.get(key)
    return None if value is None else float(value)


def count_recordings(pair: BuildPair) -> list[dict[str, float]]:
    """The sent and flagged recordings of each build, in one query."""
    found = Build.objects.filter(pk__in=[build.pk for build in pair.builds]).annotate(
        clips=Count("recordings"),
        seconds=Sum("recordings__recording__seconds", default=0.0),
        reported=Count("recordings", filter=Q(recordings__has_report=True)),
        silent=Count("recordings", filter=Q(recordings__is_silent=True)),
        outliers=Count("recordings", filter=Q(recordings__is_outlier=True)),
        noise=Avg("recordings__signal_to_noise_ratio"),
        unused=Count("recordings", filter=~Q(recordings__discard_reason="") | Q(recordings__is_active=False)),
    )
    names = ("clips", "seconds", "reported", "silent", "outliers", "unused", "noise")
    rows = {row["pk"]: row for row in found.order_by().values("pk", *names)}
    return [rows[build.pk] for build in pair.builds]


def count_shared_recordings(pair: BuildPair) -> int:
    """How many recordings are in both builds with the same file and transcript."""
    first, second = (set(build.recordings.values_list("recording_id", "sha256", "transcript")) for build in pair.builds)
    return len(first & second)


def list_preview_refusals(pair: BuildPair) -> list[tuple[Build, str]]:
    """The builds that cannot generate a preview now, each with the reason."""
    return [(build, reason) for build in pair.builds if (reason := _explain_preview_refusal(build))]


def _explain_preview_refusal(build: Build) -> str:
    """Why the build cannot generate a preview now, or an empty string."""
    if build.status != BuildStatus.READY:
        return "This build did not produce a voice."
    if reasons := find_reasons_against_preview(build.remote_voice):
        return " ".join(reasons)
    return RETRAINED_TEXT if find_outdated_builds([build]) else ""
