"""What the rows of recordings say while programs listen: that they wait, what came of it, how files were made."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.voices.rows import Studio, clip, upload
from voices import services
from voices.models import Recording, RecordingStatus, Voice
from voices.templatetags.recordings import cut_words, made_words, playable
from voices.views.moving import PATIENCE

pytestmark = pytest.mark.django_db

LOOK = {"severity": "look", "code": "noisy", "text": "Noise.", "advice": "Listen.", "at": 1.5}
MADE = {"severity": "put_right", "code": "converted", "text": "Made.", "advice": "Nothing.", "at": None}
TOO_LONG = {"severity": "refused", "code": "too_long", "text": "It is long.", "advice": "Cut it.", "at": None}


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.voice()


def change(recording: Recording, **fields: Any) -> Recording:
    Recording.objects.filter(pk=recording.pk).update(**fields)
    recording.refresh_from_db()
    return recording


def listened(*rows: Recording, **fields: Any) -> None:
    for row in rows:
        change(row, examined_at=timezone.now(), **fields)


def shown(client: Client, voice: Voice, query: str = "") -> str:
    return client.get(f"{reverse('voices:recording_table', args=[voice.pk])}?{query}").content.decode()


def poll_of(text: str) -> str:
    """The address that the page asks by itself; empty when it does not."""
    found = re.search(r'id="recordings-moving" hx-get="([^"]+)"', text)
    return found.group(1).replace("&amp;", "&") if found else ""


# --- moving -------------------------------------------------------------------------------


def test_a_row_that_waits_is_filled_in_by_itself(as_viewer: Client, studio: Studio, voice: Voice) -> None:
    first, second = studio.recordings(voice, 2)
    page = shown(as_viewer, voice)
    assert page.count("Being listened to") == 2
    assert as_viewer.get(poll_of(page)).status_code == 204
    listened(first, findings=[LOOK])
    answer = as_viewer.get(poll_of(page))
    text = answer.content.decode()
    assert f'id="heard-{first.pk}" hx-swap-oob="true"' in text and "Noise." in text
    assert f'id="heard-{second.pk}"' not in text, "nothing is new about the other one"
    assert "HX-Trigger" not in answer.headers
    assert as_viewer.get(poll_of(text)).status_code == 204


def test_the_page_stops_asking_when_all_are_compared(as_viewer: Client, studio: Studio, voice: Voice) -> None:
    rows = studio.recordings(voice, 2)
    page = shown(as_viewer, voice)
    listened(*rows)
    text = as_viewer.get(poll_of(page)).content.decode()
    assert poll_of(text), "the comparison comes last"
    change(rows[1], set_findings=[{**LOOK, "text": "Louder than the rest."}])
    voice.comparison = {"compared_at": timezone.now().isoformat(), "text": "One of them is louder."}
    voice.save(update_fields=["comparison"])
    text = as_viewer.get(poll_of(text)).content.decode()
    assert "Louder than the rest." in text and "One of them is louder." in text and not poll_of(text)
    assert "compared with the others" in shown(as_viewer, voice) and not poll_of(shown(as_viewer, voice))


def test_the_page_does_not_ask_for_ever(as_viewer: Client, studio: Studio, voice: Voice) -> None:
    rows = studio.recordings(voice, 2)
    long_ago = timezone.now() - PATIENCE - timedelta(seconds=1)
    change(rows[0], created_at=long_ago)
    change(rows[1], examined_at=long_ago)
    page = shown(as_viewer, voice)
    assert not poll_of(page) and "Being listened to" not in page


def test_rows_that_came_make_the_page_fetch_its_table(as_viewer: Client, studio: Studio, voice: Voice) -> None:
    (source,) = studio.recordings(voice, 1)
    change(source, status=RecordingStatus.CUTTING, active=False)
    page = shown(as_viewer, voice)
    assert "Being cut into clips" in page and "<progress" in page
    change(source, status=RecordingStatus.CUT)
    (piece,) = studio.recordings(voice, 1)
    change(piece, source=source)
    assert as_viewer.get(poll_of(page)).headers["HX-Trigger"] == "recordings-changed"
    assert "1 clip was cut from it." in shown(as_viewer, voice)


@pytest.mark.parametrize("query", ["", "seen=x&since=nonsense&table=&page=x", "since=2026-01-01"])
def test_whatever_is_asked_is_answered(as_viewer: Client, studio: Studio, voice: Voice, query: str) -> None:
    (row,) = studio.recordings(voice, 1)
    path = reverse("voices:recordings_moving", args=[voice.pk])
    assert f'id="heard-{row.pk}"' in as_viewer.get(f"{path}?{query}").content.decode()


def test_queries_do_not_grow_with_the_rows(as_viewer: Client, studio: Studio, voice: Voice) -> None:
    path = reverse("voices:recordings_moving", args=[voice.pk])

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert as_viewer.get(path).status_code == 200
        return len(asked)

    (source,) = studio.recordings(voice, 1)
    queries()
    before = queries()
    for row in studio.recordings(voice, 5):
        change(row, source=source, recipe={"steps": [{"step": "cut"}]}, set_findings=[LOOK], wav="a.wav")
    assert queries() == before


# --- what is worth a look -----------------------------------------------------------------


def test_what_is_worth_a_look_and_what_is_unlike_the_others_is_found(
    as_viewer: Client, studio: Studio, voice: Voice
) -> None:
    fine, noisy, odd, made = studio.recordings(voice, 4)
    change(fine, findings=[])
    change(noisy, findings=[LOOK])
    change(odd, findings=[], set_findings=[LOOK])
    change(made, findings=[MADE])
    services.add_recording(voice, upload("refused.wav", b"no"), studio.producer)

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
    assert made_words(Recording(recipe={"steps": STEPS})) == (
        "read from FLAC (PCM_24), channel 2 of 2 taken, 96,000 samples per second made 48,000, "
        "levels multiplied by 0.891, rounded to 16 bits with dither, polish"
    )
    mixed = [{"step": "mix", "channels": [1, 2], "of": 4}, {"step": "round", "bits": 16, "dither": None}]
    assert made_words(Recording(recipe={"steps": mixed})) == "2 of 4 channels mixed to one, rounded to 16 bits"
    assert made_words(Recording()) == ""


def test_where_a_clip_was_cut_from_is_told() -> None:
    cut = {"step": "cut", "start_frame": 62 * 16000, "end_frame": 69 * 16000}
    assert cut_words(Recording(recipe={"steps": [cut]}, sample_rate=16000)) == "1:02 to 1:09"
    for recipe, rate in (({"steps": [cut]}, 0), ({"steps": [{"step": "cut"}]}, 16000), ({}, 16000)):
        assert cut_words(Recording(recipe=recipe, sample_rate=rate)) == ""


def test_the_row_tells_what_it_was_made_of(as_viewer: Client, studio: Studio, voice: Voice) -> None:
    source, piece, made = studio.recordings(voice, 3)
    change(source, file_name="interview.wav")
    cut = {"step": "cut", "start_frame": 16000, "end_frame": 32000}
    change(piece, source=source, recipe={"steps": [cut]})
    change(made, wav=made.file.name, recipe={"steps": STEPS[:1]})
    text = shown(as_viewer, voice)
    assert "Cut from interview.wav, 0:01 to 0:02" in text
    assert "A 16-bit mono WAV was made of it: read from FLAC (PCM_24)." in text


# --- hearing it ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "levels", "heard"),
    [
        ("accepted", {"rms_dbfs": -20.0, "peak_dbfs": -3.0}, True),
        ("cutting", {"rms_dbfs": -20.0, "peak_dbfs": -3.0}, True),
        ("refused", {"rms_dbfs": -20.0, "peak_dbfs": -3.0}, True),
        ("refused", {}, False),
    ],
)
def test_what_the_reader_took_for_sound_can_be_heard(
    as_viewer: Client, studio: Studio, voice: Voice, status: str, levels: dict[str, float], heard: bool
) -> None:
    (row,) = studio.recordings(voice, 1)
    change(row, status=status, findings=[TOO_LONG], levels=levels)
    assert playable(row) is heard
    response = as_viewer.get(reverse("voices:recording_audio", args=[row.pk]))
    assert (response.headers["Content-Type"] == "audio/wav") is heard
    assert b"".join(response.streaming_content) == clip(1)  # type: ignore[attr-defined]
    assert ("data-play=" in shown(as_viewer, voice)) is heard


def test_what_was_made_is_heard_and_what_came_is_downloaded(as_viewer: Client, studio: Studio, voice: Voice) -> None:
    came, other = studio.recordings(voice, 2)
    change(came, wav=other.file.name)
    path = reverse("voices:recording_audio", args=[came.pk])
    heard, download = as_viewer.get(path), as_viewer.get(f"{path}?download")
    assert b"".join(heard.streaming_content) == clip(2)  # type: ignore[attr-defined]
    assert b"".join(download.streaming_content) == clip(1)  # type: ignore[attr-defined]
    assert download.headers["Content-Type"] == "application/octet-stream"
    assert download.headers["Content-Disposition"] == f'attachment; filename="{came.pk}.bin"'


def test_a_place_plays_only_where_there_is_a_sound(as_viewer: Client, studio: Studio, voice: Voice) -> None:
    (row,) = studio.recordings(voice, 1)
    change(row, findings=[LOOK])
    assert 'data-at="1.00"' in shown(as_viewer, voice)
    change(row, status="refused", levels={})
    assert "data-at" not in shown(as_viewer, voice) and "at 1.5 s" in shown(as_viewer, voice)


def test_the_finer_outline_of_a_recording(as_viewer: Client, studio: Studio, voice: Voice) -> None:
    (row,) = studio.recordings(voice, 1)
    change(row, fine_peaks=[-128, 127])
    path = reverse("voices:recording_peaks", args=[row.pk])
    assert as_viewer.get(f"{path}?fine").json()["peaks"] == [[0.992], [-1.0]]
    assert len(as_viewer.get(path).json()["peaks"][0]) == 400
