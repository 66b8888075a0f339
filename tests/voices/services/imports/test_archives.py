"""Archives and odd files through an import: what is added, and what each refused file says."""

import io

import pytest
import soundfile
from django.test import Client
from django.urls import reverse

from tests.support.zips import ZipMember, build_zip
from tests.voices.import_rows import add, check, make_added_import, make_checked_import
from tests.voices.rows import Studio, make_clip, make_upload
from voices.models import Import, ImportClipState, Recording, Voice
from voices.services.imports import archives
from voices.services.imports.add import start_adding

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


def pack(files: dict[str, bytes]) -> dict[str, bytes]:
    return {"day-1.zip": build_zip(*(ZipMember(name.encode(), data) for name, data in files.items()))}


def encode_flac(data: bytes) -> bytes:
    samples, rate = soundfile.read(io.BytesIO(data))
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="FLAC", subtype="PCM_24")
    return buffer.getvalue()


def list_states(import_set: Import) -> dict[str, str]:
    return dict(import_set.clips.values_list("name", "status"))


def list_refused(import_set: Import) -> dict[str, str]:
    """The first finding of each clip that is refused, by name."""
    refused = import_set.clips.filter(status=ImportClipState.REFUSED)
    return {clip.name: clip.findings[0]["code"] for clip in refused}


def list_transcripts(voice: Voice) -> dict[str, str]:
    return dict(voice.recordings.values_list("file_name", "transcript"))


def test_archive_adds_recordings_with_their_transcripts(studio: Studio, voice: Voice) -> None:
    files = {
        "metadata.csv": b"one|The first line.\nTWO|The second line.\n", "one.wav": make_clip(1),
        "TWO.WAV": make_clip(2), "three.flac": encode_flac(make_clip(3)), "cut.wav": make_clip(4)[:-100],
        "short.wav": make_clip(5, 0.5), "notes.txt": b"Recorded on Tuesday.",
    }  # fmt: skip
    import_set = make_added_import(voice, studio.producer, pack(files))
    assert list_transcripts(voice) == {"one.wav": "The first line.", "TWO.WAV": "The second line.", "three.flac": ""}
    assert all(row.is_usable for row in voice.recordings.all())
    with voice.recordings.get(file_name="one.wav").file.open("rb") as stored:
        assert stored.read() == files["one.wav"]
    assert list_refused(import_set) == {"cut.wav": "truncated", "short.wav": "too_short"}


def test_archive_that_comes_again_adds_only_new_recordings(studio: Studio, voice: Voice) -> None:
    make_added_import(voice, studio.producer, pack({"one.wav": make_clip(1)}))
    second = make_added_import(voice, studio.producer, pack({"renamed.wav": make_clip(1), "two.wav": make_clip(2)}))
    assert list_states(second) == {"renamed.wav": "duplicate", "two.wav": "added"}
    assert second.clips.get(name="renamed.wav").recording == voice.recordings.get(file_name="one.wav")
    assert set(list_transcripts(voice)) == {"one.wav", "two.wav"}


def test_conversion_stops_at_a_total_size_of_wav(studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "BATCH_SIZE", 1)
    monkeypatch.setattr(archives, "ARCHIVE_WAV_BYTES", len(make_clip(1)) + 1)
    files = {f"{number}.flac": encode_flac(make_clip(number)) for number in (1, 2, 3)}
    import_set = make_checked_import(voice, studio.producer, pack(files))
    assert list_refused(import_set) == {"2.flac": "archive_too_big", "3.flac": "archive_too_big"}
    assert list_states(import_set) == {"1.flac": "ready", "2.flac": "refused", "3.flac": "refused"}


@pytest.mark.parametrize("kind", ["path that leads out", "end cut off"])
def test_archive_is_refused_as_a_whole(studio: Studio, voice: Voice, kind: str) -> None:
    files = pack({"one.wav": make_clip(1), "../../two.wav": make_clip(2)})
    if kind == "end cut off":
        files = {"x.zip": pack({"one.wav": make_clip(1)})["day-1.zip"][:-30]}
    import_set = make_checked_import(voice, studio.producer, files)
    assert not import_set.clips.exists()
    (finding,) = import_set.files.get().findings
    assert finding["severity"] == "refused" and finding["text"] and finding["advice"]


