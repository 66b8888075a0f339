"""Previews: asking a voice at its provider to say a sentence, and hearing what came of it."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from consent.access import may, user_of
from voicehub import media
from voicehub.refusals import refusal_to
from voices.account_forms import SentenceForm, errors_of
from voices.models import Preview
from voices.presenters import spoken
from voices.services.previews import ask_preview
from voices.views.remote_voices import remote_or_404

# What a page may play, each with the ending of a file of its kind; anything else is only handed over to keep.
PLAYED = {"audio/wav": "wav", "audio/mpeg": "mp3", "audio/ogg": "ogg", "audio/flac": "flac"}


@may("voices.view_remotevoice")
@require_safe
def previews(request: HttpRequest, pk: str) -> HttpResponse:
    """The list alone; nothing (204) when the page shows that already. It asks again as long as one is being spoken."""
    remote = remote_or_404(pk)
    found = spoken(remote)
    if found.moving and request.GET.get("seen") == found.stamp:
        return HttpResponse(status=204)
    return render(request, "voices/_preview_list.html", {"remote": remote, "spoken": found})


@may("voices.ask_preview")
@require_POST
def preview_ask(request: HttpRequest, pk: str) -> HttpResponse:
    remote, form = remote_or_404(pk), SentenceForm(request.POST)
    issues = [] if form.is_valid() else [errors_of(form)]
    if not issues:
        with refusal_to(issues.append):
            ask_preview(remote, form.cleaned_data["text"], user_of(request))
    issue = " ".join(issues)
    if not request.headers.get("HX-Request"):
        if issue:
            messages.error(request, issue)
        return redirect(remote)
    context: dict[str, Any] = {"remote": remote, "spoken": spoken(remote), "issue": issue, "asked": not issue}
    return render(request, "voices/_preview_list.html", context)


@may("voices.view_remotevoice")
@require_safe
def preview_audio(request: HttpRequest, pk: str) -> HttpResponseBase:
    """The sound as its first bytes say that it is; what is no sound that we know is never opened, only kept."""
    preview = get_object_or_404(Preview, pk=pk)
    if not preview.file:
        raise Http404
    ending = PLAYED.get(preview.content_type)
    keep = ending is None or "download" in request.GET
    content_type = "application/octet-stream" if ending is None else preview.content_type
    return media.send(request, preview.file, content_type, f"preview-{preview.pk}.{ending or 'bin'}", attachment=keep)
