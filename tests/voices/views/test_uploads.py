"""Uploads of recordings: several, invalid, duplicate and large files, transcripts as CSV, archives."""

import io
import re
import resource
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse

from audio.archives.kinds import READ_EXTENSIONS
from tests.support.html import read_html
from tests.support.wav import make_speech_like, make_wav_bytes
from tests.support.zips import ZipMember, build_zip
from tests.voices.rows import Studio, make_clip, make_upload
from voices.models import Recording, Voice
from voices.views import uploads

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

INVALID_FILES = {
    "empty": b"",
    "text": b"hello",
    "html": b"<html><script>alert(1)</script>",
    "riff only": b"RIFF",
    "truncated": make_clip()[:1000],
    "wrong size field": make_clip()[:40] + b"\xff\xff\xff\x6f" + make_clip()[44:],
    "mp3": b"ID3\x04\x00" + b"\0" * 2000,
    "zip": b"PK\x03\x04" + b"\0" * 100,
}


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


def upload_files(client: Client, voice: Voice, *files: SimpleUploadedFile, **fields: Any) -> list[dict[str, Any]]:
    """Upload like the page's script and return the result of each file."""
    path = reverse("voices:recording_upload", args=[voice.pk])
    response = client.post(path, {"recordings": list(files), **fields}, headers={"accept": "application/json"})
    assert response.status_code == 200
    results: list[dict[str, Any]] = response.json()["files"]
    return results


def test_valid_files_are_accepted_with_one_result_each(producer_client: Client, voice: Voice) -> None:
    results = upload_files(
        producer_client, voice, make_upload("a.wav", make_clip(1)), make_upload("b.wav", make_clip(2))
    )
    assert [(result["name"], result["state"]) for result in results] == [("a.wav", "accepted"), ("b.wav", "accepted")]
    assert set(voice.recordings.values_list("file_name", "status")) == {("a.wav", "accepted"), ("b.wav", "accepted")}


@pytest.mark.parametrize("kind", INVALID_FILES)
def test_invalid_file_is_stored_and_refused_with_findings(producer_client: Client, voice: Voice, kind: str) -> None:
    (result,) = upload_files(producer_client, voice, make_upload("bad.wav", INVALID_FILES[kind]))
    assert result["state"] == "refused"
    assert result["findings"][0]["text"]
    assert result["findings"][0]["advice"]
    recording = Recording.objects.get()
    with recording.file.open("rb") as file:
        assert file.read() == INVALID_FILES[kind]


REPAIRABLE_FILES = {
    "trailing junk": make_clip() + b"junk",
    "size field never written": make_clip()[:4] + b"\xff\xff\xff\xff" + make_clip()[8:],
}


@pytest.mark.parametrize("kind", REPAIRABLE_FILES)
def test_repairable_file_is_accepted_with_a_finding_of_severity_fixed(
    producer_client: Client, voice: Voice, kind: str
) -> None:
    (result,) = upload_files(producer_client, voice, make_upload("bad.wav", REPAIRABLE_FILES[kind]))
    assert result["state"] == "accepted"
    recording = Recording.objects.get()
    assert {finding["severity"] for finding in recording.findings} == {"put_right"}
    with recording.file.open("rb") as file, recording.sound.open("rb") as sound:
        assert file.read() == REPAIRABLE_FILES[kind]
        assert sound.read()[44:] == make_clip()[44:]


def test_file_with_the_same_bytes_and_another_name_is_a_duplicate(producer_client: Client, voice: Voice) -> None:
    upload_files(producer_client, voice, make_upload("a.wav"))
    (result,) = upload_files(producer_client, voice, make_upload("b.wav"))
    assert (result["state"], "a.wav" in result["text"]) == ("duplicate", True)
    assert voice.recordings.count() == 1


def test_csv_of_transcripts_may_come_before_its_audio_files(producer_client: Client, voice: Voice) -> None:
    csv_file = SimpleUploadedFile(
        "metadata.csv", "﻿a|The first line.\nb.Flac|Second | extra\nunknown|?\n\n|x\n".encode()
    )
    results = upload_files(
        producer_client, voice, csv_file, make_upload("a.wav", make_clip(1)), make_upload("b.wav", make_clip(2))
    )
    assert results[-1]["text"] == "2 transcripts set."
    assert [finding["text"] for finding in results[-1]["findings"]] == [
        "Line 3, unknown: no recording has this name.", "Line 5, without a name: no recording has this name.",
    ]  # fmt: skip
    transcripts = dict(voice.recordings.values_list("file_name", "transcript"))
    assert transcripts == {"a.wav": "The first line.", "b.wav": "Second"}


