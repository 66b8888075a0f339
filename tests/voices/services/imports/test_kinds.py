"""The table of docs/imports.md, against what an import makes of each file."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from voices.models import ImportFileKind
from voices.services.imports.kinds import find_kind, is_plain_wav

KINDS = {
    "a recording": ImportFileKind.AUDIO,
    "its recordings and texts": ImportFileKind.ARCHIVE,
    "named as an archive": ImportFileKind.ARCHIVE,
    "a table of transcripts": ImportFileKind.TEXT,
    "the transcript": ImportFileKind.TEXT,
    "left out and counted": ImportFileKind.SIDE,
}


def list_rows() -> list[tuple[str, str]]:
    page = Path(settings.BASE_DIR, "docs", "imports.md").read_text(encoding="utf-8")
    table = page.split("## What is taken")[1].split("##")[0]
    cells = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| `")]
    return [(name, what) for files, what in cells for name in re.findall("`([^`]+)`", files)]


@pytest.mark.parametrize(("name", "what"), list_rows())
def test_documented_file_is_taken_as_the_page_says(name: str, what: str) -> None:
    kind = next(kind for start, kind in KINDS.items() if what.startswith(start))
    for full in {name} if name[0].isalnum() else {f"take{name}", f"folder/TAKE{name.upper()}"}:
        assert find_kind(name if name == ".DS_Store" else full, b"") == kind


def test_every_extension_that_is_read_is_documented() -> None:
    from audio.archives.kinds import EXTENSIONS
    from audio.transcripts.names import AUDIO_SUFFIX_PATTERN, TABLE_SUFFIXES

    documented = {name for name, _what in list_rows()}
    assert documented >= {*EXTENSIONS, *TABLE_SUFFIXES}
    tried = {f".{first}{rest}" for first in "abcdefghimoprtuvwx" for rest in ("", "a")}
    assert not {name for name in tried - documented if AUDIO_SUFFIX_PATTERN.search(f"a{name}")}


def test_first_bytes_tell_a_file_without_extension() -> None:
    assert find_kind("take", b"fLaC") == ImportFileKind.AUDIO
    assert find_kind("take", b"PK\x03\x04") == ImportFileKind.ARCHIVE
    assert find_kind("take", b"words") == ImportFileKind.OTHER
    assert is_plain_wav("a/B.WAV") and not is_plain_wav("._a.wav") and not is_plain_wav("a.flac")
