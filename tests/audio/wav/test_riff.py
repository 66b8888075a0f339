"""The strict reader against files that lie, by name."""

import io

import pytest

from audio.findings.catalog_wav import DAMAGED, NOT_A_WAV, WRONG_FORMAT
from audio.findings.findings import Severity
from audio.wav.riff import WavHeader, WavRefused, read_header
from tests.support.wav import CLEAN, HOSTILE, wav_bytes, wav_file

NEEDS_A_STRANGE_FILE_OBJECT = {"decoder_disagrees", "changed_while_read"}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file_is_refused_for_its_own_reason(name: str) -> None:
    recipe, code = HOSTILE[name]
    with pytest.raises(WavRefused) as refused:
        read_header(io.BytesIO(recipe()))
    assert refused.value.finding.code == code
    assert refused.value.finding.severity == Severity.ERROR
    assert refused.value.finding.advice


@pytest.mark.parametrize("name", CLEAN)
def test_clean_file_is_taken(name: str) -> None:
    data = CLEAN[name]()
    header = read_header(io.BytesIO(data))
    assert (header.channels, header.bits) == (1, 16)
    assert header.seconds >= 2.0
    assert data[header.data_offset - 8 : header.data_offset - 4] == b"data"


def test_every_reason_to_refuse_has_a_file_that_provokes_it() -> None:
    provoked = {code for _, code in HOSTILE.values()} | NEEDS_A_STRANGE_FILE_OBJECT
    assert provoked == set(NOT_A_WAV | DAMAGED | WRONG_FORMAT)


def test_header_of_a_plain_file() -> None:
    header = read_header(wav_file(data=bytes(48000), rate=48000))
    assert header == WavHeader(48000, 1, 16, 24000, 44)
    assert header.seconds == 0.5


def test_every_changed_byte_of_the_header_is_noticed() -> None:
    good = wav_bytes(data=bytes(3200))
    taken = []
    for place in range(44):
        for value in range(256):
            changed = good[:place] + bytes([value]) + good[place + 1 :]
            if value != good[place] and _is_taken(changed):
                taken.append((place, value))
    assert taken == []


def test_every_cut_is_noticed() -> None:
    good = wav_bytes(data=bytes(600), after=[(b"LIST", b"abc")])
    assert [length for length in range(len(good)) if _is_taken(good[:length])] == []


def test_position_of_the_file_does_not_matter() -> None:
    file = wav_file()
    file.seek(17)
    assert read_header(file).frames == 32000


def _is_taken(data: bytes) -> bool:
    try:
        read_header(io.BytesIO(data))
    except WavRefused:
        return False
    return True