def test_table_that_fits_nothing_is_not_accepted(producer_client: Client, voice: Voice) -> None:
    upload_files(producer_client, voice, make_upload("0007.wav"))
    table = "".join(f"{number}\tWords of line {number}.\n" for number in range(1, 9))
    (result,) = upload_files(producer_client, voice, SimpleUploadedFile("ids.txt", table.encode()))
    assert (result["state"], result["text"]) == ("refused", "0 transcripts set.")
    assert len(result["findings"]) == 6 and "2 more lines" not in result["findings"][0]["text"]
    assert result["findings"][-1]["text"] == "The same is true of 3 more lines."


def test_speakers_are_no_transcripts_and_doubt_is_said(producer_client: Client, voice: Voice) -> None:
    upload_files(producer_client, voice, make_upload("a.wav", make_clip(1)), make_upload("b.wav", make_clip(2)))
    speakers = SimpleUploadedFile("metadata.csv", b"a|male1|One line.\nb|male1|Two lines.\n")
    (result,) = upload_files(producer_client, voice, speakers)
    assert result["text"] == "2 transcripts set."
    assert set(voice.recordings.values_list("transcript", flat=True)) == {"One line.", "Two lines."}
    doubtful = SimpleUploadedFile("metadata.csv", b"a|m1|Yes\nb|f1|No\n")
    (result,) = upload_files(producer_client, voice, doubtful)
    assert result["state"] == "refused" and "not certain which column" in result["text"]
    assert set(voice.recordings.values_list("transcript", flat=True)) == {"One line.", "Two lines."}


def test_text_file_of_a_clip_is_its_transcript(producer_client: Client, voice: Voice) -> None:
    text = SimpleUploadedFile("a.txt", "One line,\r\nspoken\u00a0once.".encode("utf-16"))
    results = upload_files(producer_client, voice, text, make_upload("a.wav"))
    assert [result["text"] for result in results[1:]] == ["1 transcript set."]
    assert voice.recordings.get().transcript == "One line, spoken once."
    (result,) = upload_files(producer_client, voice, SimpleUploadedFile("a.txt", b" \n"))
    assert (result["state"], result["text"]) == ("refused", "The file has no text.")


@pytest.mark.parametrize("content", [b"", b"no separator", b"\xff\xfe\x00bad", b"|only text"])
def test_invalid_csv_is_refused_with_a_message(producer_client: Client, voice: Voice, content: bytes) -> None:
    (result,) = upload_files(producer_client, voice, SimpleUploadedFile("metadata.csv", content))
    assert result["state"] == "refused"
    assert result["text"]


def test_upload_without_files_is_refused_with_a_message(producer_client: Client, voice: Voice) -> None:
    (result,) = upload_files(producer_client, voice)
    assert (result["state"], result["text"]) == ("refused", "Choose one or more files.")


def test_upload_form_without_javascript_shows_a_message_for_each_file(producer_client: Client, voice: Voice) -> None:
    path = reverse("voices:recording_upload", args=[voice.pk])
    files = [make_upload("a.wav", make_clip(1)), make_upload("bad.wav", b"no")]
    response = producer_client.post(path, {"recordings": files}, follow=True)
    assert response.redirect_chain == [(voice.get_absolute_url(), 302)]
    assert "a.wav: Usable." in response.content.decode()
    assert "bad.wav: Not usable." in response.content.decode()


@pytest.mark.parametrize("name", ["../../etc/passwd.wav", "x" * 300 + ".wav", "a\x00b.wav", "‮vaw.exe.wav", "ä ö.wav"])
def test_browser_file_name_never_reaches_the_disk(producer_client: Client, voice: Voice, name: str) -> None:
    upload_files(producer_client, voice, make_upload(name))
    for recording in Recording.objects.all():
        assert recording.file.name == f"recordings/{voice.pk}/{recording.pk}.wav"


def test_50_mb_upload_is_not_read_into_memory(
    producer_client: Client, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    class_names: list[str] = []
    add_files = uploads.add_files

    def add_files_and_measure_memory(voice: Voice, files: list[Any], *rest: Any) -> Any:
        class_names.extend(type(file).__name__ for file in files)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        results = add_files(voice, files, *rest)
        memory_growths.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
        return results

    memory_growths: list[int] = []
    monkeypatch.setattr(uploads, "add_files", add_files_and_measure_memory)
    large = make_wav_bytes(make_speech_like(5.0, rate=48000))
    data = large + b"\0" * ((50 << 20) - len(large))
    (result,) = upload_files(producer_client, voice, make_upload("large.wav", data))
    assert class_names == ["TemporaryUploadedFile"]
    assert memory_growths[0] < 25 << 10, "memory growth in kilobytes during a 50 MB upload"
    assert result["state"] == "accepted"  # The trailing bytes are dropped.
    assert Recording.objects.get().size == 50 << 20


def test_every_upload_uses_a_temporary_file() -> None:
    handlers = HttpRequest().upload_handlers
    assert [type(handler) for handler in handlers] == [TemporaryFileUploadHandler]


def test_viewer_cannot_upload(viewer_client: Client, voice: Voice) -> None:
    path = reverse("voices:recording_upload", args=[voice.pk])
    assert viewer_client.post(path, {"recordings": [io.BytesIO(make_clip())]}).status_code == 403
    assert not Recording.objects.exists()


# --- Archives ----------------------------------------------------------------------------


def make_archive(**files: bytes) -> SimpleUploadedFile:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "."), data)
    return SimpleUploadedFile("day-1.zip", buffer.getvalue(), "application/zip")


