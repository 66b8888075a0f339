"""The lists of voices and builds."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from consent.access import require_permission
from voicehub.lists.pages import load_list
from voices import access
from voices.lists.builds import BuildFilter, BuildTable
from voices.lists.voices import VoiceFilter, VoiceTable
from voices.services.builds.changes import annotate_numbers


@require_permission("voices.view_voice")
@require_safe
def voice_list(request: HttpRequest) -> HttpResponse:
    listing = load_list(request, access.query_voices(), VoiceTable, VoiceFilter)
    return render(request, "voices/voice_list.html", {"list": listing})


@require_permission("voices.view_build")
@require_safe
def build_list(request: HttpRequest) -> HttpResponse:
    listing = load_list(request, annotate_numbers(access.query_builds()), BuildTable, BuildFilter)
    return render(request, "voices/build_list.html", {"list": listing})
