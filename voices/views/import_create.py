"""Begin an import: for the page that then uploads files one by one, or with the files of a form without scripts."""

from contextlib import suppress
from functools import partial
from uuid import UUID

from django.contrib import messages
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from consent.access import get_user, require_permission
from voicehub.refusals import ActionRefused, handle_refusal
from voices import access
from voices.forms import ImportForm
from voices.models import Import
from voices.services.imports.clear import discard_import
from voices.services.imports.rows import create_import
from voices.services.imports.uploads import store_whole_file


@require_permission("voices.add_recording")
@require_POST
def import_create(request: HttpRequest, pk: UUID) -> HttpResponse:
    voice = get_object_or_404(access.query_voices(), pk=pk)
    access.require_open_recordings(voice, get_user(request))
    if "application/json" in request.headers.get("Accept", ""):
        return _answer_script(create_import(voice, get_user(request)))
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        for text in [str(error) for errors in form.errors.values() for error in errors]:
            messages.warning(request, text)
        return redirect(voice)
    import_set = create_import(voice, get_user(request))
    try:
        for file in form.cleaned_data["recordings"]:
            with handle_refusal(partial(_warn, request, file.name)):
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


def _answer_script(import_set: Import) -> JsonResponse:
    return JsonResponse(
        {
            "id": str(import_set.pk),
            "url": reverse("voices:import_detail", args=[import_set.pk]),
            "uploads": reverse("voices:import_uploads", args=[import_set.pk]),
        }
    )
