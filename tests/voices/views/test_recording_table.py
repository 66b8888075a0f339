"""What the rows of recordings say while programs listen: that they wait, what came of it, how files were made."""

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
from voicehub.models import Task, TaskStatus
from voices.models import Recording, RecordingStatus, Voice
from voices.presenters import is_playable
from voices.services.recordings.store import ANALYZE_TASK, COMPARE_TASK, add_recording
from voices.templatetags.recordings import describe_conversion, format_source_span

pytestmark = pytest.mark.django_db

LOOK = {"severity": "look", "code": "noisy", "text": "Noise.", "advice": "Listen.", "at": 1.5}
MADE = {"severity": "put_right", "code": "converted", "text": "Made.", "advice": "Nothing.", "at": None}
TOO_LONG = {"severity": "refused", "code": "too_long", "text": "It is long.", "advice": "Cut it.", "at": None}


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


def change(recording: Recording, **fields: Any) -> Recording:
    Recording.objects.filter(pk=recording.pk).update(**fields)
    recording.refresh_from_db()
    return recording


def listened(*rows: Recording, **fields: Any) -> None:
    """As the task does it: the rows first, then the task."""
    for row in rows:
        change(row, analyzed_at=timezone.now(), **fields)


def done(kind: str) -> None:
    Task.objects.filter(kind=kind).update(status=TaskStatus.DONE)


def shown(client: Client, voice: Voice, query: str = "") -> str:
    return read_html(client.get(f"{reverse('voices:recording_table', args=[voice.pk])}?{query}"))


def poll_of(text: str) -> str:
    """The address that the page asks by itself; empty when it does not."""
    found = re.search(r'id="recordings-poller" hx-get="([^"]+)" hx-trigger="every', text)
    return found.group(1).replace("&amp;", "&") if found else ""


# --- moving -------------------------------------------------------------------------------


def test_a_row_that_waits_is_filled_in_by_itself(as_viewer: Client, studio: Studio, voice: Voice) -> None:
    first, second = studio.make_recordings(voice, 2)
    page = shown(as_viewer, voice)
    assert page.count("Being analyzed") == 2
    assert as_viewer.get(poll_of(page)).status_code == 204
    listened(first, findings=[LOOK])
    answer = as_viewer.get(poll_of(page))
    text = read_html(answer)
    assert f'id="findings-{first.pk}" hx-swap-oob="true"' in text and "Noise." in text
    assert f'id="findings-{second.pk}"' not in text, "nothing is new about the other one"
    assert "HX-Trigger" not in answer.headers
    assert as_viewer.get(poll_of(text)).status_code == 204


def test_the_page_stops_asking_when_all_are_compared(as_viewer: Client, studio: Studio, voice: Voice) -> None:
    rows = studio.make_recordings(voice, 2)
    page = shown(as_viewer, voice)
    listened(*rows)
    done(ANALYZE_TASK)
    Task.objects.create(kind=COMPARE_TASK, object_id=str(voice.pk), due_at=timezone.now())
    text = read_html(as_viewer.get(poll_of(page)))
    assert poll_of(text), "the comparison comes last"
    change(rows[1], set_findings=[{**LOOK, "text": "Louder than the rest."}])
    voice.comparison = {"compared_at": timezone.now().isoformat(), "text": "One of them is louder."}
    voice.save(update_fields=["comparison"])
    done(COMPARE_TASK)
    text = read_html(as_viewer.get(poll_of(text)))
    assert "Louder than the rest." in text and "One of them is louder." in text and not poll_of(text)
    assert "compared with the others" in shown(as_viewer, voice) and not poll_of(shown(as_viewer, voice))


def test_the_page_does_not_ask_for_what_nobody_does(as_viewer: Client, studio: Studio, voice: Voice) -> None:
    studio.make_recordings(voice, 2)
    Task.objects.update(status=TaskStatus.FAILED)
    page = shown(as_viewer, voice)
    assert not poll_of(page) and "Being analyzed" not in page


def test_a_new_text_has_its_row_listened_to_again(as_producer: Client, studio: Studio, voice: Voice) -> None:
    (row,) = studio.make_recordings(voice, 1)
    listened(row)
    done(ANALYZE_TASK)
    page = shown(as_producer, voice)
    assert not poll_of(page) and 'hx-trigger="recordings-move from:body"' in page
    path = reverse("voices:recording_edit", args=[row.pk])
    answer = as_producer.post(path, {"transcript": "Other words."}, headers={"HX-Request": "true"})
    text = read_html(answer)
    assert f'id="findings-{row.pk}" hx-swap-oob="true"' in text and "Being analyzed" in text
    assert "recordings-move" in answer.headers["HX-Trigger"]
    assert poll_of(read_html(as_producer.get(reverse("voices:recordings_poll", args=[voice.pk]))))


