"""The recordings of a voice: their table, what is changed of one, and how its sound is served."""

import html

import pytest
from django.test import Client
from django.urls import reverse

from tests.support.html import read_html
from tests.voices.rows import Studio, make_clip, make_upload
from voices.models import Build, Recording, Voice
from voices.services.recordings.store import add_recording, set_active

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


def names(client: Client, voice: Voice, query: str = "") -> list[str]:
    response = client.get(f"{reverse('voices:recording_table', args=[voice.pk])}?{query}")
    return [row.file_name for row in response.context["page"]]


@pytest.fixture
def mixed(studio: Studio, voice: Voice) -> Voice:
    """One of each kind; named so that the name says what it is."""
    good, left_out, mute = studio.make_recordings(voice, 3)
    Recording.objects.filter(pk=good.pk).update(file_name="good.wav", findings=[])
    Recording.objects.filter(pk=left_out.pk).update(file_name="left-out.wav", active=False, findings=[])
    noisy = [{"severity": "look", "code": "noisy", "text": "Noise.", "advice": "Look.", "at": 1.0}]
    Recording.objects.filter(pk=mute.pk).update(file_name="mute.wav", transcript="", findings=noisy, seconds=9)
    add_recording(voice, make_upload("refused.wav", b"no"), studio.producer)
    return voice


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["good.wav", "left-out.wav", "mute.wav", "refused.wav"]),
        ("show=usable", ["good.wav", "left-out.wav", "mute.wav"]),
        ("show=refused", ["refused.wav"]),
        ("show=inactive", ["left-out.wav"]),
        ("show=no_transcript", ["mute.wav"]),
        ("show=look", ["mute.wav"]),
        ("q=OUT", ["left-out.wav"]),
        ("q=north&show=usable", ["good.wav", "left-out.wav"]),
        ("sort=longest&show=usable&q=mute", ["mute.wav"]),
        ("show=nonsense&sort=nonsense&page=nonsense", ["good.wav", "left-out.wav", "mute.wav", "refused.wav"]),
        ("q=%00", ["good.wav", "left-out.wav", "mute.wav", "refused.wav"]),
        ("page=99999", ["good.wav", "left-out.wav", "mute.wav", "refused.wav"]),
    ],
)
def test_the_table_shows_what_is_asked_for(as_producer: Client, mixed: Voice, query: str, expected: list[str]) -> None:
    assert names(as_producer, mixed, query) == expected


def test_the_orders(as_producer: Client, mixed: Voice) -> None:
    assert names(as_producer, mixed, "sort=longest")[0] == "mute.wav"
    assert names(as_producer, mixed, "sort=shortest")[-1] == "mute.wav"
    assert names(as_producer, mixed, "sort=newest")[0] == "refused.wav"


# --- What the provider marked ------------------------------------------------------------


def mark(build: Build, recording: Recording, **said: bool) -> None:
    build.recordings.filter(recording=recording).update(has_report=True, **said)


def marks(client: Client, voice: Voice, query: str = "") -> dict[str, tuple[bool, bool]]:
    response = client.get(f"{reverse('voices:recording_table', args=[voice.pk])}?{query}")
    return {row.file_name: (row.marked_silent, row.marked_outlier) for row in response.context["page"]}


@pytest.fixture
def marked(studio: Studio, voice: Voice) -> tuple[Recording, Recording, Recording]:
    """A silent one, one of somebody else, and one that is in order, as the last build said."""
    mute, other, fine = studio.make_recordings(voice, 3)
    build = studio.make_build(voice, status="dataset_issue")
    mark(build, mute, is_silent=True, is_outlier=True)
    mark(build, other, is_outlier=True)
    mark(build, fine, is_silent=False, is_outlier=False)
    return mute, other, fine


def test_the_providers_marks_are_shown_and_filtered_by(
    as_viewer: Client, voice: Voice, marked: tuple[Recording, ...]
) -> None:
    mute, other, fine = (row.file_name for row in marked)
    assert marks(as_viewer, voice) == {mute: (True, True), other: (False, True), fine: (False, False)}
    assert set(marks(as_viewer, voice, "show=marked")) == {mute, other}
    text = read_html(as_viewer.get(f"{voice.get_absolute_url()}?show=marked"))
    assert text.count("Silent (provider)") == 1
    assert text.count("Another speaker or sound (provider)") == 2


def test_only_the_newest_build_that_reported_counts(
    as_viewer: Client, studio: Studio, voice: Voice, marked: tuple[Recording, ...]
) -> None:
    mute, other, _fine = marked
    again = studio.make_build(voice, status="failed")
    assert set(marks(as_viewer, voice, "show=marked")) == {mute.file_name, other.file_name}, "it said nothing"
    mark(again, mute, is_silent=False)
    assert set(marks(as_viewer, voice, "show=marked")) == {other.file_name}
    assert marks(as_viewer, voice)[mute.file_name] == (False, False)


def advice(client: Client, voice: Voice) -> list[tuple[str, str]]:
    place = client.get(voice.get_absolute_url()).context["build_options"][0]
    return [(one.text, one.url) for one in place.advice]


def test_what_is_still_marked_is_told_before_the_next_build(
    as_viewer: Client, voice: Voice, marked: tuple[Recording, ...]
) -> None:
    mute, other, fine = marked
    place = "?show=marked#recordings"
    two = "2 recordings were flagged by the provider in the last build. Leave them out or replace them."
    assert advice(as_viewer, voice) == [(two, place)]
    assert f'<a href="{place}">' in read_html(as_viewer.get(voice.get_absolute_url()))
    set_active(mute, False)
    one = "1 recording was flagged by the provider in the last build. Leave it out or replace it."
    assert advice(as_viewer, voice) == [(one, place)]
    set_active(fine, False)
    set_active(other, False)
    assert advice(as_viewer, voice) == []