def test_archive_result_has_counts_and_names_the_refused_files(producer_client: Client, voice: Voice) -> None:
    upload_files(producer_client, voice, make_upload("there.wav", make_clip(3)))
    archive = make_archive(
        a__wav=make_clip(1), b__wav=make_clip(2), again__wav=make_clip(3), short__wav=make_clip(4, 0.5),
        notes__wav=b"no sound", metadata__csv=b"a|The first line.\nb|The second.",
    )  # fmt: skip
    (result,) = upload_files(producer_client, voice, archive)
    assert (result["name"], result["state"]) == ("day-1.zip", "accepted")
    assert result["counts"] == {"accepted": 2, "refused": 2, "duplicate": 1}
    assert result["text"] == "2 added, 2 not usable, 1 already uploaded."
    *refused, repeated = result["parts"]
    assert (repeated["name"], repeated["text"]) == ("again.wav", "The same audio is already uploaded as there.wav.")
    texts_by_name = {part["name"]: part["findings"][0]["text"] for part in refused}
    assert set(texts_by_name) == {"short.wav", "notes.wav"}
    assert "0.5 seconds" in texts_by_name["short.wav"] and texts_by_name["notes.wav"]
    transcripts = dict(voice.recordings.values_list("file_name", "transcript"))
    assert transcripts["a.wav"] == "The first line." and transcripts["b.wav"] == "The second."


def test_duplicate_in_an_archive_names_the_existing_recording(producer_client: Client, voice: Voice) -> None:
    upload_files(producer_client, voice, make_upload("first.wav"))
    (result,) = upload_files(
        producer_client, voice, make_archive(second__wav=make_clip(), metadata__csv=b"second|A line.\n")
    )
    assert [part["text"] for part in result["parts"]] == ["The same audio is already uploaded as first.wav."]
    assert voice.recordings.get().transcript == "A line."


def test_broken_archive_is_refused_with_findings(producer_client: Client, voice: Voice) -> None:
    (result,) = upload_files(
        producer_client, voice, SimpleUploadedFile("x.zip", make_archive(a__wav=make_clip()).read()[:-30])
    )
    assert (result["state"], result["text"]) == ("refused", "No files added.")
    assert result["findings"][0]["text"] and result["findings"][0]["advice"]
    assert not voice.recordings.exists()


def test_damaged_file_of_an_archive_is_refused_and_the_others_are_added(producer_client: Client, voice: Voice) -> None:
    data = build_zip(ZipMember(b"a.wav", make_clip(1)), ZipMember(b"b.wav", make_clip(2), crc=1))
    (result,) = upload_files(producer_client, voice, SimpleUploadedFile("x.zip", data))
    assert (result["state"], result["text"]) == ("accepted", "1 added, 1 not usable.")
    (refused,) = result["parts"]
    assert (refused["name"], refused["text"]) == ("b.wav", "Not added.")
    assert "checksum" in refused["findings"][0]["text"]
    assert voice.recordings.get().file_name == "a.wav"


def test_names_in_an_old_archive_are_in_the_code_page_of_the_language(producer_client: Client, voice: Voice) -> None:
    Voice.objects.filter(pk=voice.pk).update(language="pl-PL")
    data = build_zip(ZipMember("Łódź.wav".encode("cp852"), make_clip(1)))
    (result,) = upload_files(producer_client, voice, SimpleUploadedFile("x.zip", data))
    assert voice.recordings.get().file_name == "Łódź.wav"
    assert "code page 852" in result["findings"][0]["text"]


def test_upload_page_offers_all_archives_that_are_read(producer_client: Client, voice: Voice) -> None:
    page = producer_client.get(reverse("voices:voice", args=[voice.pk])).content.decode()
    script = Path(settings.BASE_DIR, "static/js/upload-queue.js").read_text(encoding="utf-8")
    accepted = re.search(r'accept="(audio[^"]*)"', page)
    progress_pattern = re.search(r"isArchive = .*?/(.*?)/i", script)
    assert accepted and progress_pattern
    for extension in READ_EXTENSIONS:
        assert Path(f"set{extension}").suffix in accepted[1].split(",")
        assert re.search(progress_pattern[1], f"set{extension}")


def test_form_without_javascript_shows_messages_for_an_archive(producer_client: Client, voice: Voice) -> None:
    path = reverse("voices:recording_upload", args=[voice.pk])
    archive = make_archive(a__wav=make_clip(1), notes__wav=b"no sound")
    text = read_html(producer_client.post(path, {"recordings": [archive]}, follow=True))
    assert "day-1.zip: 1 added, 1 not usable." in text and "notes.wav: Not added." in text
