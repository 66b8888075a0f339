"""Voice pages: add a voice; its recordings, build options and builds."""

from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from consent.access import may, user_of
from consent.models import Talent
from voicehub.refusals import refusal_to
from voices import access
from voices.build_options import list_build_options
from voices.forms import VoiceForm
from voices.services.recordings.store import create_voice
from voices.views.recording_table import load_recording_page, load_recording_progress


@may("voices.add_voice")
@require_http_methods(["GET", "HEAD", "POST"])
def voice_add(request: HttpRequest, pk: str) -> HttpResponse:
    talent = get_object_or_404(Talent, pk=pk)
    form = VoiceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusal_to(partial(form.add_error, None)):
            voice = create_voice(talent, **form.cleaned_data, by=user_of(request))
            messages.success(request, f"{voice.name} added. Next, add its recordings.")
            return redirect(voice)
    return render(request, "voices/voice_add.html", {"talent": talent, "form": form})


@may("voices.view_voice")
@require_safe
def voice_detail(request: HttpRequest, pk: str) -> HttpResponse:
    voice = get_object_or_404(access.voices(), pk=pk)
    builds = access.builds().filter(voice=voice)[:50]
    finished = [build for build in builds if not build.active]
    context = {
        "voice": voice,
        "builds": builds,
        "over": finished,
        "moving": load_recording_progress(voice),
        "places": list_build_options(voice),
    }
    return render(request, "voices/voice.html", context | load_recording_page(voice, request.GET))


@may("voices.view_voice")
@require_safe
def voice_readiness(request: HttpRequest, pk: str) -> HttpResponse:
    """The build options fragment, for a page whose recordings have changed."""
    voice = get_object_or_404(access.voices(), pk=pk)
    return render(request, "voices/_build_options.html", {"voice": voice, "places": list_build_options(voice)})
