"""Two to four finished builds of one voice side by side: recordings, scores and previews."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from functools import wraps
from typing import NamedTuple
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import retarget

from consent.access import get_user, require_permission
from voicehub.models import User
from voicehub.refusals import ActionRefused, handle_refusal
from voicehub.text import format_count, join_with_and
from voices import access
from voices.account_forms import SentenceForm, show_errors
from voices.build_results.facts import LETTERS, make_facts
from voices.models import Build, BuildStatus
from voices.presenters import make_build_badges
from voices.row_polls import compare_rows, make_list_token
from voices.services.blind_listening import Tally
from voices.services.builds.changes import number_build, number_builds
from voices.services.builds.comparison import (
    ScoreRow,
    check_comparable,
    compare_recordings,
    count_recordings,
    make_score_rows,
)
from voices.services.previews import find_reasons_against_preview, get_longest_preview, request_preview
from voices.services.remote_state import find_outdated_builds
from voices.views.blind_panel import make_blind_panel
from voices.views.comparison import LISTEN, Comparison, load_comparison

RETRAINED_TEXT = "This voice has been retrained since this build. A preview would use the newer training."
MAX_DIFFERENCES = 200

CompareView = Callable[[HttpRequest, Comparison], HttpResponse]


def with_comparison(view: CompareView) -> Callable[[HttpRequest], HttpResponse]:
    """Load the builds that the address names. If they cannot be compared, say why on the page they were chosen on."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        comparison = load_comparison(request)
        try:
            check_comparable(comparison.builds)
        except ActionRefused as refusal:
            messages.error(request, str(refusal))
            voices = {build.voice for build in comparison.builds}
            return redirect(voices.pop().get_builds_url() if len(voices) == 1 else "voices:build_list")
        return view(request, comparison)

    return guarded


@require_permission("voices.view_build")
@require_safe
@with_comparison
def compare_builds(request: HttpRequest, comparison: Comparison) -> HttpResponse:
    builds, voice = comparison.builds, comparison.builds[0].voice
    additions = list(comparison.list_additions()) if comparison.can_add else []
    only_addition = [build for build, _url in additions] if len(additions) == 1 else []
    counts, scores = count_recordings(builds), list(make_score_rows(builds))
    all_numbers = number_builds([*builds, *only_addition])
    numbers, only_number = all_numbers[: len(builds)], all_numbers[len(builds) :]
    names = [f"Build {number}" for number in numbers]
    can_listen = comparison.user.has_perm(LISTEN)
    are_names_open = comparison.user.has_perm("voices.view_recording") and not access.are_recordings_closed(
        voice, comparison.user
    )
    recordings, outdated = compare_recordings(builds), find_outdated_builds(builds)
    refusals = [_explain_preview_refusal(build, outdated) for build in builds]
    panel = make_blind_panel(comparison, request.GET.get("sentence", "")) if can_listen else None
    can_be_heard = bool(comparison.sentences or comparison.closed or comparison.held or refusals.count("") > 1)
    longest, shortest = max(lengths := [round(count["seconds"]) for count in counts]), min(lengths)
    facts, shared_result = make_facts(builds, counts), _find_shared_result(comparison, outdated)
    hearable = None if can_be_heard or not can_listen or "" in refusals else find_hearable(additions)
    context = {
        "comparison": comparison,
        "voice": voice,
        "sides": [
            (letter, build, {**count, "number": number, "is_longest": round(count["seconds"]) == longest > shortest})
            for (letter, build), count, number in zip(comparison.sides, counts, numbers, strict=True)
        ],
        "facts": facts,
        "shared_result": shared_result,
        "equal_facts": [*([("Result", shared_result)] if shared_result else []), *facts.equal],
        "is_speech_different": longest > shortest,
        "removals": [(build, comparison.make_url_without(build)) for build in builds] if len(builds) > 2 else [],
        "additions": additions,
        "only_addition": next(iter(only_number), 0),
        "are_counts_equal": len({count["clips"] for count in counts}) == 1,
        "longest_speech": longest,
        "scores": [(row, list(zip(LETTERS, row.cells, strict=False))) for row in scores],
        "has_providers": len({row.provider for row in scores}) > 1,
        "best_word": "better" if len(builds) == 2 else "best",
        "summary": describe_result(comparison, names, scores, comparison.total if can_listen else Tally()),
        "recordings": recordings,
        "differences": recordings.differences[:MAX_DIFFERENCES] if are_names_open else (),
        "are_names_open": are_names_open,
        "preview_refusals": group_refusals(names, refusals),
        "listening_note": describe_listening(names, refusals),
        "can_generate": "" in refusals,
        "can_be_heard": can_be_heard,
        "hearable": hearable,
        "speaking": [(name, build) for name, build, reason in zip(names, builds, refusals, strict=True) if not reason],
        "longest_preview": min(get_longest_preview(build.remote_voice) for build in builds),
        "outdated": outdated,
        "panel": panel,
        "has_question": panel is not None and panel.sentence is not None,
        "change_token": make_list_token(comparison.row_states),
    }
    return render(request, "voices/compare.html", context)


def _find_shared_result(comparison: Comparison, outdated: Collection[UUID]) -> str:
    """The badges of the builds, if all have the same, and empty otherwise."""
    found = {
        ", ".join(badge.label for badge in make_build_badges(build, comparison.voice_states, outdated))
        for build in comparison.builds
    }
    return found.pop() if len(found) == 1 else ""


