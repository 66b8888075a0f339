"""The recordings of a voice: table, the provider's flags, edits, deletion and the audio files."""

import html

import pytest
from django.test import Client
from django.urls import reverse

from tests.support.html import read_html
from tests.voices.rows import Studio, make_clip, make_upload
from voices.models import Build, BuildRecording, Recording, Voice
from voices.services.recordings.store import add_recording, set_active

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


def list_names(client: Client, voice: Voice, query: str = "") -> list[str]:
    response = client.get(f"{reverse('voices:recording_table', args=[voice.pk])}?{query}")
    return [row.file_name for row in response.context["page"]]


@pytest.fixture
def mixed_voice(studio: Studio, voice: Voice) -> Voice:
    """A voice with one recording of each kind. The file names state the kind."""
    good, inactive, no_transcript = studio.make_recordings(voice, 3)
    Recording.objects.filter(pk=good.pk).update(file_name="good.wav", findings=[])
    Recording.objects.filter(pk=inactive.pk).update(file_name="inactive.wav", active=False, findings=[])
    noisy = [{"severity": "look", "code": "noisy", "text": "Noise.", "advice": "Look.", "at": 1.0}]
    Recording.objects.filter(pk=no_transcript.pk).update(
        file_name="no-transcript.wav", transcript="", findings=noisy, seconds=9
    )
    add_recording(voice, make_upload("refused.wav", b"no"), studio.producer)
    return voice


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["good.wav", "inactive.wav", "no-transcript.wav", "refused.wav"]),
        ("show=usable", ["good.wav", "inactive.wav", "no-transcript.wav"]),
        ("show=refused", ["refused.wav"]),
        ("show=inactive", ["inactive.wav"]),
        ("show=no_transcript", ["no-transcript.wav"]),
        ("show=look", ["no-transcript.wav"]),
        ("q=ACT", ["inactive.wav"]),
        ("q=north&show=usable", ["good.wav", "inactive.wav"]),
        ("sort=longest&show=usable&q=transcript", ["no-transcript.wav"]),
        ("show=nonsense&sort=nonsense&page=nonsense", ["good.wav", "inactive.wav", "no-transcript.wav", "refused.wav"]),
        ("q=%00", ["good.wav", "inactive.wav", "no-transcript.wav", "refused.wav"]),
        ("page=99999", ["good.wav", "inactive.wav", "no-transcript.wav", "refused.wav"]),
    ],
)
def test_table_shows_the_recordings_that_its_query_selects(
    producer_client: Client, mixed_voice: Voice, query: str, expected: list[str]
) -> None:
    assert list_names(producer_client, mixed_voice, query) == expected


def test_table_sorts_by_duration_and_date(producer_client: Client, mixed_voice: Voice) -> None:
    assert list_names(producer_client, mixed_voice, "sort=longest")[0] == "no-transcript.wav"
    assert list_names(producer_client, mixed_voice, "sort=shortest")[-1] == "no-transcript.wav"
    assert list_names(producer_client, mixed_voice, "sort=newest")[0] == "refused.wav"


# --- Flags of the provider ---------------------------------------------------------------


def set_flags(build: Build, recording: Recording, **flags: bool) -> None:
    build.recordings.filter(recording=recording).update(has_report=True, **flags)


def read_flags(client: Client, voice: Voice, query: str = "") -> dict[str, tuple[bool, bool]]:
    response = client.get(f"{reverse('voices:recording_table', args=[voice.pk])}?{query}")
    return {row.file_name: (row.flagged_silent, row.flagged_outlier) for row in response.context["page"]}


@pytest.fixture
def flagged_recordings(studio: Studio, voice: Voice) -> tuple[Recording, Recording, Recording]:
    """The last build flagged the first recording as silent, the first and second as another speaker."""
    silent, outlier, unflagged = studio.make_recordings(voice, 3)
    build = studio.make_build(voice, status="dataset_issue")
    set_flags(build, silent, is_silent=True, is_outlier=True)
    set_flags(build, outlier, is_outlier=True)
    set_flags(build, unflagged, is_silent=False, is_outlier=False)
    return silent, outlier, unflagged


def test_provider_flags_are_shown_and_can_be_filtered(
    viewer_client: Client, voice: Voice, flagged_recordings: tuple[Recording, ...]
) -> None:
    silent, outlier, unflagged = (row.file_name for row in flagged_recordings)
    assert read_flags(viewer_client, voice) == {silent: (True, True), outlier: (False, True), unflagged: (False, False)}
    assert set(read_flags(viewer_client, voice, "show=flagged")) == {silent, outlier}
    text = read_html(viewer_client.get(f"{voice.get_absolute_url()}?show=flagged"))
    assert text.count("is-bad>Silent<") == 1
    assert text.count("is-wait>Other speaker or sound<") == 2


