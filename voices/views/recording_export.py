"""The export of recordings as CSV, with their findings and measures."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods

from audio.analysis.measures import Measures
from audio.networks.estimates import NOTES
from consent.access import require_permission
from consent.services.file_access import send_recorded
from consent.services.voice_comparison import is_comparison_allowed
from voicehub.confirmation import require_confirmation
from voicehub.refusals import ActionRefused
from voices.models import Recording, Voice
from voices.services.file_access import describe_table
from voices.services.recordings.bulk.changes import CHUNK_SIZE, split_ids
from voices.services.recordings.speakers import read_speaker_result
from voices.views.build_csv import EchoWriter, escape_formula
from voices.views.recording_filters import query_matching
from voices.views.recording_selection import answer_refusal, find_list_url, get_open_voice, read_selection

MEASURE_COLUMNS = tuple(
    one.name for one in fields(Measures) if one.name not in {"seconds", "missing"} and not one.name.endswith("_spans")
)
COLUMNS = (
    *("file", "seconds", "transcript", "in_builds", "findings", "speaker"),
    *MEASURE_COLUMNS,
    *(f"estimated_{name}" for name in NOTES),
)
LOADED_FIELDS = (
    "voice", "file_name", "seconds", "transcript", "status", "active", "findings", "set_findings", "measures",
    "speaker_result",
)  # fmt: skip


@require_permission("voices.view_recording")
@require_http_methods(["GET", "HEAD", "POST"])
@require_confirmation(on_get=True, is_repeated=False, page=find_list_url)
def recordings_export(request: HttpRequest, pk: str) -> HttpResponseBase:
    """The recordings of the query string, or those that a form selects. Texts are escaped against formula injection."""
    voice = get_open_voice(request, pk)
    if request.method == "POST":
        try:
            selection = read_selection(voice, request.POST)
        except ActionRefused as refusal:
            return answer_refusal(request, voice, request.POST.get("filter", ""), refusal)
        ids = selection.ids
    else:
        ids = list(query_matching(voice, request.GET.dict()).values_list("pk", flat=True))
    response = StreamingHttpResponse(
        _generate_lines(voice, _order_by_name(voice, ids)), content_type="text/csv; charset=utf-8"
    )
    name = f"{slugify(voice.name) or 'voice'}-recordings.csv"
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return send_recorded(request, describe_table(voice, voice.pk, "all recordings"), response)


def _order_by_name(voice: Voice, ids: Sequence[UUID]) -> list[UUID]:
    names: list[tuple[str, UUID]] = []
    for chunk in split_ids(ids):
        names += voice.recordings.filter(pk__in=chunk).order_by().values_list("file_name", "pk")
    return [pk for _name, pk in sorted(names)]


def _generate_lines(voice: Voice, ids: Sequence[UUID]) -> Iterator[str]:
    writer = csv.writer(EchoWriter(), quoting=csv.QUOTE_ALL)
    # The mark tells spreadsheets that the text is UTF-8.
    yield "\ufeff" + str(writer.writerow(COLUMNS))
    is_compared = is_comparison_allowed(voice.talent_id)
    for start in range(0, len(ids), CHUNK_SIZE):
        chunk = ids[start : start + CHUNK_SIZE]
        rows = voice.recordings.only(*LOADED_FIELDS).in_bulk(chunk)
        for pk in chunk:
            if pk in rows:
                cells = _list_cells(rows[pk], is_compared=is_compared)
                yield str(writer.writerow([escape_formula(value) for value in cells]))


def _describe_speaker(row: Recording, *, is_compared: bool) -> str:
    similarity = read_speaker_result(row).similarity
    return "not compared" if similarity is None or not is_compared else f"similarity to the others {similarity:.2f}"


def _list_cells(row: Recording, *, is_compared: bool) -> list[Any]:
    findings = "; ".join(str(one["text"]) for one in [*row.findings, *row.set_findings])
    estimates = row.measures.get("estimates") or {}
    return [
        row.file_name, row.seconds, row.transcript, "yes" if row.is_usable and row.active else "no", findings,
        _describe_speaker(row, is_compared=is_compared),
        *(row.measures.get(name) for name in MEASURE_COLUMNS), *(estimates.get(name) for name in NOTES),
    ]  # fmt: skip
