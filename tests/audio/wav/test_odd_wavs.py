"""What FFmpeg and libsndfile both read of an odd WAV, VoiceHub reads. tests/long asks SoX too, about all of them."""

import io

import av
import numpy as np
import pytest
import soundfile

from audio.findings.thresholds import THRESHOLDS
from audio.ingest import ingest_audio
from audio.levels.inspection import DurationLimits
from tests.support.odd_wavs import OddWav, list_odd_wavs
from tests.support.sounds import load_sample_voice

ANY_LENGTH = DurationLimits(0, 1e9)
SAMPLES = load_sample_voice()[0][:16000]
WAVS = list(list_odd_wavs(SAMPLES))
TOLERATED_FRAMES = 2
"""A length that is off by a frame may cost that frame."""


def count_frames_of_ffmpeg(wav: OddWav) -> int:
    try:
        with av.open(io.BytesIO(wav.data), "r") as container:
            return sum(frame.samples for frame in container.decode(audio=0))
    except av.FFmpegError:
        return 0


def count_frames_of_libsndfile(wav: OddWav) -> int:
    try:
        return len(soundfile.read(io.BytesIO(wav.data))[0])
    except soundfile.LibsndfileError:
        return 0


def count_own_frames(wav: OddWav) -> int:
    """0 if VoiceHub refuses the file."""
    with ingest_audio(io.BytesIO(wav.data), ANY_LENGTH, THRESHOLDS) as result:
        return result.inspection.header.frames if result.ok and result.inspection.header else 0


def is_read(frames: int, wav: OddWav) -> bool:
    return abs(frames - wav.frames) <= TOLERATED_FRAMES


@pytest.mark.parametrize("wav", WAVS[::6], ids=lambda wav: wav.name)
def test_what_all_readers_read_is_read(wav: OddWav) -> None:
    judges = (count_frames_of_ffmpeg, count_frames_of_libsndfile)
    if all(is_read(judge(wav), wav) for judge in judges):
        assert is_read(count_own_frames(wav), wav)


def test_judges_read_most_of_many_files() -> None:
    """So that the test above says something."""
    assert len(WAVS) >= 400 and np.abs(SAMPLES).max() > 0.05
    read = [wav for wav in WAVS[::6] if is_read(count_frames_of_libsndfile(wav), wav)]
    assert len(read) > 0.8 * len(WAVS[::6])