def test_only_flags_of_the_newest_build_with_a_report_count(
    viewer_client: Client, studio: Studio, voice: Voice, flagged_recordings: tuple[Recording, ...]
) -> None:
    silent, outlier, _unflagged = flagged_recordings
    newer_build = studio.make_build(voice, status="failed")
    assert set(read_flags(viewer_client, voice, "show=flagged")) == {silent.file_name, outlier.file_name}, (
        "the newer build has no report yet"
    )
    set_flags(newer_build, silent, is_silent=False)
    assert set(read_flags(viewer_client, voice, "show=flagged")) == {outlier.file_name}
    assert read_flags(viewer_client, voice)[silent.file_name] == (False, False)


def read_likely_failures(client: Client, voice: Voice) -> dict[str, str]:
    """The reasons of the recordings that would probably fail or are left out at the first build option, by name."""
    option = client.get(voice.get_readiness_url()).context["option_rows"][0][0]
    return {failure.name: failure.reasons[0].text for failure in option.listed_failures}


def test_active_flagged_recordings_are_named_before_the_next_build(
    viewer_client: Client, voice: Voice, flagged_recordings: tuple[Recording, ...]
) -> None:
    silent, outlier, unflagged = flagged_recordings
    refused_outlier = {outlier.file_name: "Resemble AI refuses it: another speaker or sound"}
    found_silent = {silent.file_name: "Resemble AI found it silent"}
    BuildRecording.objects.filter(recording=silent).update(is_outlier=False)
    assert read_likely_failures(viewer_client, voice) == found_silent | refused_outlier
    assert "Resemble AI found it silent" in read_html(viewer_client.get(voice.get_readiness_url()))
    set_active(silent, False)
    assert read_likely_failures(viewer_client, voice) == refused_outlier
    set_active(unflagged, False)
    set_active(outlier, False)
    assert read_likely_failures(viewer_client, voice) == {}


def test_flags_are_not_named_for_another_voice(
    viewer_client: Client, studio: Studio, voice: Voice, flagged_recordings: tuple[Recording, ...]
) -> None:
    second = studio.make_voice("Second", voice.talent)
    studio.make_recordings(second)
    assert read_likely_failures(viewer_client, second) == {}
    assert read_likely_failures(viewer_client, voice)


def test_table_page_has_25_rows_unless_more_are_asked(producer_client: Client, studio: Studio, voice: Voice) -> None:
    studio.make_fileless_recordings(voice, 120)
    assert [len(list_names(producer_client, voice, f"page={page}")) for page in (1, 2, 5)] == [25, 25, 20]
    assert [len(list_names(producer_client, voice, f"size=50&page={page}")) for page in (1, 2, 3)] == [50, 50, 20]


def test_transcript_is_saved_without_reload_and_with_single_spaces(
    producer_client: Client, studio: Studio, voice: Voice
) -> None:
    (recording,) = studio.make_recordings(voice, 1)
    path = reverse("voices:recording_edit", args=[recording.pk])
    response = producer_client.post(path, {"transcript": " New\n text "}, headers=HTMX)
    assert "Saved" in response.content.decode()
    assert "<html" not in response.content.decode()
    recording.refresh_from_db()
    assert recording.transcript == "New text"


def test_too_long_transcript_is_refused_with_a_message(producer_client: Client, studio: Studio, voice: Voice) -> None:
    (recording,) = studio.make_recordings(voice, 1)
    path = reverse("voices:recording_edit", args=[recording.pk])
    response = producer_client.post(path, {"transcript": "x" * 2001}, headers=HTMX)
    assert "The transcript is too long" in response.content.decode()
    recording.refresh_from_db()
    assert recording.transcript == "The north wind."


def test_active_switch_excludes_and_includes_a_recording(producer_client: Client, studio: Studio, voice: Voice) -> None:
    (recording,) = studio.make_recordings(voice, 1)
    path = reverse("voices:recordings_switch", args=[voice.pk])
    for action, active in (("leave_out", False), ("put_back", True)):
        response = producer_client.post(path, {action: recording.pk}, headers=HTMX)
        assert response.headers["HX-Trigger"] == "readiness-changed"
        recording.refresh_from_db()
        assert recording.active is active