def describe_result(comparison: Comparison, names: Sequence[str], scores: Sequence[ScoreRow], total: Tally) -> str:
    """“Build 3 leads in 3 of 4 scores. Votes: Build 3: 2, Build 2: 1.” Empty if there are neither scores nor votes."""
    parts = [_describe_leaders(names, Counter(side for row in scores for side in row.best_sides), len(scores))]
    if total.total:
        sides = zip(names, comparison.builds, strict=True)
        votes = [f"{name}: {total.by_build.get(build.pk, 0)}" for name, build in sides]
        votes += [f"no difference: {total.same}"] if total.same else []
        parts.append(f"Votes: {', '.join(votes)}.")
    return " ".join(part for part in parts if part)


def _describe_leaders(names: Sequence[str], wins: Counter[int], count: int) -> str:
    if not count:
        return ""
    most = max(wins.values(), default=0)
    leaders = [names[side] for side, number in sorted(wins.items()) if number == most]
    if not most:
        return "No score shows a better build."
    verb = "leads" if len(leaders) == 1 else "each lead"
    return f"{join_with_and(leaders)} {verb} in {most} of {format_count(count, 'score', 'scores')}."


@require_permission("voices.view_build")
@require_safe
@with_comparison
def compare_previews(request: HttpRequest, comparison: Comparison) -> HttpResponse:
    """The sentences that moved. Returns 204 if the page is up to date.

    The page polls this URL while a preview is being generated. If another sentence came, it gets the whole list.
    `blind` is “none” if the page has no sentence to listen to yet.
    """
    poll = compare_rows(request.GET.get("seen", ""), comparison.row_states)
    if comparison.is_generating and poll.is_empty:
        return HttpResponse(status=204)
    is_first = request.GET.get("blind") == "none" and comparison.user.has_perm(LISTEN)
    panel = make_blind_panel(comparison, "") if is_first else None
    context = {
        "comparison": comparison,
        "panel": panel if panel and panel.samples else None,
        "has_question": not is_first or bool(panel and panel.samples),
        "change_token": poll.token,
        "moved": poll.moved,
        "is_complete": poll.is_complete,
    }
    if poll.is_whole or poll.is_empty:
        return retarget(render(request, "voices/_compare_sentences.html", context), "#spoken")
    return render(request, "voices/_compare_sentences_poll.html", context)


@require_permission("voices.ask_preview")
@require_POST
@with_comparison
def compare_request_previews(request: HttpRequest, comparison: Comparison) -> HttpResponse:
    """Request a preview of the same sentence from each build, or from the one that `only` names.

    If one is refused, the others are still requested.
    """
    form = SentenceForm(request.POST)
    if not form.is_valid():
        show_errors(request, form)
        return redirect(f"{comparison.url}#sentences")
    outdated, only = find_outdated_builds(comparison.builds), request.POST.get("only")
    for letter, build in comparison.sides:
        if only and only != str(build.pk):
            continue
        if issue := _request_preview(build, outdated, form.cleaned_data["text"], get_user(request)):
            messages.error(request, f"{letter}, {comparison.names[build.pk]}: {issue}")
    return redirect(f"{comparison.url}#sentences")


def _request_preview(build: Build, outdated: Collection[UUID], text: str, user: User) -> str:
    """Request a preview of one build. Returns why the request was refused, or an empty string."""
    if reason := _explain_preview_refusal(build, outdated):
        return reason
    issues: list[str] = []
    with handle_refusal(issues.append):
        request_preview(build.remote_voice, text, user)
    return " ".join(issues)


class Addition(NamedTuple):
    """The number of a build, and the address that adds it to the comparison."""

    number: int
    url: str


def find_hearable(additions: Sequence[tuple[Build, str]]) -> Addition | None:
    """The newest build that could be added and can speak."""
    outdated = find_outdated_builds([build for build, _url in additions])
    for build, url in additions:
        if build.status == BuildStatus.READY and build.pk not in outdated:
            return Addition(number_build(build), url)
    return None


def group_refusals(names: Sequence[str], refusals: Sequence[str]) -> list[tuple[str, str]]:
    """The builds that cannot generate a preview now, by reason. `refusals` has an empty text for each that can."""
    reasons = [reason for reason in dict.fromkeys(refusals) if reason]
    pairs = list(zip(names, refusals, strict=True))
    return [(join_with_and([name for name, its in pairs if its == reason]), reason) for reason in reasons]


def describe_listening(names: Sequence[str], refusals: Sequence[str]) -> str:
    """Why blind listening is not possible now: which of the builds can still speak, and what stops those that were not
    retrained."""
    speaking = [name for name, reason in zip(names, refusals, strict=True) if not reason]
    which = f"Only {join_with_and(speaking)} can." if speaking else "None of these builds can."
    reasons = [f"{its}: {reason}" for its, reason in group_refusals(names, refusals) if reason != RETRAINED_TEXT]
    return " ".join(["Blind listening needs two builds that can still speak.", which, *reasons])


def _explain_preview_refusal(build: Build, outdated: Collection[UUID]) -> str:
    """Why the build cannot generate a preview now, or an empty string. `outdated` has the ids of retrained builds."""
    if build.status != BuildStatus.READY:
        return "This build did not produce a voice."
    if build.remote_voice.find_capabilities() is None:
        return "VoiceHub no longer supports this provider."
    if reasons := find_reasons_against_preview(build.remote_voice):
        return " ".join(reasons)
    return RETRAINED_TEXT if build.pk in outdated else ""
