"""Uploading recordings: many, bad, double, huge, with a table of transcripts among them."""

import io
import resource
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse

from tests.support.html import read_html
from tests.support.wav import speech_like, wav_bytes
from tests.voices.rows import Studio, make_clip, make_upload
from voices.models import Recording, Voice
from voices.views import recordings as recording_views

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

BAD = {
    "empty": b"",
    "text": b"hello",
    "html": b"<html><script>alert(1)</script>",
    "riff only": b"RIFF",
    "cut": make_clip()[:1000],
    "lying size": make_clip()[:40] + b"\xff\xff\xff\x7f" + make_clip()[44:],
    "mp3": b"ID3\x04\x00" + b"\0" * 2000,
    "zip": b"PK\x03\x04" + b"\0" * 100,
}


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


def send(client: Client, voice: Voice, *files: SimpleUploadedFile, **more: Any) -> list[dict[str, Any]]:
    """What our script gets back."""
    path = reverse("voices:recording_upload", args=[voice.pk])
    response = client.post(path, {"recordings": list(files), **more}, headers={"accept": "application/json"})
    assert response.status_code == 200
    found: list[dict[str, Any]] = response.json()["files"]
    return found


def test_good_files_are_accepted_each_with_its_answer(as_producer: Client, voice: Voice) -> None:
    answers = send(as_producer, voice, make_upload("a.wav", make_clip(1)), make_upload("b.wav", make_clip(2)))
    assert [(answer["name"], answer["state"]) for answer in answers] == [("a.wav", "accepted"), ("b.wav", "accepted")]
    assert set(voice.recordings.values_list("file_name", "status")) == {("a.wav", "accepted"), ("b.wav", "accepted")}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_kept_and_told_apart_in_words(as_producer: Client, voice: Voice, kind: str) -> None:
    (answer,) = send(as_producer, voice, make_upload("bad.wav", BAD[kind]))
    assert answer["state"] == "refused"
    assert answer["findings"][0]["text"]
    assert answer["findings"][0]["advice"]
    recording = Recording.objects.get()
    with recording.file.open("rb") as file:
        assert file.read() == BAD[kind]


MENDED = {
    "with junk": make_clip() + b"junk",
    "length never written": make_clip()[:4] + b"\xff\xff\xff\xff" + make_clip()[8:],
}


@pytest.mark.parametrize("kind", MENDED)
def test_a_whole_sound_in_a_bad_file_is_put_right_and_that_is_said(
    as_producer: Client, voice: Voice, kind: str
) -> None:
    (answer,) = send(as_producer, voice, make_upload("bad.wav", MENDED[kind]))
    assert answer["state"] == "accepted"
    recording = Recording.objects.get()
    assert {one["severity"] for one in recording.findings} == {"put_right"}
    with recording.file.open("rb") as file, recording.sound.open("rb") as sound:
        assert file.read() == MENDED[kind]
        assert sound.read()[44:] == make_clip()[44:]


def test_the_same_bytes_are_kept_once_under_whatever_name(as_producer: Client, voice: Voice) -> None:
    send(as_producer, voice, make_upload("a.wav"))
    (answer,) = send(as_producer, voice, make_upload("b.wav"))
    assert (answer["state"], "a.wav" in answer["words"]) == ("duplicate", True)
    assert voice.recordings.count() == 1


def test_a_table_fills_in_transcripts_wherever_it_stands_in_the_list(as_producer: Client, voice: Voice) -> None:
    table = SimpleUploadedFile("metadata.csv", "﻿a|The first line.\nb.Flac|Second | extra\nnobody|?\n\n|x\n".encode())
    answers = send(as_producer, voice, table, make_upload("a.wav", make_clip(1)), make_upload("b.wav", make_clip(2)))
    assert answers[-1]["words"] == "2 transcripts filled in from 3 lines."
    texts = dict(voice.recordings.values_list("file_name", "transcript"))
    assert texts == {"a.wav": "The first line.", "b.wav": "Second"}


@pytest.mark.parametrize("content", [b"", b"no separator", b"\xff\xfe\x00bad", b"|only text"])
def test_a_table_that_is_none_is_told_in_words(as_producer: Client, voice: Voice, content: bytes) -> None:
    (answer,) = send(as_producer, voice, SimpleUploadedFile("metadata.csv", content))
    assert answer["state"] == "refused"
    assert answer["words"]


def test_no_file_at_all_is_told_in_words(as_producer: Client, voice: Voice) -> None:
    (answer,) = send(as_producer, voice)
    assert (answer["state"], answer["words"]) == ("refused", "Choose one or more files.")


