"""The table of recordings: polling during analysis, filters, conversion, playback, splitting."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.support.html import read_html
from tests.voices.rows import Studio, make_clip, make_upload
from voicehub.lists.filters import FilterOption
from voicehub.models import Task, TaskStatus
from voices.models import Recording, RecordingStatus, Voice
from voices.presenters import is_playable
from voices.services.recordings.store import ANALYZE_TASK, COMPARE_TASK, add_recording
from voices.templatetags.recordings import describe_conversion, format_source_span
from voices.views.recording_table import split_filters

pytestmark = pytest.mark.django_db

WARNING = {"severity": "look", "code": "noisy", "text": "Noise.", "advice": "Listen.", "at": 1.5}
CONVERTED = {"severity": "put_right", "code": "converted", "text": "Converted.", "advice": "Nothing.", "at": None}
FINDINGS = 8  # the column
TOO_LONG = {"severity": "refused", "code": "too_long", "text": "It is long.", "advice": "Split it.", "at": None}


@pytest.fixture
def voice(studio: Studio) -> Voice:
    """A voice whose new recordings wait for their analysis."""
    studio.are_recordings_checked = False
    return studio.make_voice()


def update_recording(recording: Recording, **fields: Any) -> Recording:
    Recording.objects.filter(pk=recording.pk).update(**fields)
    recording.refresh_from_db()
    return recording


def mark_analyzed(*rows: Recording, **fields: Any) -> None:
    """Update only the rows, as the analysis task does before it ends."""
    for row in rows:
        update_recording(row, analyzed_at=timezone.now(), checked_at=timezone.now(), **fields)


def finish_tasks(kind: str) -> None:
    Task.objects.filter(kind=kind).update(status=TaskStatus.DONE)


def read_table(client: Client, voice: Voice, query: str = "") -> str:
    return read_html(client.get(f"{reverse('voices:recording_table', args=[voice.pk])}?{query}"))


def find_part(text: str, recording: Recording, column: int) -> str:
    """What a response replaces in a cell of a row that the page has. Empty if it does not."""
    place = rf"#row-{recording.pk} ?> ?:nth-child\({column}\)"
    match = re.search(rf'<div hx-swap-oob="innerHTML:{place}">(.*?)</div>', text, re.DOTALL)
    return match.group(1).strip() if match else ""


def find_poll_path(text: str) -> str:
    """Return the path that the page polls, or an empty string when it does not poll."""
    match = re.search(r'id="recordings-poller" hx-get="([^"]+)" hx-trigger="every', text)
    return match.group(1).replace("&amp;", "&") if match else ""


# --- polling ------------------------------------------------------------------------------


def test_poll_updates_only_rows_whose_analysis_is_done(viewer_client: Client, studio: Studio, voice: Voice) -> None:
    first, second = studio.make_recordings(voice, 2)
    text = read_table(viewer_client, voice)
    assert text.count("Being checked") == 2
    assert viewer_client.get(find_poll_path(text)).status_code == 204
    mark_analyzed(first, findings=[WARNING])
    response = viewer_client.get(find_poll_path(text))
    text = read_html(response)
    assert find_part(text, first, FINDINGS) == '<b class="is-wait">Noisy</b>'
    assert f"#row-{second.pk}" not in text, "the other row did not change"
    assert response.headers["HX-Trigger"] == "readiness-changed", "the table has the same rows"
    assert viewer_client.get(find_poll_path(text)).status_code == 204


def test_page_polls_until_the_comparison_is_done(viewer_client: Client, studio: Studio, voice: Voice) -> None:
    rows = studio.make_recordings(voice, 2)
    text = read_table(viewer_client, voice)
    mark_analyzed(*rows)
    finish_tasks(ANALYZE_TASK)
    Task.objects.create(kind=COMPARE_TASK, object_id=str(voice.pk), due_at=timezone.now())
    text = read_html(viewer_client.get(find_poll_path(text)))
    assert find_poll_path(text), "the comparison comes last"
    update_recording(rows[1], set_findings=[{**WARNING, "text": "Louder than the rest."}], checked_at=timezone.now())
    voice.comparison = {"compared_at": timezone.now().isoformat(), "text": "One of them is louder."}
    voice.save(update_fields=["comparison"])
    finish_tasks(COMPARE_TASK)
    text = read_html(viewer_client.get(find_poll_path(text)))
    assert "Noisy" in find_part(text, rows[1], FINDINGS) and "One of them is louder." in text
    assert not find_poll_path(text)
    text = read_table(viewer_client, voice, f"open={rows[1].pk}")
    assert "Louder than the rest." in text and "Found when compared with the others." in text
    assert not find_poll_path(text)


def test_page_does_not_poll_for_failed_tasks(viewer_client: Client, studio: Studio, voice: Voice) -> None:
    studio.make_recordings(voice, 2)
    Task.objects.update(status=TaskStatus.FAILED)
    text = read_table(viewer_client, voice)
    assert not find_poll_path(text) and "Being checked" not in text


def test_new_transcript_is_checked_at_once(producer_client: Client, studio: Studio, voice: Voice) -> None:
    (row,) = studio.make_recordings(voice, 1)
    mark_analyzed(row)
    finish_tasks(ANALYZE_TASK)
    text = read_table(producer_client, voice)
    assert not find_poll_path(text) and 'hx-trigger="recordings-poll from:body"' in text
    path = reverse("voices:recording_edit", args=[row.pk])
    response = producer_client.post(path, {"transcript": "It costs 5 % more."}, headers={"HX-Request": "true"})
    text = read_html(response)
    assert "Transcript: digits" in find_part(text, row, FINDINGS) and "Being checked" not in text
    assert "recordings-poll" in response.headers["HX-Trigger"]
    poll = read_html(producer_client.get(reverse("voices:recordings_poll", args=[voice.pk])))
    assert find_poll_path(poll), "the comparison with the other transcripts follows"
    response = producer_client.post(path, {"transcript": "It costs more."}, headers={"HX-Request": "true"})
    assert "Transcript: digits" not in read_html(response)


def test_new_recordings_make_the_page_reload_its_table(viewer_client: Client, studio: Studio, voice: Voice) -> None:
    (source,) = studio.make_recordings(voice, 1)
    update_recording(source, status=RecordingStatus.SPLITTING, active=False)
    text = read_table(viewer_client, voice)
    assert "Splitting" in text and "<progress" in text
    update_recording(source, status=RecordingStatus.SPLIT)
    (segment,) = studio.make_recordings(voice, 1)
    update_recording(segment, source=source, analyzed_at=timezone.now())
    response = viewer_client.get(find_poll_path(text))
    assert response.headers["HX-Trigger"] == "recordings-changed"
    assert "#row-" not in response.content.decode(), "the page does not have this row"
    assert "1 clip was split from this recording." in read_table(viewer_client, voice, f"open={source.pk}")


@pytest.mark.parametrize("query", ["", "seen=x&since=nonsense&table=&page=x", "since=2026-01-01"])
def test_poll_accepts_any_query_string(viewer_client: Client, studio: Studio, voice: Voice, query: str) -> None:
    studio.make_recordings(voice, 1)
    path = reverse("voices:recordings_poll", args=[voice.pk])
    response = viewer_client.get(f"{path}?{query}")
    assert response.status_code == 200 and response.headers["HX-Trigger"] == "recordings-changed"


def test_query_count_of_a_poll_does_not_grow_with_recordings(
    viewer_client: Client, studio: Studio, voice: Voice
) -> None:
    path = reverse("voices:recordings_poll", args=[voice.pk])

    def count_queries() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert viewer_client.get(path).status_code == 200
        return len(queries)

    (source,) = studio.make_recordings(voice, 1)
    count_queries()
    expected = count_queries()
    for row in studio.make_recordings(voice, 5):
        update_recording(row, source=source, recipe={"steps": [{"step": "cut"}]}, set_findings=[WARNING], wav="a.wav")
    assert count_queries() == expected


# --- size ---------------------------------------------------------------------------------

SENTENCES = (
    "Welcome to the harbor museum. Please keep your ticket, and follow the line.",
    "It weighs almost two tons, and it took nine people and a horse to lift it.",
    "In this drawer lie the letters that he wrote to his sister, and none was ever opened.",
)
CLIPPED, LONG_PAUSE = WARNING | {"code": "clipping"}, WARNING | {"code": "long_pause"}
WRITTEN = ("file_name", "transcript", "peaks", "findings", "set_findings", "active", "levels", "quality")


def fill_voice(studio: Studio, voice: Voice, count: int) -> None:
    """Add recordings with much in each row: a long sentence, several findings, and every second one excluded."""
    studio.make_fileless_recordings(voice, count)
    rows = list(voice.recordings.all())
    for number, row in enumerate(rows):
        row.file_name, row.transcript = f"guide-{number:04}.wav", SENTENCES[number % len(SENTENCES)]
        row.peaks = [value for place in range(400) for value in (-(place * 7 + number) % 128, (place * 7) % 127)]
        row.findings, row.set_findings, row.active = [CLIPPED, LONG_PAUSE], [WARNING], number % 2 == 0
        row.levels = {"rms_dbfs": -20.0, "peak_dbfs": -3.0}
        row.quality = 1 + number % 40 / 10
    Recording.objects.bulk_update(rows, WRITTEN)


@pytest.mark.parametrize("query", ["size=50", "size=50&show=usable&sort=name"])
def test_page_of_50_rows_is_under_60_kilobytes(
    producer_client: Client, studio: Studio, voice: Voice, query: str
) -> None:
    fill_voice(studio, voice, 60)
    response = producer_client.get(f"{voice.get_absolute_url()}?{query}")
    text = response.content.decode()
    assert (
        text.count("name=recording ")
        == text.count(" data-wave=")
        == text.count(" data-play>")
        == text.count("role=switch ")
        == 50
    )
    assert text.count("and 1 more") == 50
    assert len(response.content) < 60_000, len(response.content)


def test_worst_recordings_come_first_and_those_without_a_quality_last(
    producer_client: Client, studio: Studio, voice: Voice
) -> None:
    studio.make_fileless_recordings(voice, 4)
    rows = voice.recordings.all()
    for row, name, quality in zip(rows, ("d", "c", "b", "a"), (None, 3.9, 1.8, None), strict=True):
        update_recording(row, file_name=f"{name}.wav", quality=quality)
    shown = {
        query: re.findall(r">([abcd])\.wav<", read_table(producer_client, voice, query)) for query in ("", "sort=name")
    }
    assert [list(dict.fromkeys(names)) for names in shown.values()] == [["b", "c", "a", "d"], ["a", "b", "c", "d"]]


# --- filters ------------------------------------------------------------------------------


def test_filters_find_warnings_and_findings_of_the_comparison(
    viewer_client: Client, studio: Studio, voice: Voice
) -> None:
    fine, noisy, unlike_others, converted = studio.make_recordings(voice, 4)
    update_recording(fine, findings=[])
    update_recording(noisy, findings=[WARNING])
    update_recording(unlike_others, findings=[], set_findings=[WARNING])
    update_recording(converted, findings=[CONVERTED])
    add_recording(voice, make_upload("refused.wav", b"no"), studio.producer)

    def list_names(show: str) -> set[str]:
        path = reverse("voices:recording_table", args=[voice.pk])
        return {row.file_name for row in viewer_client.get(f"{path}?show={show}").context["page"]}

    assert list_names("look") == {noisy.file_name, unlike_others.file_name}
    assert list_names("compared") == {unlike_others.file_name}


def test_rare_filters_stand_in_a_menu_and_the_chosen_one_in_the_line() -> None:
    options = [FilterOption(str(number), 1, "", is_current=number == 7) for number in range(9)]
    split = split_filters(options)
    assert [option.label for option in split["filter_options"]] == ["0", "1", "2", "3", "4", "7"]
    assert [option.label for option in split["more_filters"]] == ["5", "6", "8"]
    assert split_filters(options[:6])["more_filters"] == (), "a menu of one saves nothing"


def test_filter_with_the_same_rows_as_the_whole_is_left_out(
    viewer_client: Client, studio: Studio, voice: Voice
) -> None:
    first, second, _third = studio.make_recordings(voice, 3)

    def list_labels() -> list[str]:
        context = viewer_client.get(reverse("voices:recording_table", args=[voice.pk])).context
        return [option.label for option in (*context["filter_options"], *context["more_filters"])]

    update_recording(first, active=False, active_by="check", exclusion_code="clipping")
    assert "Excluded" in list_labels() and "Excluded by a check" not in list_labels()
    update_recording(second, active=False, active_by="person")
    assert "Excluded by a check" in list_labels()


# --- conversion ---------------------------------------------------------------------------

STEPS = [
    {"step": "decode", "container": "FLAC", "subtype": "PCM_24"},
    {"step": "mix", "channels": [2], "of": 2},
    {"step": "resample", "from": 96000, "to": 48000, "quality": "VHQ"},
    {"step": "gain", "factor": 0.8912},
    {"step": "round", "bits": 16, "dither": 7},
    {"step": "polish"},
]


def test_conversion_is_described_step_by_step() -> None:
    assert describe_conversion(Recording(recipe={"steps": STEPS})) == (
        "read from FLAC (PCM_24), channel 2 of 2 used, resampled from 96,000 Hz to 48,000 Hz, "
        "levels multiplied by 0.891, rounded to 16 bits with dither, polish"
    )
    mixed = [{"step": "mix", "channels": [1, 2], "of": 4}, {"step": "round", "bits": 16, "dither": None}]
    assert describe_conversion(Recording(recipe={"steps": mixed})) == "2 of 4 channels mixed to one, rounded to 16 bits"
    assert describe_conversion(Recording()) == ""


def test_source_span_is_formatted_as_minutes_and_seconds() -> None:
    split_step = {"step": "cut", "start_frame": 62 * 16000, "end_frame": 69 * 16000}
    assert format_source_span(Recording(recipe={"steps": [split_step]}, sample_rate=16000)) == "1:02 to 1:09"
    for recipe, rate in (({"steps": [split_step]}, 0), ({"steps": [{"step": "cut"}]}, 16000), ({}, 16000)):
        assert format_source_span(Recording(recipe=recipe, sample_rate=rate)) == ""


def test_row_names_the_source_of_a_clip_and_the_conversion(viewer_client: Client, studio: Studio, voice: Voice) -> None:
    source, segment, converted = studio.make_recordings(voice, 3)
    update_recording(source, file_name="interview.wav")
    split_step = {"step": "cut", "start_frame": 16000, "end_frame": 32000}
    update_recording(segment, source=source, recipe={"steps": [split_step]})
    update_recording(converted, wav=converted.file.name, recipe={"steps": STEPS[:1]})
    assert "Split from interview.wav, 0:01 to 0:02" in read_table(viewer_client, voice, f"open={segment.pk}")
    text = read_table(viewer_client, voice, f"open={converted.pk}")
    assert "Converted to a 16-bit mono WAV: read from FLAC (PCM_24)." in text


# --- playback -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "levels", "expected"),
    [
        ("accepted", {"rms_dbfs": -20.0, "peak_dbfs": -3.0}, True),
        ("splitting", {"rms_dbfs": -20.0, "peak_dbfs": -3.0}, True),
        ("refused", {"rms_dbfs": -20.0, "peak_dbfs": -3.0}, True),
        ("refused", {}, False),
    ],
)
def test_recording_with_levels_can_be_played(
    viewer_client: Client, studio: Studio, voice: Voice, status: str, levels: dict[str, float], expected: bool
) -> None:
    (row,) = studio.make_recordings(voice, 1)
    update_recording(row, status=status, findings=[TOO_LONG], levels=levels)
    assert is_playable(row) is expected
    response = viewer_client.get(reverse("voices:recording_audio", args=[row.pk]))
    assert (response.headers["Content-Type"] == "audio/wav") is expected
    assert b"".join(response.streaming_content) == make_clip(1)  # type: ignore[attr-defined]
    assert (" data-play>" in read_table(viewer_client, voice)) is expected


def test_playback_serves_converted_wav_and_download_the_original(
    viewer_client: Client, studio: Studio, voice: Voice
) -> None:
    original, other = studio.make_recordings(voice, 2)
    update_recording(original, wav=other.file.name)
    path = reverse("voices:recording_audio", args=[original.pk])
    playback, download = viewer_client.get(path), viewer_client.get(f"{path}?download")
    assert b"".join(playback.streaming_content) == make_clip(2)  # type: ignore[attr-defined]
    assert b"".join(download.streaming_content) == make_clip(1)  # type: ignore[attr-defined]
    assert download.headers["Content-Type"] == "application/octet-stream"
    assert download.headers["Content-Disposition"] == f'attachment; filename="{original.pk}.bin"'


def test_time_of_a_finding_is_a_play_button_only_if_playable(
    viewer_client: Client, studio: Studio, voice: Voice
) -> None:
    (row,) = studio.make_recordings(voice, 1)
    update_recording(row, findings=[WARNING])
    query = f"open={row.pk}"
    assert 'data-at="1.00"' in read_table(viewer_client, voice, query)
    update_recording(row, status="refused", levels={})
    text = read_table(viewer_client, voice, query)
    assert "data-at" not in text and "at 1.5 s" in text


def test_query_parameter_fine_returns_the_fine_waveform_peaks(
    viewer_client: Client, studio: Studio, voice: Voice
) -> None:
    (row,) = studio.make_recordings(voice, 1)
    update_recording(row, fine_peaks=[-128, 127])
    path = reverse("voices:recording_peaks", args=[row.pk])
    assert viewer_client.get(f"{path}?fine").json()["peaks"] == [[0.992], [-1.0]]
    assert len(viewer_client.get(path).json()["peaks"][0]) == 400


# --- splitting ----------------------------------------------------------------------------


def test_engineer_can_split_a_long_recording(
    engineer_client: Client, viewer_client: Client, studio: Studio, voice: Voice
) -> None:
    recording, _new = add_recording(voice, make_upload("long.wav", make_clip(7, 61.0)), studio.producer)
    path = reverse("voices:recording_split", args=[recording.pk])
    query = f"open={recording.pk}"
    assert path not in read_table(viewer_client, voice, query)
    text = read_table(engineer_client, voice, query)
    assert path in text and "Split it at its pauses" in text
    response = engineer_client.post(path, follow=True)
    assert "Splitting long.wav." in response.content.decode()
    assert response.redirect_chain[0][0] == f"{voice.get_absolute_url()}#recordings"
    recording.refresh_from_db()
    assert recording.status == RecordingStatus.SPLITTING
    text = read_table(engineer_client, voice, query)
    assert path not in text and "Splitting" in text
    assert "of more than 20 seconds can be split." in engineer_client.post(path, follow=True).content.decode()


def test_recording_that_was_split_into_clips_offers_no_deletion(
    engineer_client: Client, studio: Studio, voice: Voice
) -> None:
    source, segment = studio.make_recordings(voice, 2)
    delete = reverse("voices:recording_delete", args=[source.pk])
    query = f"open={source.pk}"
    assert delete in read_table(engineer_client, voice, query)
    update_recording(segment, source=source)
    text = read_table(engineer_client, voice, query)
    assert delete not in text and "Source of clips" in text
