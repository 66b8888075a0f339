"""What FFmpeg, libsndfile and SoX all read of hundreds of odd WAVs, VoiceHub reads."""

import shutil
import subprocess

import pytest

from tests.audio.wav.test_odd_wavs import (
    WAVS,
    count_frames_of_ffmpeg,
    count_frames_of_libsndfile,
    count_own_frames,
    is_read,
)
from tests.support.odd_wavs import OddWav


def count_frames_of_sox(wav: OddWav, program: str) -> int:
    command = [program, "-t", "wav", "-", "-t", "raw", "-e", "signed", "-b", "16", "-"]
    completed = subprocess.run(command, input=wav.data, capture_output=True, check=False)
    return len(completed.stdout) // (2 * wav.channels) if completed.returncode == 0 else 0


def test_what_three_programs_read_is_read() -> None:
    program = shutil.which("sox")
    if program is None:
        pytest.skip("SoX is not installed. On Debian and Ubuntu: apt install sox")
    unread = [
        wav.name
        for wav in WAVS
        if is_read(count_frames_of_sox(wav, program), wav)
        and is_read(count_frames_of_ffmpeg(wav), wav)
        and is_read(count_frames_of_libsndfile(wav), wav)
        and not is_read(count_own_frames(wav), wav)
    ]
    assert unread == []