def test_without_a_script_the_plain_form_leads_back_with_a_message_per_file(as_producer: Client, voice: Voice) -> None:
    path = reverse("voices:recording_upload", args=[voice.pk])
    files = [make_upload("a.wav", make_clip(1)), make_upload("bad.wav", b"no")]
    page = as_producer.post(path, {"recordings": files}, follow=True)
    assert page.redirect_chain == [(voice.get_absolute_url(), 302)]
    assert "a.wav: Usable." in page.content.decode()
    assert "bad.wav: Not usable." in page.content.decode()


@pytest.mark.parametrize("name", ["../../etc/passwd.wav", "x" * 300 + ".wav", "a\x00b.wav", "‮vaw.exe.wav", "ä ö.wav"])
def test_a_name_from_a_browser_never_reaches_the_disk(as_producer: Client, voice: Voice, name: str) -> None:
    send(as_producer, voice, make_upload(name))
    for recording in Recording.objects.all():
        assert recording.file.name == f"recordings/{voice.pk}/{recording.pk}.wav"


def test_fifty_megabytes_are_read_from_disk_and_not_into_memory(
    as_producer: Client, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds: list[str] = []
    take_in = recording_views.add_files

    def watched(voice: Voice, files: list[Any], *rest: Any) -> Any:
        kinds.extend(type(file).__name__ for file in files)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        found = take_in(voice, files, *rest)
        grown.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
        return found

    grown: list[int] = []
    monkeypatch.setattr(recording_views, "add_files", watched)
    large = wav_bytes(speech_like(5.0, rate=48000))
    data = large + b"\0" * ((50 << 20) - len(large))
    (answer,) = send(as_producer, voice, make_upload("large.wav", data))
    assert kinds == ["TemporaryUploadedFile"]
    assert grown[0] < 25 << 10, "kilobytes that the process grew by while it took in 50 MB"
    assert answer["state"] == "accepted"  # without what hangs on its end
    assert Recording.objects.get().size == 50 << 20


def test_every_upload_goes_to_a_temporary_file() -> None:
    handlers = HttpRequest().upload_handlers
    assert [type(handler) for handler in handlers] == [TemporaryFileUploadHandler]


def test_a_viewer_cannot_upload(as_viewer: Client, voice: Voice) -> None:
    path = reverse("voices:recording_upload", args=[voice.pk])
    assert as_viewer.post(path, {"recordings": [io.BytesIO(make_clip())]}).status_code == 403
    assert not Recording.objects.exists()


# --- Archives ----------------------------------------------------------------------------


def zipped(**files: bytes) -> SimpleUploadedFile:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "."), data)
    return SimpleUploadedFile("day-1.zip", packed.getvalue(), "application/zip")


def test_an_archive_is_answered_with_counts_and_what_was_not_accepted(as_producer: Client, voice: Voice) -> None:
    send(as_producer, voice, make_upload("there.wav", make_clip(3)))
    archive = zipped(
        a__wav=make_clip(1), b__wav=make_clip(2), again__wav=make_clip(3), short__wav=make_clip(4, 0.5),
        notes__wav=b"no sound", metadata__csv=b"a|The first line.\nb|The second.",
    )  # fmt: skip
    (answer,) = send(as_producer, voice, archive)
    assert (answer["name"], answer["state"]) == ("day-1.zip", "accepted")
    assert answer["counts"] == {"accepted": 2, "refused": 2, "duplicate": 1}
    assert answer["words"] == "2 added, 2 cannot be used, 1 already uploaded."
    told = {part["name"]: part["findings"][0]["text"] for part in answer["parts"]}
    assert set(told) == {"short.wav", "notes.wav"}
    assert "0.5 seconds" in told["short.wav"] and told["notes.wav"]
    texts = dict(voice.recordings.values_list("file_name", "transcript"))
    assert texts["a.wav"] == "The first line." and texts["b.wav"] == "The second."


def test_an_archive_that_is_refused_as_a_whole_says_why(as_producer: Client, voice: Voice) -> None:
    (answer,) = send(as_producer, voice, SimpleUploadedFile("x.zip", zipped(a__wav=make_clip()).read()[:-30]))
    assert (answer["state"], answer["words"]) == ("refused", "No files added.")
    assert answer["findings"][0]["text"] and answer["findings"][0]["advice"]
    assert not voice.recordings.exists()


def test_without_a_script_an_archive_is_told_in_messages(as_producer: Client, voice: Voice) -> None:
    path = reverse("voices:recording_upload", args=[voice.pk])
    archive = zipped(a__wav=make_clip(1), notes__wav=b"no sound")
    text = read_html(as_producer.post(path, {"recordings": [archive]}, follow=True))
    assert "day-1.zip: 1 added, 1 cannot be used." in text and "notes.wav: Not added." in text
