"""The WAVs that an import converts have a limit in total, and none stays in a temporary folder after its batch."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.zips import ZipMember, build_zip
from tests.voices.import_rows import add_files, check, make_added_import, make_checked_import
from tests.voices.rows import Studio, make_clip
from tests.voices.services.imports.test_archives import encode_flac
from voicehub.upload_limits import IMPORT_WAV_BYTES
from voices.models import Import, Voice
from voices.services.imports import archives, clips, room
from voices.services.imports import check as check_service
from voices.services.imports.choices import choose_code_page

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

WAV_SIZE = len(make_clip(1))


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


@pytest.fixture(autouse=True)
def _small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for two WAVs and a half."""
    monkeypatch.setattr(room, "IMPORT_WAV_BYTES", 5 * WAV_SIZE // 2)


def make_flacs(*numbers: int) -> dict[str, bytes]:
    return {f"{number}.flac": encode_flac(make_clip(number)) for number in numbers}


def list_codes(import_set: Import) -> dict[str, str]:
    """The first finding of each clip, or its state if it is not refused."""
    return {
        clip.name: clip.findings[0]["code"] if clip.status == "refused" else clip.status
        for clip in import_set.clips.all()
    }


def test_loose_files_without_room_are_named_and_the_others_stay(studio: Studio, voice: Voice) -> None:
    import_set = make_checked_import(voice, studio.producer, make_flacs(1, 2, 3, 4) | {"5.wav": make_clip(5)})
    refused = {"3.flac": "wavs_too_big", "4.flac": "wavs_too_big"}
    assert list_codes(import_set) == {"1.flac": "ready", "2.flac": "ready", "5.wav": "ready"} | refused
    (finding,) = import_set.clips.get(name="3.flac").findings
    assert finding["text"] == "It was not converted: the WAVs of this import would take more than 10 GB."
    assert f"{IMPORT_WAV_BYTES >> 30} GB" in finding["text"]
    assert [clip.wav_size for clip in import_set.clips.exclude(wav="")] == [WAV_SIZE, WAV_SIZE]


def test_files_that_arrive_later_have_the_room_that_is_left(studio: Studio, voice: Voice) -> None:
    import_set = make_checked_import(voice, studio.producer, make_flacs(1))
    add_files(import_set, make_flacs(2))
    check(import_set)
    add_files(import_set, make_flacs(3))
    check(import_set)
    assert list_codes(import_set) == {"1.flac": "ready", "2.flac": "ready", "3.flac": "wavs_too_big"}


def test_archives_count_too(studio: Studio, voice: Voice) -> None:
    """They are checked first."""
    members = [ZipMember(name.encode(), data) for name, data in make_flacs(2, 3, 4).items()]
    files = make_flacs(1) | {"x.zip": build_zip(*members)}
    import_set = make_checked_import(voice, studio.producer, files)
    refused = {"1.flac": "wavs_too_big", "4.flac": "wavs_too_big"}
    assert list_codes(import_set) == {"2.flac": "ready", "3.flac": "ready"} | refused


def test_archive_that_is_read_again_has_the_same_room(studio: Studio, voice: Voice) -> None:
    members = [ZipMember(f"ü{number}.flac".encode("cp850"), encode_flac(make_clip(number))) for number in (1, 2)]
    import_set = make_checked_import(voice, studio.producer, {"x.zip": build_zip(*members)})
    choose_code_page(import_set.files.get(), "cp866")
    check(import_set)
    assert set(list_codes(import_set).values()) == {"ready"} and import_set.clips.count() == 2


@pytest.mark.parametrize("kind", ["loose", "archive"])
@pytest.mark.parametrize("is_other_disk", [False, True])
def test_temporary_files_are_deleted_with_their_batch(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch, kind: str, is_other_disk: bool
) -> None:
    """Also of duplicates, which are not stored, and if the storage gets a copy."""
    monkeypatch.setattr(room, "IMPORT_WAV_BYTES", IMPORT_WAV_BYTES)
    for module in (archives, check_service):
        monkeypatch.setattr(module, "BATCH_SIZE", 2)
    left = list[list[str]]()
    store = clips.store_clips

    def watch(import_set: Import, sounds: Any, *arguments: Any) -> int:
        folders = {path.parent for sound in sounds for path in list_temporary(sound)}
        result = store(import_set, sounds, *arguments)
        mine = {path.name for sound in sounds for path in list_temporary(sound)}
        left.append([path.name for folder in folders for path in folder.iterdir() if path.name in mine])
        return result

    for module in (archives, check_service):
        monkeypatch.setattr(module, "store_clips", watch)
    if is_other_disk:
        monkeypatch.setattr(Path, "rename", refuse)
    flacs = make_flacs(1, 2, 3) | {"copy.flac": encode_flac(make_clip(1))}
    make_added_import(voice, studio.producer, make_flacs(1))
    files = flacs if kind == "loose" else {"x.zip": build_zip(*(ZipMember(n.encode(), d) for n, d in flacs.items()))}
    import_set = make_checked_import(voice, studio.producer, files)
    assert len(left) >= 2 and not any(left)
    assert import_set.clips.exclude(wav="").count() == 2 == import_set.clips.filter(status="duplicate").count()


def list_temporary(sound: Any) -> Iterator[Path]:
    yield from (path for path in (sound.wav, sound.path if sound.is_spare else None) if path)


def refuse(_path: Path, _target: Path) -> None:
    raise OSError(18, "Invalid cross-device link")