def test_switch_works_without_scripts(producer_client: Client, studio: Studio, voice: Voice) -> None:
    (recording,) = studio.make_recordings(voice, 1)
    path = reverse("voices:recordings_switch", args=[voice.pk])
    response = producer_client.post(path, {"leave_out": recording.pk})
    assert response["Location"] == f"{voice.get_absolute_url()}#recordings"
    recording.refresh_from_db()
    assert not recording.active


@pytest.mark.parametrize("sent", [{}, {"put_back": "nonsense"}, {"leave_out": "0" * 32}])
def test_switch_of_no_recording_of_this_voice_is_not_found(
    producer_client: Client, studio: Studio, voice: Voice, sent: dict[str, str]
) -> None:
    (recording,) = studio.make_recordings(studio.make_voice("Other"), 1)
    path = reverse("voices:recordings_switch", args=[voice.pk])
    assert producer_client.post(path, sent).status_code == 404
    assert producer_client.post(path, {"leave_out": recording.pk}).status_code == 404
    recording.refresh_from_db()
    assert recording.active


def test_recording_is_deleted_only_after_confirmation(producer_client: Client, studio: Studio, voice: Voice) -> None:
    (recording,) = studio.make_recordings(voice, 1)
    path = reverse("voices:recording_delete", args=[recording.pk])
    assert "Delete line-001.wav?" in producer_client.get(path).content.decode()
    assert Recording.objects.count() == 1
    producer_client.post(path)
    assert not Recording.objects.exists()


def test_recording_used_by_a_build_is_not_deleted(producer_client: Client, studio: Studio) -> None:
    recording = studio.make_build().recordings.first().recording  # type: ignore[union-attr]
    path = reverse("voices:recording_delete", args=[recording.pk])
    assert "cannot be deleted because a build used it" in producer_client.post(path, follow=True).content.decode()
    assert Recording.objects.filter(pk=recording.pk).exists()


# --- Audio -------------------------------------------------------------------------------


def make_audio_path(recording: Recording) -> str:
    return reverse("voices:recording_audio", args=[recording.pk])


def read_body(response: object) -> bytes:
    return b"".join(response.streaming_content)  # type: ignore[attr-defined]


def test_recording_file_is_served_whole_or_by_byte_range(viewer_client: Client, studio: Studio, voice: Voice) -> None:
    recording, _new = add_recording(voice, make_upload("a.wav"), studio.producer)
    whole = viewer_client.get(make_audio_path(recording))
    assert read_body(whole) == make_clip()
    assert whole.headers["Content-Type"] == "audio/wav"
    assert whole.headers["Cache-Control"] == "private, no-store"
    part = viewer_client.get(make_audio_path(recording), headers={"range": "bytes=10-19"})
    assert (part.status_code, read_body(part)) == (206, make_clip()[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(make_clip())}"
    assert viewer_client.get(make_audio_path(recording), headers={"range": "bytes=999999999-"}).status_code == 416


def test_refused_file_is_only_served_as_a_download(viewer_client: Client, studio: Studio, voice: Voice) -> None:
    content = b"<html><script>alert(1)</script></html>"
    recording, _new = add_recording(voice, make_upload("x.html", content), studio.producer)
    response = viewer_client.get(make_audio_path(recording))
    assert read_body(response) == content
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"] == f'attachment; filename="{recording.pk}.bin"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]


def test_waveform_peaks_are_400_low_and_high_values_from_minus_1_to_1(
    viewer_client: Client, studio: Studio, voice: Voice
) -> None:
    (recording,) = studio.make_recordings(voice, 1)
    peaks = viewer_client.get(reverse("voices:recording_peaks", args=[recording.pk])).json()
    high, low = peaks["peaks"]
    assert len(high) == len(low) == 400
    assert peaks["seconds"] == pytest.approx(4.0)
    assert all(-1 <= a <= b <= 1 for a, b in zip(low, high, strict=True))


# --- Hostile text ------------------------------------------------------------------------

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def test_names_and_transcripts_are_escaped(producer_client: Client, studio: Studio) -> None:
    talent = studio.make_talent(EVIL)
    voice = studio.make_voice(EVIL, talent)
    add_recording(voice, make_upload("evil.wav"), studio.producer, transcript=EVIL)
    Recording.objects.update(file_name=EVIL)
    for path in (voice.get_absolute_url(), reverse("voices:voice_add", args=[talent.pk]), reverse("today")):
        text = read_html(producer_client.get(path))
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert html.escape(EVIL) in text
