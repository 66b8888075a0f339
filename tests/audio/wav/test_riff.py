"""The strict WAV reader refuses each named hostile file."""

import io

import pytest

from audio.findings.catalog_wav import DAMAGED, NOT_A_WAV, WRONG_FORMAT
from audio.findings.findings import Severity
from audio.wav.riff import WavHeader, WavRefused, read_header
from tests.support.wav import CLEAN_WAVS, HOSTILE_WAVS, make_wav_bytes, make_wav_file

CODES_THAT_NEED_A_FAKE_FILE = {"decoder_disagrees", "changed_while_read"}


@pytest.mark.parametrize("name", HOSTILE_WAVS)
def test_hostile_file_is_refused_with_its_code(name: str) -> None:
    make_data, code = HOSTILE_WAVS[name]
    with pytest.raises(WavRefused) as refused:
        read_header(io.BytesIO(make_data()))
    assert refused.value.finding.code == code
    assert refused.value.finding.severity == Severity.ERROR
    assert refused.value.finding.advice


@pytest.mark.parametrize("name", CLEAN_WAVS)
def test_clean_file_is_accepted(name: str) -> None:
    data = CLEAN_WAVS[name]()
    header = read_header(io.BytesIO(data))
    assert (header.channels, header.bits) == (1, 16)
    assert header.seconds >= 2.0
    assert data[header.data_offset - 8 : header.data_offset - 4] == b"data"


def test_every_error_code_has_a_hostile_file() -> None:
    covered_codes = {code for _, code in HOSTILE_WAVS.values()} | CODES_THAT_NEED_A_FAKE_FILE
    assert covered_codes == set(NOT_A_WAV | DAMAGED | WRONG_FORMAT)


def test_header_has_the_values_of_a_plain_file() -> None:
    header = read_header(make_wav_file(data=bytes(48000), rate=48000))
    assert header == WavHeader(48000, 1, 16, 24000, 44)
    assert header.seconds == 0.5


def test_file_with_any_changed_header_byte_is_refused() -> None:
    valid = make_wav_bytes(data=bytes(3200))
    accepted = []
    for position in range(44):
        for value in range(256):
            changed = valid[:position] + bytes([value]) + valid[position + 1 :]
            if value != valid[position] and is_accepted(changed):
                accepted.append((position, value))
    assert accepted == []


def test_file_truncated_at_any_length_is_refused() -> None:
    valid = make_wav_bytes(data=bytes(600), after=[(b"LIST", b"abc")])
    assert [length for length in range(len(valid)) if is_accepted(valid[:length])] == []


def test_file_is_read_from_its_start_at_any_file_position() -> None:
    file = make_wav_file()
    file.seek(17)
    assert read_header(file).frames == 32000


def is_accepted(data: bytes) -> bool:
    try:
        read_header(io.BytesIO(data))
    except WavRefused:
        return False
    return True