def test_rows_that_came_make_the_page_fetch_its_table(as_viewer: Client, studio: Studio, voice: Voice) -> None:
    (source,) = studio.make_recordings(voice, 1)
    change(source, status=RecordingStatus.SPLITTING, active=False)
    page = shown(as_viewer, voice)
    assert "Splitting" in page and "<progress" in page
    change(source, status=RecordingStatus.SPLIT)
    (piece,) = studio.make_recordings(voice, 1)
    change(piece, source=source, analyzed_at=timezone.now())
    answer = as_viewer.get(poll_of(page))
    assert answer.headers["HX-Trigger"] == "recordings-changed"
    assert 'id="findings-' not in answer.content.decode(), "a row that the page does not have"
    assert "1 clip was split from it." in shown(as_viewer, voice)


@pytest.mark.parametrize("query", ["", "seen=x&since=nonsense&table=&page=x", "since=2026-01-01"])
def test_whatever_is_asked_is_answered(as_viewer: Client, studio: Studio, voice: Voice, query: str) -> None:
    (row,) = studio.make_recordings(voice, 1)
    path = reverse("voices:recordings_poll", args=[voice.pk])
    assert f'id="findings-{row.pk}"' in as_viewer.get(f"{path}?{query}").content.decode()


def test_queries_do_not_grow_with_the_rows(as_viewer: Client, studio: Studio, voice: Voice) -> None:
    path = reverse("voices:recordings_poll", args=[voice.pk])

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert as_viewer.get(path).status_code == 200
        return len(asked)

    (source,) = studio.make_recordings(voice, 1)
    queries()
    before = queries()
    for row in studio.make_recordings(voice, 5):
        change(row, source=source, recipe={"steps": [{"step": "cut"}]}, set_findings=[LOOK], wav="a.wav")
    assert queries() == before


# --- what is worth a look -----------------------------------------------------------------


def test_what_is_worth_a_look_and_what_is_unlike_the_others_is_found(
    as_viewer: Client, studio: Studio, voice: Voice
) -> None:
    fine, noisy, odd, made = studio.make_recordings(voice, 4)
    change(fine, findings=[])
    change(noisy, findings=[LOOK])
    change(odd, findings=[], set_findings=[LOOK])
    change(made, findings=[MADE])
    add_recording(voice, make_upload("refused.wav", b"no"), studio.producer)

    def names(show: str) -> set[str]:
        path = reverse("voices:recording_table", args=[voice.pk])
        return {row.file_name for row in as_viewer.get(f"{path}?show={show}").context["page"]}

    assert names("look") == {noisy.file_name, odd.file_name}
    assert names("compared") == {odd.file_name}


# --- how it was made ----------------------------------------------------------------------

STEPS = [
    {"step": "decode", "container": "FLAC", "subtype": "PCM_24"},
    {"step": "mix", "channels": [2], "of": 2},
    {"step": "resample", "from": 96000, "to": 48000, "quality": "VHQ"},
    {"step": "gain", "factor": 0.8912},
    {"step": "round", "bits": 16, "dither": 7},
    {"step": "polish"},
]


def test_a_recipe_is_told_in_words() -> None:
    assert describe_conversion(Recording(recipe={"steps": STEPS})) == (
        "read from FLAC (PCM_24), channel 2 of 2 used, resampled from 96,000 Hz to 48,000 Hz, "
        "levels multiplied by 0.891, rounded to 16 bits with dither, polish"
    )
    mixed = [{"step": "mix", "channels": [1, 2], "of": 4}, {"step": "round", "bits": 16, "dither": None}]
    assert describe_conversion(Recording(recipe={"steps": mixed})) == "2 of 4 channels mixed to one, rounded to 16 bits"
    assert describe_conversion(Recording()) == ""


def test_where_a_clip_was_cut_from_is_told() -> None:
    cut = {"step": "cut", "start_frame": 62 * 16000, "end_frame": 69 * 16000}
    assert format_source_span(Recording(recipe={"steps": [cut]}, sample_rate=16000)) == "1:02 to 1:09"
    for recipe, rate in (({"steps": [cut]}, 0), ({"steps": [{"step": "cut"}]}, 16000), ({}, 16000)):
        assert format_source_span(Recording(recipe=recipe, sample_rate=rate)) == ""


