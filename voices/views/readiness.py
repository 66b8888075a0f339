"""The parts of the Readiness tab that load themselves again while recordings are checked or change."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from consent.access import get_user, require_permission
from voicehub.models import User
from voicehub.text import join_with_and
from voices import access
from voices.build_option import BuildOption
from voices.build_options import list_build_options
from voices.models import Voice
from voices.next_fixes import Fix, find_option_fix, is_last_step
from voices.services.builds.nearest import Rank
from voices.views.recording_filters import count_to_review
from voices.views.recording_table import load_recording_progress
from voices.views.voice_tabs import count_ready

OptionRow = tuple[BuildOption, Fix | None]
LEAST_FOLDED = 3


def make_readiness_context(voice: Voice, user: User) -> dict[str, Any]:
    return {
        "voice": voice,
        "recording_progress": load_recording_progress(voice),
        "is_closed": access.are_recordings_closed(voice, user),
    }


def bracket_tier(name: str) -> str:
    """“AudioStack (instant)”, for a list of such names that commas separate."""
    provider, _comma, tier = name.partition(", ")
    return f"{provider} ({tier})" if tier else name


@dataclass(frozen=True, slots=True)
class OptionGroup:
    """Accounts and tiers that the same thing stops, in one line. Others are a group of their own.

    `fix` is there if the same step removes what stops each of them. It is that of the first, the nearest to ready.
    """

    rows: Sequence[OptionRow]

    @property
    def is_folded(self) -> bool:
        return len(self.rows) >= LEAST_FOLDED

    @property
    def badge(self) -> tuple[str, str]:
        return self.rows[0][0].badge

    @property
    def names(self) -> str:
        return join_with_and(list(dict.fromkeys(bracket_tier(option.name) for option, _fix in self.rows)))

    @property
    def key(self) -> str:
        return f"group-{slugify(self.badge[1])}"

    @property
    def keys(self) -> list[str]:
        return [option.key for option, _fix in self.rows]

    @property
    def fix(self) -> Fix | None:
        actions = {fix and fix.action for _option, fix in self.rows}
        return self.rows[0][1] if len(actions) == 1 else None

    @property
    def fixed_names(self) -> str:
        """Those that `fix` is for: all, or the first if each has its own page."""
        is_shared = len({fix for _option, fix in self.rows}) == 1
        return self.names if is_shared else self.rows[0][0].name


def group_options(rows: Sequence[OptionRow]) -> list[OptionGroup]:
    """In the order of the nearest of each group."""
    groups: dict[str, list[OptionRow]] = {}
    for option, fix in rows:
        name = option.badge[1] if option.rank is Rank.INCOMPLETE else option.key
        groups.setdefault(name, []).append((option, fix))
    return [
        OptionGroup(part)
        for group in groups.values()
        for part in ([group] if len(group) >= LEAST_FOLDED else [[row] for row in group])
    ]


def make_options_context(
    voice: Voice, options: Sequence[BuildOption], user: User, *, is_closed: bool
) -> dict[str, Any]:
    """The accounts and tiers, the nearest to ready first, each with what this user can do, and what is to review."""
    rows = [(option, find_option_fix(option, user)) for option in options]
    context: dict[str, Any] = {"option_rows": rows, "option_groups": group_options(rows)}
    context["is_last_step"] = bool(options) and is_last_step(options[0])
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
