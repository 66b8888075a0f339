"""A WAV with a wrong length is read whole, and the finding says so."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from audio.wav.convert import convert_to_wav
from tests.support.sounds import load_sample_voice
from tests.support.wav import make_wav_bytes

VOICE, RATE = load_sample_voice()

WRONG_LENGTHS: dict[str, tuple[dict[str, Any], str]] = {
    "file size as RIFF length": ({"riff_size_shift": 8}, "more_than_sound"),
    "pipe of SoX": ({"riff_size": 0x7FFFF024, "data_size": 0x7FFFF000}, "read_to_end"),
    "pipe of FFmpeg": ({"riff_size": 0xFFFFFFFF, "data_size": 0xFFFFFFFF}, "read_to_end"),
    "killed recorder": ({"riff_size": 0, "data_size": 0}, "read_to_end"),
    "no length of the sound": ({"data_size": 0}, "read_to_end"),
}


@pytest.mark.parametrize(("fields", "finding"), WRONG_LENGTHS.values(), ids=WRONG_LENGTHS)
@pytest.mark.parametrize("channels", [1, 2])
def test_whole_sound_is_read_if_only_a_length_is_wrong(
    tmp_path: Path, fields: dict[str, Any], finding: str, channels: int
) -> None:
    frames = np.repeat((VOICE * 32768).astype("<i2")[:, None], channels, axis=1)
    data = make_wav_bytes(data=frames.tobytes(), rate=RATE, channels=channels, **fields)
    wav = convert_to_wav(io.BytesIO(data), tmp_path / "sound.wav")
    assert finding in {one.code for one in wav.findings} and wav.header.frames == len(VOICE)
    assert np.abs(soundfile.read(wav.path)[0] - VOICE).max() <= 2 / 32768
