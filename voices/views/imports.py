"""The page of an import: a preview of what was uploaded, its choices, and adding or discarding it."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from consent.access import get_user, require_permission
from consent.services.file_access import send_recorded
from voicehub import media
from voicehub.refusals import ActionRefused, show_refusal_as_message
from voicehub.tokens import hash_token
from voices import access
from voices.models import Import, ImportClip, ImportFile, ImportStatus, ImportText
from voices.services.file_access import describe_clip, describe_table
from voices.services.imports import choices
from voices.services.imports.add import start_adding
from voices.services.imports.clear import discard_import
from voices.views.import_counts import ImportCounts, Show, is_plain, read_show
from voices.views.import_files import TableView, describe_other_files, list_code_pages, load_archives, load_tables
from voices.views.import_left_out import generate_csv_lines
from voices.views.import_lists import OF_SEVERAL_TABLES, load_found_clips, load_list
from voices.views.import_progress import is_check_failed, load_import_progress


def _get_import(request: HttpRequest, pk: object) -> Import:
    import_set = get_object_or_404(Import.objects.select_related("voice__talent", "by", "added_by"), pk=pk)
    access.require_open_recordings(import_set.voice, get_user(request))
    return import_set


@require_permission("voices.add_recording")
@require_safe
def import_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The preview of an import, or its report. A poll with the token of what the page shows gets 204 if it is so."""
    return _show_import(request, _get_import(request, pk))


def _show_import(request: HttpRequest, import_set: Import, *, is_discarding: bool = False) -> HttpResponse:
    """The page, with the question whether to discard the import if `is_discarding`."""
    counts = ImportCounts(import_set)
    progress = load_import_progress(import_set, counts)
    token = hash_token(repr((import_set.status, progress, counts.files)))
    if request.GET.get("seen") == token:
        return HttpResponse(status=204)
    context: dict[str, Any] = {"import": import_set, "voice": import_set.voice, "counts": counts, "token": token}
    is_open = import_set.status == ImportStatus.OPEN
    context |= {"work": progress, "is_open": is_open, "is_discarding": is_discarding and is_open}
    if progress:
        context["found"] = load_found_clips(import_set)
    elif import_set.status != ImportStatus.DISCARDED:
        context |= _load_preview(request, import_set, counts) | {"is_check_failed": is_check_failed(import_set)}
    return render(request, "voices/import.html", context)


def _load_preview(request: HttpRequest, import_set: Import, counts: ImportCounts) -> dict[str, Any]:
    show = read_show(request.GET.get("show", ""), counts)
    figures = counts.list_figures(show)
    tables = load_tables(import_set, request.GET.get("tables", "1"))
    return {
        "show": show.name.lower(),
        "is_of_several_tables": show in OF_SEVERAL_TABLES,
        "figures": figures,
        "groups": counts.list_groups(figures),
        "page": load_list(import_set, show, request.GET.get("page", "1")),
        "tables": tables,
        "archives": load_archives(import_set, request.GET.get("archives", "1")),
        "code_pages": list(list_code_pages()),
        "is_plain": is_plain(figures, counts),
        "decision_count": _count_decisions(counts, tables, show),
        "are_texts_open": _is_paging_texts(request) or any(table.is_in_doubt for table in tables),
        "other_files": describe_other_files(counts),
    }


def _count_decisions(counts: ImportCounts, tables: Iterable[TableView], show: Show) -> int:
    """How many decisions the page names above its list. The list of incomplete files says the one about them."""
    has_incomplete = bool(counts.files["uploading"]) and show is not Show.INCOMPLETE
    return has_incomplete + sum(bool(table.zeros) + table.is_in_doubt for table in tables)


def _is_paging_texts(request: HttpRequest) -> bool:
    """Whether the address names a page of the tables or archives, so that they are not folded."""
    return not request.GET.keys().isdisjoint({"tables", "archives"})


