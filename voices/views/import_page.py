"""The page of an import: its files, and how much of each has arrived."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from consent.access import get_user, require_permission
from voices import access
from voices.models import Import


@require_permission("voices.add_recording")
@require_safe
def import_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    import_set = get_object_or_404(Import.objects.select_related("voice__talent"), pk=pk)
    access.require_open_recordings(import_set.voice, get_user(request))
    context = {"import_set": import_set, "voice": import_set.voice, "files": import_set.files.all()}
    return render(request, "voices/import_detail.html", context)