def test_damaged_file_of_an_archive_is_refused_and_the_others_are_ready(studio: Studio, voice: Voice) -> None:
    data = build_zip(ZipMember(b"a.wav", make_clip(1)), ZipMember(b"b.wav", make_clip(2), crc=1))
    import_set = make_checked_import(voice, studio.producer, {"x.zip": data})
    assert list_states(import_set) == {"a.wav": "ready", "b.wav": "refused"}
    assert "checksum" in import_set.clips.get(name="b.wav").findings[0]["text"]


def test_names_in_an_old_archive_are_in_the_code_page_of_the_language(studio: Studio, voice: Voice) -> None:
    Voice.objects.filter(pk=voice.pk).update(language="pl-PL")
    data = build_zip(ZipMember("Łódź.wav".encode("cp852"), make_clip(1)))
    import_set = make_added_import(voice, studio.producer, {"x.zip": data})
    assert set(list_transcripts(voice)) == {"Łódź.wav"}
    file = import_set.files.get()
    assert file.code_page == "cp852" and "code page 852" in file.findings[0]["text"]


# --- Odd files ---

INVALID_FILES = {
    "html": b"<html><script>alert(1)</script>",
    "riff only": b"RIFF",
    "truncated": make_clip()[:1000],
    "wrong size field": make_clip()[:40] + b"\xff\xff\xff\x6f" + make_clip()[44:],
    "mp3": b"ID3\x04\x00" + b"\0" * 2000,
    "zip": b"PK\x03\x04" + b"\0" * 100,
}


def test_invalid_files_are_refused_with_a_reason_and_advice(studio: Studio, voice: Voice) -> None:
    files = {f"{kind}.wav": data for kind, data in INVALID_FILES.items()} | {"good.wav": make_clip(1)}
    import_set = make_added_import(voice, studio.producer, files)
    assert set(list_refused(import_set)) == {f"{kind}.wav" for kind in INVALID_FILES}
    refused = import_set.clips.filter(status=ImportClipState.REFUSED)
    assert all(clip.findings[0]["text"] and clip.findings[0]["advice"] for clip in refused)
    assert voice.recordings.get().file_name == "good.wav"


REPAIRABLE_FILES = {
    "junk at the end.wav": make_clip(1) + b"junk",
    "size field never written.wav": make_clip(2)[:4] + b"\xff\xff\xff\xff" + make_clip(2)[8:],
}


def test_repairable_files_are_added_beside_their_repaired_sound(studio: Studio, voice: Voice) -> None:
    make_added_import(voice, studio.producer, REPAIRABLE_FILES)
    sounds = dict(zip(REPAIRABLE_FILES, (make_clip(1), make_clip(2)), strict=True))
    for recording in voice.recordings.all():
        assert recording.is_usable and {finding["severity"] for finding in recording.findings} == {"put_right"}
        with recording.file.open("rb") as file, recording.sound.open("rb") as sound:
            assert file.read() == REPAIRABLE_FILES[recording.file_name]
            assert sound.read()[44:] == sounds[recording.file_name][44:]
    assert voice.recordings.count() == 2


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.csv", b""), ("m.csv", b"no separator"), ("m.csv", b"\xff\xfe\x00bad"), ("m.csv", b"|only text"),
        ("a.txt", b" \n"),
    ],
    ids=["empty", "no separator", "broken", "no name", "empty text of a clip"],
)  # fmt: skip
def test_table_without_transcripts_changes_nothing(studio: Studio, voice: Voice, name: str, content: bytes) -> None:
    import_set = make_added_import(voice, studio.producer, {"a.wav": make_clip(1), name: content})
    assert list_transcripts(voice) == {"a.wav": ""}
    assert list_states(import_set) == {"a.wav": "added"}


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.wav", "x" * 300 + ".wav", "a\x00b.wav", "\u202evaw.exe.wav", "ä ö.wav"]
)
def test_name_of_a_file_never_reaches_the_disk(voice: Voice, name: str, producer_client: Client) -> None:
    url = reverse("voices:import_create", args=[voice.pk])
    producer_client.post(url, {"recordings": [make_upload(name)]})
    import_set = Import.objects.get()
    file = import_set.files.get()
    assert file.file.name == f"imports/{import_set.pk}/{file.pk}/file"
    check(import_set)
    start_adding(import_set, import_set.by)
    add(import_set)
    recording = Recording.objects.get()
    assert recording.file.name == f"recordings/{voice.pk}/{recording.pk}.wav"