@require_permission("voices.add_recording")
@require_safe
def import_left_out(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """All that is left out, with the reasons, as CSV. Texts are escaped against formula injection."""
    import_set = _get_import(request, pk)
    response = StreamingHttpResponse(generate_csv_lines(import_set), content_type="text/csv; charset=utf-8")
    name = f"{slugify(import_set.voice.name) or 'voice'}-left-out-{import_set.created_at:%Y%m%d-%H%M}.csv"
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return send_recorded(request, describe_table(import_set.voice, import_set.pk, "Left out of an import"), response)


@require_permission("voices.add_recording")
@require_POST
@show_refusal_as_message("voices:import_detail")
def import_add(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Have a task add the recordings. The page then shows its progress."""
    start_adding(_get_import(request, pk), get_user(request))
    return redirect("voices:import_detail", pk)


@require_permission("voices.add_recording")
@require_http_methods(["GET", "HEAD", "POST"])
@show_refusal_as_message("voices:import_detail")
def import_discard(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Ask on the page of the import, above what would be lost, and then discard it."""
    import_set = _get_import(request, pk)
    if request.method != "POST":
        return _show_import(request, import_set, is_discarding=True)
    discard_import(import_set)
    messages.success(request, "The import was discarded. Its files are being deleted.")
    return redirect(import_set.voice)


def _make_text_url(pk: UUID) -> str:
    text = get_object_or_404(ImportText.objects.select_related("file"), pk=pk)
    return reverse("voices:import_detail", args=[text.file.import_set_id])


def _get_text(request: HttpRequest, pk: UUID) -> ImportText:
    text = get_object_or_404(ImportText.objects.select_related("file__import_set__voice"), pk=pk)
    access.require_open_recordings(text.file.import_set.voice, get_user(request))
    return text


@require_permission("voices.add_recording")
@require_POST
@show_refusal_as_message(_make_text_url)
def import_columns(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Choose the columns of a table, or have them found again."""
    text = _get_text(request, pk)
    if "find" in request.POST:
        choices.find_columns(text)
    else:
        name_at, text_at = _read_place(request, "names"), _read_place(request, "texts")
        if name_at is None or text_at is None:
            raise ActionRefused("Choose a column for the names, and one for the transcripts.")
        choices.choose_columns(text, name_at, text_at, _read_place(request, "normalized"))
    return redirect(_make_text_url(pk))


def _read_place(request: HttpRequest, name: str) -> int | None:
    number = request.POST.get(name, "").strip()
    return int(number) if number.isascii() and number.isdigit() and len(number) < 4 else None


@require_permission("voices.add_recording")
@require_POST
@show_refusal_as_message(_make_text_url)
def import_zeros(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take the names that lost their leading zeros for the files that they seem to mean."""
    choices.restore_zeros(_get_text(request, pk))
    return redirect(_make_text_url(pk))


def _make_clip_url(pk: UUID) -> str:
    return reverse("voices:import_detail", args=[get_object_or_404(ImportClip, pk=pk).import_set_id])


@require_permission("voices.add_recording")
@require_POST
@show_refusal_as_message(_make_clip_url)
def import_twin(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Add a duplicate in place of the file with the same audio."""
    clip = get_object_or_404(ImportClip.objects.select_related("import_set__voice", "twin"), pk=pk)
    access.require_open_recordings(clip.import_set.voice, get_user(request))
    other = clip.twin.file_name if clip.twin else ""
    choices.choose_twin(clip)
    messages.success(request, f"{clip.file_name} is added instead of {other}.")
    return redirect(f"{_make_clip_url(pk)}?show={Show.DUPLICATES.value}")


def _make_file_url(pk: UUID) -> str:
    return reverse("voices:import_detail", args=[get_object_or_404(ImportFile, pk=pk).import_set_id])


@require_permission("voices.add_recording")
@require_POST
@show_refusal_as_message(_make_file_url)
def import_code_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Choose the code page of the names in an archive, which is then checked once more."""
    file = get_object_or_404(ImportFile.objects.select_related("import_set__voice"), pk=pk)
    access.require_open_recordings(file.import_set.voice, get_user(request))
    choices.choose_code_page(file, request.POST.get("code_page", ""))
    return redirect(_make_file_url(pk))


@require_permission("voices.add_recording")
@require_safe
def import_clip_audio(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The playable WAV of a clip. A clip that is not added, and whose import is cleared, has none."""
    clip = get_object_or_404(ImportClip.objects.select_related("import_set__voice"), pk=pk)
    access.require_open_recordings(clip.import_set.voice, get_user(request))
    if not clip.is_playable:
        raise Http404("No such sound.")
    response = media.send_file(request, clip.sound, "audio/wav", f"{clip.file_name}.wav", attachment=False)
    return send_recorded(request, describe_clip(clip), response)
