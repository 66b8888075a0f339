"""The page of a voice: one tab each for its recordings, its readiness, its builds and its voices at providers."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from consent.access import get_user, require_permission
from consent.services.statements import load_newest_statements
from consent.services.voice_comparison import is_comparison_allowed
from voicehub.models import User
from voices import access
from voices.build_options import list_build_options
from voices.build_results.gauges import number_builds
from voices.models import Build, Voice
from voices.next_fixes import Fix, describe_target, load_build_fixes, name_target
from voices.services.builds.nearest import find_nearest_target
from voices.services.builds.recheck import check_built_voices, find_held_voices
from voices.services.remote_state import find_outdated_builds
from voices.unfinished_imports import find_unfinished_import
from voices.views.finding_list import list_findings, split_findings
from voices.views.improvements import load_improvements
from voices.views.open_imports import load_open_imports
from voices.views.readiness import make_options_context, make_readiness_context
from voices.views.recording_table import load_recording_page, load_recording_progress
from voices.views.remote_samples import list_other_providers, load_overall_scores, load_samples
from voices.views.speech_needs import list_speech_needs
from voices.views.voice_tabs import Tab, count_ready, make_tab_context

MAX_BUILDS = 50


@require_permission("voices.view_voice")
@require_safe
def voice_recordings(request: HttpRequest, pk: str) -> HttpResponse:
    voice = get_object_or_404(access.query_voices(), pk=pk)
    context = make_tab_context(voice, get_user(request), Tab.RECORDINGS) | {
        "recording_progress": load_recording_progress(voice),
        **load_recording_page(voice, request.GET),
    }
    if request.user.has_perm("voices.add_recording") and not context["is_closed"]:
        context["unfinished"] = find_unfinished_import(voice, get_user(request))
        context["imports"] = load_open_imports(voice)
    if not voice.recordings.exists():
        context |= {"is_empty": True, "speech_needs": list_speech_needs()}
    return render(request, "voices/voice_recordings.html", context)


@require_permission("voices.view_voice")
@require_safe
def voice_readiness(request: HttpRequest, pk: str) -> HttpResponse:
    voice = get_object_or_404(access.query_voices(), pk=pk)
    options = list_build_options(voice)
    context = {
        **make_tab_context(voice, get_user(request), Tab.READINESS, ready=count_ready(options)),
        **make_readiness_context(voice, get_user(request)),
    }
    context |= make_options_context(voice, options, get_user(request), is_closed=context["is_closed"])
    is_empty = any(link.tab is Tab.RECORDINGS and link.count == "0" for link in context["tabs"])
    if not is_empty and not context["is_closed"] and request.user.has_perm("voices.view_recording"):
        context |= split_findings(list_findings(voice))
        context["is_comparison_allowed"] = is_comparison_allowed(voice.talent_id)
        if request.GET.get("improvements") == "show":
            context |= load_improvements(voice)
    return render(request, "voices/voice_readiness.html", context)


@require_permission("voices.view_voice")
@require_safe
def voice_builds(request: HttpRequest, pk: str) -> HttpResponse:
    voice = get_object_or_404(access.query_voices(), pk=pk)
    found = access.query_builds().filter(voice=voice)
    builds = list(found[:MAX_BUILDS])
    steps = _load_build_steps(builds, get_user(request))
    context = make_tab_context(voice, get_user(request), Tab.BUILDS) | {
        "steps": steps,
        "builds": number_builds(builds, found.count()),
        "finished_builds": [build for build in builds if not build.is_active],
        "voice_states": check_built_voices(builds),
        "outdated": find_outdated_builds(builds),
        "has_scores": any(build.scores for build in builds),
    }
    context["next_build"] = _describe_next_build(voice, get_user(request))
    return render(request, "voices/voice_builds.html", context)


def _describe_next_build(voice: Voice, user: User) -> dict[str, str]:
    """What the nearest target still needs, as on the tab of the readiness, and the button if this user can do it."""
    target = find_nearest_target(voice)
    if target is None:
        return {}
    step = describe_target(voice, target, list(load_newest_statements()))
    fix = step.fix if step.fix.is_allowed_for(user) else Fix("", "")
    texts = {"severity": step.severity, "status": step.status, "target": name_target(target)}
    return {**texts, "url": fix.url, "action": fix.action}


def _load_build_steps(builds: Sequence[Build], user: User) -> Mapping[UUID, Fix]:
    """By id of the build, what it needs of a person and this one can do."""
    found = load_build_fixes(Build.objects.filter(pk__in=[build.pk for build in builds]))
    return {pk: fix for pk, (_, fix) in found.items() if fix.is_allowed_for(user)}


@require_permission("voices.view_remotevoice")
@require_safe
def voice_providers(request: HttpRequest, pk: str) -> HttpResponse:
    voice = get_object_or_404(access.query_voices(), pk=pk)
    remotes = access.list_remote_voices(voice)
    held = find_held_voices(remotes)
    context = make_tab_context(voice, get_user(request), Tab.PROVIDERS) | {
        "remotes": [remote for remote in remotes if not remote.deleted_at],
        "deleted_remotes": [remote for remote in remotes if remote.deleted_at],
        "held": held,
        "overall_scores": load_overall_scores(remotes),
        "samples": load_samples(remotes, held, get_user(request)),
        "other_providers": list_other_providers(remotes),
    }
    return render(request, "voices/voice_providers.html", context)
