"""A voice leaves as a dataset in four layouts, and comes back with the same files, texts, choices and order."""

import hashlib
import io
import json
import re
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db.models.fields.files import FieldFile
from django.utils import timezone

from audio.datasets import stored_zip
from audio.datasets.layouts import Layout
from audio.transcripts.names import NameIndex
from audio.transcripts.table import match_lines, read_table
from tests.voices.import_rows import make_added_import, make_checked_import
from tests.voices.rows import Studio, make_clip, make_upload
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.storage import StoredFileLost
from voices.models import (
    DatasetDownload,
    DatasetLayout,
    ImportClipState,
    InclusionSource,
    Recording,
    RecordingStatus,
    Voice,
)
from voices.services.recordings import dataset_download
from voices.services.recordings.dataset_download import prepare_download
from voices.services.recordings.store import add_recording, set_active

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

TEXTS = {
    "z last name.wav": "He said “no”.",
    "a.flac": '"Yes," she said; \'tis | so.',
    "A.FLAC": "日本語の文です。",
    "left out.wav": "=1+1 is\ntwo.",
    "con.wav": "",
}


def encode_flac(data: bytes, subtype: str = "PCM_16") -> bytes:
    import soundfile

    samples, rate = soundfile.read(io.BytesIO(data))
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="FLAC", subtype=subtype)
    return buffer.getvalue()


@pytest.fixture
def voice(studio: Studio) -> Voice:
    """A voice with WAV and FLAC files, a file that cannot be used, and two that are not in builds."""
    voice = studio.make_voice()
    for number, (name, text) in enumerate(TEXTS.items()):
        clip = make_clip(number)
        data = encode_flac(clip, "PCM_24") if name.casefold().endswith("flac") else clip
        add_recording(voice, make_upload(name, data), studio.producer, transcript=text)
    add_recording(voice, make_upload("notes.wav", b"no sound at all"), studio.producer)
    set_active(voice.recordings.get(file_name="left out.wav"), False)
    voice.recordings.filter(file_name="con.wav").update(active=False, active_by="check", exclusion_code="clipping")
    return voice


def download(voice: Voice, by: User, layout: Layout, *, only_in_builds: bool = False) -> bytes:
    prepared = prepare_download(voice, by, layout, only_in_builds=only_in_builds)
    data = b"".join(prepared.chunks)
    assert len(data) == prepared.size
    return data


def open_zip(data: bytes) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    return archive


def list_usable(voice: Voice) -> list[Recording]:
    return list(voice.recordings.filter(status=RecordingStatus.ACCEPTED).order_by("created_at", "pk"))


def read_file(file: FieldFile) -> bytes:
    with file.open("rb") as opened:
        return bytes(opened.read())


def replace_file(file: FieldFile, data: bytes) -> None:
    Path(file.path).chmod(0o600)
    Path(file.path).write_bytes(data)


def import_again(data: bytes, voice: Voice, by: User) -> list[Any]:
    import_set = make_added_import(voice, by, {"voice.zip": data})
    assert set(import_set.clips.values_list("status", flat=True)) == {ImportClipState.ADDED}
    return [(row.sha256, row.transcript, row.active) for row in list_usable(voice)]


def test_layouts_of_the_table_are_those_of_the_archives() -> None:
    assert set(DatasetLayout.values) == set(Layout)


def test_imported_voice_has_the_same_files_texts_choices_and_order(studio: Studio, voice: Voice) -> None:
    data = download(voice, studio.producer, Layout.VOICEHUB)
    other = studio.make_voice("Another voice", voice.talent)
    before = [(row.sha256, row.transcript, row.active) for row in list_usable(voice)]
    assert import_again(data, other, studio.producer) == before
    assert [active for _sha256, _text, active in before] == [True, True, True, False, False]
    assert set(other.recordings.values_list("active_by", flat=True)) == {InclusionSource.PERSON}
    assert not other.recordings.exclude(exclusion_code="").exists()
    assert [row.file_name for row in list_usable(other)] == [
        "z last name.wav", "a.flac", "A-2.FLAC", "left out.wav", "clip con.wav",
    ]  # fmt: skip


def test_order_is_that_of_the_server(studio: Studio, voice: Voice) -> None:
    first = list_usable(voice)[-1]
    Recording.objects.filter(pk=first.pk).update(created_at=timezone.now() - timedelta(days=1))
    names = open_zip(download(voice, studio.producer, Layout.VOICEHUB)).namelist()
    assert names[:3] == ["metadata.csv", "receipt.json", "recordings/clip con.wav"]


