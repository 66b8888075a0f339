"""Begin an import: for the page that then uploads files one by one, or with the files of a form without scripts."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from uuid import UUID

from django.contrib import messages
from django.core.files.base import File
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from consent.access import get_user, require_permission
from voicehub.models import User
from voicehub.refusals import ActionRefused, handle_refusal, show_refusal_as_message
from voices import access
from voices.forms import ImportForm
from voices.models import Voice
from voices.services.imports.clear import discard_import
from voices.services.imports.room import create_import
from voices.services.imports.uploads import store_whole_file


@require_permission("voices.add_recording")
@require_POST
@show_refusal_as_message("voices:voice")
def import_create(request: HttpRequest, pk: UUID) -> HttpResponse:
    voice = get_object_or_404(access.query_voices(), pk=pk)
    access.require_open_recordings(voice, get_user(request))
    if "application/json" in request.headers.get("Accept", ""):
        return _answer_script(voice, get_user(request))
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        for text in [str(error) for errors in form.errors.values() for error in errors]:
            messages.warning(request, text)
        return redirect(voice)
    return _store_form(request, voice, form.cleaned_data["recordings"])


def _store_form(request: HttpRequest, voice: Voice, files: Sequence["File[bytes]"]) -> HttpResponse:
    import_set = create_import(voice, get_user(request))
    try:
        for file in files:
            with handle_refusal(partial(_warn, request, file.name or "")):
                store_whole_file(import_set, file)
    except Exception:  # such as a full disk: the answer says that nothing was saved
        with suppress(ActionRefused, DatabaseError):
            discard_import(import_set)
        raise
    if not import_set.files.exists():
        import_set.delete()
        return redirect(voice)
    return redirect("voices:import_detail", import_set.pk)


def _warn(request: HttpRequest, name: str, text: str) -> None:
    messages.warning(request, f"{name}: {text}")


def _answer_script(voice: Voice, user: User) -> JsonResponse:
    try:
        import_set = create_import(voice, user)
    except ActionRefused as refusal:
        return JsonResponse({"problem": str(refusal)}, status=409)
    return JsonResponse(
        {
            "id": str(import_set.pk),
            "url": reverse("voices:import_detail", args=[import_set.pk]),
            "uploads": reverse("voices:import_uploads", args=[import_set.pk]),
        }
    )
