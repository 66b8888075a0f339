"""Previews: sentences that a voice speaks at its provider."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import retarget

from consent.access import get_user, require_permission
from consent.services.file_access import send_recorded
from voicehub import media
from voicehub.refusals import handle_refusal
from voices import access
from voices.account_forms import SentenceForm, format_errors
from voices.models import Preview
from voices.presenters import load_preview_list
from voices.row_polls import compare_rows
from voices.services.builds.recheck import find_hold
from voices.services.file_access import describe_preview
from voices.services.previews import PLAYABLE_TYPES, request_preview
from voices.views.remote_voices import get_remote_or_404


@require_permission("voices.view_remotevoice")
@require_safe
def preview_list(request: HttpRequest, pk: str) -> HttpResponse:
    """The previews that moved. Returns 204 if the page is up to date.

    The page polls this URL while a preview is being generated. If another preview came, it gets the whole list.
    """
    remote = get_remote_or_404(pk)
    access.require_open_previews(remote, get_user(request))
    previews = load_preview_list(remote, get_user(request))
    poll = compare_rows(request.GET.get("seen", ""), previews.row_states)
    context = {"remote": remote, "preview_list": previews}
    if previews.is_generating and poll.is_empty:
        return HttpResponse(status=204)
    if poll.is_whole or poll.is_empty:
        return retarget(render(request, "voices/_preview_list.html", context), "#preview-list")
    context |= {"change_token": poll.token, "moved": poll.moved, "is_complete": poll.is_complete}
    return render(request, "voices/_preview_list_poll.html", context)


@require_permission("voices.ask_preview")
@require_POST
def preview_request(request: HttpRequest, pk: str) -> HttpResponse:
    remote, form = get_remote_or_404(pk), SentenceForm(request.POST)
    issues = [] if form.is_valid() else [format_errors(form)]
    if not issues:
        with handle_refusal(issues.append):
            request_preview(remote, form.cleaned_data["text"], get_user(request))
    issue = " ".join(issues)
    if not request.headers.get("HX-Request"):
        if issue:
            messages.error(request, issue)
        return redirect(remote)
    context: dict[str, Any] = {
        "remote": remote,
        "preview_list": load_preview_list(remote, get_user(request)),
        "issue": issue,
        "is_requested": not issue,
    }
    return render(request, "voices/_preview_list.html", context)


@require_permission("voices.view_remotevoice")
@require_safe
def preview_audio(request: HttpRequest, pk: str) -> HttpResponseBase:
    """The audio of a preview, with the type detected from its first bytes. Audio of unknown type is only downloaded."""
    preview = get_object_or_404(
        Preview.objects.select_related("remote_voice__voice__talent", "remote_voice__account"), pk=pk
    )
    access.require_open_previews(preview.remote_voice, get_user(request))
    if hold := find_hold(preview.remote_voice):
        raise PermissionDenied(
            f"The voice is suspended. {' '.join(hold)} Nothing of it can be used until the suspension ends."
        )
    if not preview.file:
        raise Http404
    extension = PLAYABLE_TYPES.get(preview.content_type)
    is_download = extension is None or "download" in request.GET
    content_type = "application/octet-stream" if extension is None else preview.content_type
    name = f"preview-{preview.pk}.{extension or 'bin'}"
    response = media.send_file(request, preview.file, content_type, name, attachment=is_download)
    return send_recorded(request, describe_preview(preview), response)
