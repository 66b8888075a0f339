"""The page that adds a voice, and the page of a voice with its recordings, build options and builds."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from consent.access import get_user, require_permission
from consent.models import Talent
from voicehub.refusals import handle_refusal
from voices import access
from voices.build_options import list_build_options
from voices.forms import VoiceEditForm, VoiceForm
from voices.models import Voice
from voices.services.builds.recheck import check_built_voices
from voices.services.recordings.emotions import find_emotion_option
from voices.services.recordings.store import change_voice, create_voice
from voices.services.remote_state import find_outdated_builds
from voices.views.recording_table import load_recording_page, load_recording_progress


@require_permission("voices.add_voice")
@require_http_methods(["GET", "HEAD", "POST"])
def voice_add(request: HttpRequest, pk: str) -> HttpResponse:
    talent = get_object_or_404(Talent, pk=pk)
    form = VoiceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with handle_refusal(partial(form.add_error, None)):
            voice = create_voice(talent, **form.cleaned_data, by=get_user(request))
            messages.success(request, f"{voice.name} added. Next, add its recordings.")
            return redirect(voice)
    return render(request, "voices/voice_add.html", {"talent": talent, "form": form, "emotion": find_emotion_option()})


@require_permission("voices.change_voice")
@require_http_methods(["GET", "HEAD", "POST"])
def voice_edit(request: HttpRequest, pk: str) -> HttpResponse:
    voice = get_object_or_404(access.query_voices(), pk=pk)
    initial = {"name": voice.name, "countries": voice.countries, "emotion": voice.emotion}
    form = VoiceEditForm(request.POST if request.method == "POST" else None, initial=initial)
    with transaction.atomic():
        form.track_version(_read_editable(voice, lock=request.method == "POST"))
        if request.method == "POST" and form.is_valid():
            with handle_refusal(partial(form.add_error, None)):
                change_voice(voice, **form.cleaned_data)
                messages.success(request, "Saved.")
                return redirect(voice)
            voice.refresh_from_db(fields=["name"])
    context = {"voice": voice, "form": form, "emotion": find_emotion_option()}
    return render(request, "voices/voice_edit.html", context, status=409 if form.has_conflict else 200)


def _read_editable(voice: Voice, *, lock: bool) -> Mapping[str, Any]:
    rows = Voice.objects.select_for_update() if lock else Voice.objects.all()
    return rows.values("name", "countries", "emotion").get(pk=voice.pk)


@require_permission("voices.view_voice")
@require_safe
def voice_detail(request: HttpRequest, pk: str) -> HttpResponse:
    voice = get_object_or_404(access.query_voices(), pk=pk)
    builds = access.query_builds().filter(voice=voice)[:50]
    finished_builds = [build for build in builds if not build.is_active]
    context = {
        "voice": voice,
        "builds": builds,
        "finished_builds": finished_builds,
        "recording_progress": load_recording_progress(voice),
        "build_options": list_build_options(voice),
        "voice_states": check_built_voices(builds),
        "outdated": find_outdated_builds(builds),
        "is_closed": access.are_recordings_closed(voice, get_user(request)),
    }
    return render(request, "voices/voice.html", context | load_recording_page(voice, request.GET))


@require_permission("voices.view_voice")
@require_safe
def voice_readiness(request: HttpRequest, pk: str) -> HttpResponse:
    """The build options of a voice. The page of the voice loads them again when its recordings have changed."""
    voice = get_object_or_404(access.query_voices(), pk=pk)
    context = {
        "voice": voice,
        "build_options": list_build_options(voice),
        "is_closed": access.are_recordings_closed(voice, get_user(request)),
    }
    return render(request, "voices/_build_options.html", context)