def test_a_choice_of_a_person_stands_when_the_same_file_comes_again(studio: Studio, voice: Voice) -> None:
    data = download(voice, studio.producer, Layout.VOICEHUB)
    by_name = {row.file_name: row for row in list_usable(voice)}
    set_active(by_name["left out.wav"], True)
    import_set = make_checked_import(voice, studio.producer, {"voice.zip": data})
    assert list(import_set.clips.values_list("status", flat=True)) == [ImportClipState.DUPLICATE] * 5
    assert {row.file_name: row.active for row in list_usable(voice)} == {
        "z last name.wav": True, "a.flac": True, "A.FLAC": True, "left out.wav": True, "con.wav": False,
    }  # fmt: skip


@pytest.mark.parametrize("layout", [Layout.LJSPEECH, Layout.HUGGING_FACE, Layout.RESEMBLE])
def test_other_layouts_have_the_wav_files_and_the_texts(studio: Studio, voice: Voice, layout: Layout) -> None:
    archive = open_zip(download(voice, studio.producer, layout))
    table, receipt, *paths = archive.namelist()
    assert (table, receipt) == ("metadata.csv", "receipt.json")
    rows = list_usable(voice)
    assert [archive.read(path) for path in paths] == [read_file(row.sound) for row in rows]
    index = NameIndex(paths)
    match = match_lines(read_table(archive.read(table), lambda name: bool(index.find(name))).lines, index)
    texts = [match.lines[path].text if path in match.lines else "" for path in paths]
    has_bars = layout == Layout.HUGGING_FACE
    assert texts == [row.transcript if has_bars else row.transcript.replace(" | ", " ") for row in rows]


def test_only_recordings_in_builds(studio: Studio, voice: Voice) -> None:
    archive = open_zip(download(voice, studio.producer, Layout.LJSPEECH, only_in_builds=True))
    assert archive.namelist()[2:] == ["wavs/z last name.wav", "wavs/a.wav", "wavs/A-2.wav"]
    assert DatasetDownload.objects.get().only_in_builds


