"""The pages that add and edit a voice."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from consent.access import get_user, require_permission
from consent.lists.talents import TalentFilter, query_talents
from consent.models import Talent
from voicehub.lists.pages import load_list
from voicehub.refusals import handle_refusal
from voices import access
from voices.forms import VoiceEditForm, VoiceForm
from voices.lists.talents import VoiceTalentTable
from voices.models import Voice
from voices.services.recordings.emotions import find_emotion_option
from voices.services.recordings.store import change_voice, create_voice


@require_permission("voices.add_voice")
@require_permission("consent.view_talent")
@require_safe
def talent_choose(request: HttpRequest) -> HttpResponse:
    """The first step of a new voice: the choice of the talent."""
    listing = load_list(request, query_talents(), VoiceTalentTable, TalentFilter)
    return render(request, "voices/talent_choose.html", {"list": listing})


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