def test_marks_of_one_voice_are_not_told_of_another(
    as_viewer: Client, studio: Studio, voice: Voice, marked: tuple[Recording, ...]
) -> None:
    second = studio.make_voice("Second", voice.talent)
    studio.make_recordings(second)
    assert advice(as_viewer, second) == []
    assert advice(as_viewer, voice)


def test_fifty_rows_a_page(as_producer: Client, studio: Studio, voice: Voice) -> None:
    studio.make_fileless_recordings(voice, 120)
    assert [len(names(as_producer, voice, f"page={page}")) for page in (1, 2, 3)] == [50, 50, 20]


def test_a_transcript_is_saved_in_its_place(as_producer: Client, studio: Studio, voice: Voice) -> None:
    (recording,) = studio.make_recordings(voice, 1)
    path = reverse("voices:recording_edit", args=[recording.pk])
    response = as_producer.post(path, {"transcript": " New\n words "}, headers=HTMX)
    assert "Saved" in response.content.decode()
    assert "<html" not in response.content.decode()
    recording.refresh_from_db()
    assert recording.transcript == "New words"


def test_a_transcript_that_is_too_long_is_not_saved_and_told(as_producer: Client, studio: Studio, voice: Voice) -> None:
    (recording,) = studio.make_recordings(voice, 1)
    path = reverse("voices:recording_edit", args=[recording.pk])
    response = as_producer.post(path, {"transcript": "x" * 2001}, headers=HTMX)
    assert "The transcript is too long" in response.content.decode()
    recording.refresh_from_db()
    assert recording.transcript == "The north wind."


def test_the_switch_takes_a_recording_out_and_in(as_producer: Client, studio: Studio, voice: Voice) -> None:
    (recording,) = studio.make_recordings(voice, 1)
    path = reverse("voices:recording_active", args=[recording.pk])
    for sent, active in (({}, False), ({"active": "on"}, True)):
        response = as_producer.post(path, sent, headers=HTMX)
        assert response.headers["HX-Trigger"] == "readiness-changed"
        recording.refresh_from_db()
        assert recording.active is active


def test_deleting_asks_first_and_then_removes_the_row(as_producer: Client, studio: Studio, voice: Voice) -> None:
    (recording,) = studio.make_recordings(voice, 1)
    path = reverse("voices:recording_delete", args=[recording.pk])
    assert "Delete line-001.wav?" in as_producer.get(path).content.decode()
    assert Recording.objects.count() == 1
    as_producer.post(path)
    assert not Recording.objects.exists()


def test_a_recording_that_was_built_is_not_deleted(as_producer: Client, studio: Studio) -> None:
    recording = studio.make_build().recordings.first().recording  # type: ignore[union-attr]
    path = reverse("voices:recording_delete", args=[recording.pk])
    assert "cannot be deleted because a build used it" in as_producer.post(path, follow=True).content.decode()
    assert Recording.objects.filter(pk=recording.pk).exists()


# --- Sound -------------------------------------------------------------------------------


def audio(recording: Recording) -> str:
    return reverse("voices:recording_audio", args=[recording.pk])


def body(response: object) -> bytes:
    return b"".join(response.streaming_content)  # type: ignore[attr-defined]


def test_a_recording_is_served_as_it_came_whole_or_in_parts(as_viewer: Client, studio: Studio, voice: Voice) -> None:
    recording, _new = add_recording(voice, make_upload("a.wav"), studio.producer)
    whole = as_viewer.get(audio(recording))
    assert body(whole) == make_clip()
    assert whole.headers["Content-Type"] == "audio/wav"
    assert whole.headers["Cache-Control"] == "private, no-store"
    part = as_viewer.get(audio(recording), headers={"range": "bytes=10-19"})
    assert (part.status_code, body(part)) == (206, make_clip()[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(make_clip())}"
    assert as_viewer.get(audio(recording), headers={"range": "bytes=999999999-"}).status_code == 416


def test_what_was_refused_is_only_ever_a_download_of_bytes(as_viewer: Client, studio: Studio, voice: Voice) -> None:
    page = b"<html><script>alert(1)</script></html>"
    recording, _new = add_recording(voice, make_upload("x.html", page), studio.producer)
    response = as_viewer.get(audio(recording))
    assert body(response) == page
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"] == f'attachment; filename="{recording.pk}.bin"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]


def test_the_waveform_is_two_rows_between_minus_one_and_one(as_viewer: Client, studio: Studio, voice: Voice) -> None:
    (recording,) = studio.make_recordings(voice, 1)
    answer = as_viewer.get(reverse("voices:recording_peaks", args=[recording.pk])).json()
    high, low = answer["peaks"]
    assert len(high) == len(low) == 400
    assert answer["seconds"] == pytest.approx(4.0)
    assert all(-1 <= a <= b <= 1 for a, b in zip(low, high, strict=True))


# --- Hostile words -----------------------------------------------------------------------

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def test_names_and_words_are_shown_and_never_run(as_producer: Client, studio: Studio) -> None:
    talent = studio.make_talent(EVIL)
    voice = studio.make_voice(EVIL, talent)
    add_recording(voice, make_upload("evil.wav"), studio.producer, transcript=EVIL)
    Recording.objects.update(file_name=EVIL)
    for path in (voice.get_absolute_url(), reverse("voices:voice_add", args=[talent.pk]), reverse("today")):
        text = read_html(as_producer.get(path))
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert html.escape(EVIL) in text
