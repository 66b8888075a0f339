"""The parts of the Readiness tab that load themselves again while recordings are checked or change."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from consent.access import get_user, require_permission
from voicehub.models import User
from voices import access
from voices.build_option import BuildOption
from voices.build_options import list_build_options
from voices.models import Voice
from voices.next_fixes import find_option_fix, is_last_step
from voices.views.recording_filters import count_to_review
from voices.views.recording_table import load_recording_progress
from voices.views.voice_tabs import count_ready


def make_readiness_context(voice: Voice, user: User) -> dict[str, Any]:
    return {
        "voice": voice,
        "recording_progress": load_recording_progress(voice),
        "is_closed": access.are_recordings_closed(voice, user),
    }


def make_options_context(
    voice: Voice, options: Sequence[BuildOption], user: User, *, is_closed: bool
) -> dict[str, Any]:
    """The accounts and tiers, the nearest to ready first, each with what this user can do, and what is to review."""
    rows = [(option, find_option_fix(option, user)) for option in options]
    context: dict[str, Any] = {"option_rows": rows, "is_last_step": bool(options) and is_last_step(options[0])}
    if not is_closed and user.has_perm("voices.view_recording"):
        context["to_review"], context["usable_count"] = count_to_review(voice)
    return context


@require_permission("voices.view_voice")
@require_safe
def build_options(request: HttpRequest, pk: str) -> HttpResponse:
    voice = get_object_or_404(access.query_voices(), pk=pk)
    user = get_user(request)
    is_closed = access.are_recordings_closed(voice, user)
    context = make_options_context(voice, list_build_options(voice), user, is_closed=is_closed)
    return render(request, "voices/_build_options.html", {"voice": voice, "is_closed": is_closed, **context})


@require_permission("voices.view_voice")
@require_safe
def ready_count(request: HttpRequest, pk: str) -> HttpResponse:
    """At how many accounts and tiers the voice is ready. The other tabs load it after the page: it costs the most."""
    voice = get_object_or_404(access.query_voices(), pk=pk)
    count = count_ready(list_build_options(voice))
    return render(request, "voices/_ready_count.html", {"voice": voice, "count": count})


@require_permission("voices.view_voice")
@require_safe
def readiness_poll(request: HttpRequest, pk: str) -> HttpResponse:
    """The progress of the checks, for the Readiness tab. Returns 204 if the page is up to date."""
    voice = get_object_or_404(access.query_voices(), pk=pk)
    progress = load_recording_progress(voice)
    is_same = request.GET.get("seen") == progress.change_token
    if progress.is_active and is_same:
        return HttpResponse(status=204)
    response = render(request, "voices/_readiness_poll.html", {"voice": voice, "recording_progress": progress})
    if not is_same:
        response.headers["HX-Trigger"] = (
            "readiness-changed" if progress.is_active else "readiness-changed, checks-ended"
        )
    return response