def test_receipt_describes_each_file_and_what_permitted_it(studio: Studio, voice: Voice) -> None:
    archive = open_zip(download(voice, studio.producer, Layout.LJSPEECH))
    receipt = json.loads(archive.read("receipt.json"))
    rows = list_usable(voice)
    assert [file["original_name"] for file in receipt["files"]] == [row.file_name for row in rows]
    for file, row in zip(receipt["files"], rows, strict=True):
        data = archive.read(file["name"])
        assert (file["bytes"], file["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
        assert (file["seconds"], file["sample_rate"]) == (row.seconds, row.sample_rate)
        assert (file["in_builds"], file["transcript_sha256"]) == (
            row.active, hashlib.sha256(row.transcript.encode()).hexdigest(),
        )  # fmt: skip
    consent, contract = voice.talent.consents.get(), voice.talent.contracts.get()
    assert receipt["consents"] == [
        {"id": str(consent.pk), "provider": consent.provider, "purpose": "narration", "last_day": None}
    ]
    assert receipt["contracts"] == [
        {"id": str(contract.pk), "providers": contract.providers, "purposes": ["narration"], "last_day": None}
    ]
    version = re.search(r'^version = "(.*)"$', (settings.BASE_DIR / "pyproject.toml").read_text(), re.MULTILINE)
    assert version and receipt["voicehub_version"] == version[1]
    facts = {name: receipt[name] for name in ("voice", "language", "layout", "file_count", "downloaded_by")}
    assert facts == {
        "voice": voice.name, "language": "en-US", "layout": "ljspeech", "file_count": 5,
        "downloaded_by": str(studio.producer),
    }  # fmt: skip
    assert voice.talent.email not in json.dumps(receipt) and voice.talent.name not in json.dumps(receipt)


def test_receipt_leaves_out_what_is_not_in_force(studio: Studio, voice: Voice) -> None:
    voice.talent.consents.update(valid_until=timezone.localdate() - timedelta(days=1))
    last_day = timezone.localdate() + timedelta(days=1)
    voice.talent.contracts.update(ends_on=last_day)
    receipt = json.loads(open_zip(download(voice, studio.producer, Layout.RESEMBLE)).read("receipt.json"))
    assert receipt["consents"] == []
    assert [one["last_day"] for one in receipt["contracts"]] == [last_day.isoformat()]


def test_download_is_recorded_with_its_end(studio: Studio, voice: Voice) -> None:
    prepared = prepare_download(voice, studio.producer, Layout.VOICEHUB, only_in_builds=False)
    record = DatasetDownload.objects.get()
    assert (record.by, record.layout, record.recording_count) == (studio.producer, "voicehub", 5)
    assert (record.size, record.finished_at, record.failure) == (prepared.size, None, "")
    for _chunk in prepared.chunks:
        pass
    record.refresh_from_db()
    assert record.finished_at and not record.failure
    voice.recordings.all().delete()
    voice.delete()
    assert not DatasetDownload.objects.exists()


@pytest.mark.parametrize("change", ["other bytes", "shorter", "longer"])
def test_changed_file_breaks_the_download_off(studio: Studio, voice: Voice, change: str) -> None:
    last = list_usable(voice)[-1]
    prepared = prepare_download(voice, studio.producer, Layout.VOICEHUB, only_in_builds=False)
    data = read_file(last.file)
    changed = {"other bytes": data[:-1] + b"~", "shorter": data[:-1], "longer": data + b"~"}[change]
    replace_file(last.file, changed)
    sent = bytearray()
    with pytest.raises(StoredFileLost, match="con.wav"):
        for chunk in prepared.chunks:
            sent += chunk
    assert len(sent) < prepared.size and not zipfile.is_zipfile(io.BytesIO(sent))
    record = DatasetDownload.objects.get()
    assert record.finished_at is None and record.failure == "The file of “con.wav” has changed since it was uploaded."


def test_file_lost_meanwhile_breaks_the_download_off(studio: Studio, voice: Voice) -> None:
    prepared = prepare_download(voice, studio.producer, Layout.VOICEHUB, only_in_builds=False)
    Path(list_usable(voice)[0].file.path).unlink()
    with pytest.raises(StoredFileLost):
        list(prepared.chunks)
    assert DatasetDownload.objects.get().failure == "The file of “z last name.wav” could not be read."


def test_closed_connection_is_recorded(studio: Studio, voice: Voice) -> None:
    prepared = prepare_download(voice, studio.producer, Layout.VOICEHUB, only_in_builds=False)
    next(prepared.chunks)
    prepared.chunks.close()  # type: ignore[attr-defined]  # a generator, as the server closes it
    assert DatasetDownload.objects.get().failure == "The connection was closed before the end."


def test_missing_and_changed_files_are_named_before_the_start(studio: Studio, voice: Voice) -> None:
    first, second, *_rest = list_usable(voice)
    Path(first.file.path).unlink()
    with pytest.raises(ActionRefused, match="The file of “z last name.wav” is missing or changed"):
        prepare_download(voice, studio.producer, Layout.HUGGING_FACE, only_in_builds=False)
    replace_file(second.file, b"fLaC")
    with pytest.raises(ActionRefused, match="The files of “z last name.wav” and “a.flac” are missing or changed"):
        prepare_download(voice, studio.producer, Layout.VOICEHUB, only_in_builds=False)
    assert not DatasetDownload.objects.exists()


def test_too_large_archive_is_refused(studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_zip, "MAX_BYTES", 1000)
    with pytest.raises(ActionRefused, match="A download has at most 2 GB"):
        prepare_download(voice, studio.producer, Layout.VOICEHUB, only_in_builds=False)
    assert not DatasetDownload.objects.exists()


def test_voice_without_usable_recordings_is_refused(studio: Studio) -> None:
    voice = studio.make_voice()
    add_recording(voice, make_upload("notes.wav", b"no sound at all"), studio.producer)
    with pytest.raises(ActionRefused, match="No recording matches"):
        prepare_download(voice, studio.producer, Layout.VOICEHUB, only_in_builds=False)


def test_pieces_are_small_and_queries_do_not_grow(
    studio: Studio, voice: Voice, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset_download, "BLOCK", 1000)
    with django_assert_num_queries(4):  # the recordings, the consents, the contracts, and the record
        prepared = prepare_download(voice, studio.producer, Layout.VOICEHUB, only_in_builds=False)
    assert max(len(chunk) for chunk in prepared.chunks) < 5000 < list_usable(voice)[0].size