def test_the_row_tells_what_it_was_made_of(as_viewer: Client, studio: Studio, voice: Voice) -> None:
    source, piece, made = studio.make_recordings(voice, 3)
    change(source, file_name="interview.wav")
    cut = {"step": "cut", "start_frame": 16000, "end_frame": 32000}
    change(piece, source=source, recipe={"steps": [cut]})
    change(made, wav=made.file.name, recipe={"steps": STEPS[:1]})
    text = shown(as_viewer, voice)
    assert "Split from interview.wav, 0:01 to 0:02" in text
    assert "Converted to a 16-bit mono WAV: read from FLAC (PCM_24)." in text


# --- hearing it ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "levels", "heard"),
    [
        ("accepted", {"rms_dbfs": -20.0, "peak_dbfs": -3.0}, True),
        ("splitting", {"rms_dbfs": -20.0, "peak_dbfs": -3.0}, True),
        ("refused", {"rms_dbfs": -20.0, "peak_dbfs": -3.0}, True),
        ("refused", {}, False),
    ],
)
def test_what_the_reader_took_for_sound_can_be_heard(
    as_viewer: Client, studio: Studio, voice: Voice, status: str, levels: dict[str, float], heard: bool
) -> None:
    (row,) = studio.make_recordings(voice, 1)
    change(row, status=status, findings=[TOO_LONG], levels=levels)
    assert is_playable(row) is heard
    response = as_viewer.get(reverse("voices:recording_audio", args=[row.pk]))
    assert (response.headers["Content-Type"] == "audio/wav") is heard
    assert b"".join(response.streaming_content) == make_clip(1)  # type: ignore[attr-defined]
    assert ("data-play=" in shown(as_viewer, voice)) is heard


def test_what_was_made_is_heard_and_what_came_is_downloaded(as_viewer: Client, studio: Studio, voice: Voice) -> None:
    came, other = studio.make_recordings(voice, 2)
    change(came, wav=other.file.name)
    path = reverse("voices:recording_audio", args=[came.pk])
    heard, download = as_viewer.get(path), as_viewer.get(f"{path}?download")
    assert b"".join(heard.streaming_content) == make_clip(2)  # type: ignore[attr-defined]
    assert b"".join(download.streaming_content) == make_clip(1)  # type: ignore[attr-defined]
    assert download.headers["Content-Type"] == "application/octet-stream"
    assert download.headers["Content-Disposition"] == f'attachment; filename="{came.pk}.bin"'


def test_a_place_plays_only_where_there_is_a_sound(as_viewer: Client, studio: Studio, voice: Voice) -> None:
    (row,) = studio.make_recordings(voice, 1)
    change(row, findings=[LOOK])
    assert 'data-at="1.00"' in shown(as_viewer, voice)
    change(row, status="refused", levels={})
    assert "data-at" not in shown(as_viewer, voice) and "at 1.5 s" in shown(as_viewer, voice)


def test_the_finer_outline_of_a_recording(as_viewer: Client, studio: Studio, voice: Voice) -> None:
    (row,) = studio.make_recordings(voice, 1)
    change(row, fine_peaks=[-128, 127])
    path = reverse("voices:recording_peaks", args=[row.pk])
    assert as_viewer.get(f"{path}?fine").json()["peaks"] == [[0.992], [-1.0]]
    assert len(as_viewer.get(path).json()["peaks"][0]) == 400


# --- cutting ------------------------------------------------------------------------------


def test_what_is_too_long_is_cut_by_those_who_may(
    as_engineer: Client, as_viewer: Client, studio: Studio, voice: Voice
) -> None:
    recording, _new = add_recording(voice, make_upload("long.wav", make_clip(7, 61.0)), studio.producer)
    path = reverse("voices:recording_split", args=[recording.pk])
    assert path not in shown(as_viewer, voice)
    assert path in shown(as_engineer, voice) and "Split it at its pauses" in shown(as_engineer, voice)
    answer = as_engineer.post(path, follow=True)
    assert "Splitting long.wav." in answer.content.decode()
    assert answer.redirect_chain[0][0] == f"{voice.get_absolute_url()}#recordings"
    recording.refresh_from_db()
    assert recording.status == RecordingStatus.SPLITTING
    assert path not in shown(as_engineer, voice) and "Splitting" in shown(as_engineer, voice)
    assert "Only a recording that is too long can be split." in as_engineer.post(path, follow=True).content.decode()


def test_a_file_that_clips_were_cut_from_is_not_offered_to_be_deleted(
    as_engineer: Client, studio: Studio, voice: Voice
) -> None:
    source, piece = studio.make_recordings(voice, 2)
    delete = reverse("voices:recording_delete", args=[source.pk])
    assert delete in shown(as_engineer, voice)
    change(piece, source=source)
    assert delete not in shown(as_engineer, voice) and "Source of clips" in shown(as_engineer, voice)
