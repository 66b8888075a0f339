"""Makes many clean clips from the voices in sample/: whole files, halves and joined pairs, at every sample rate."""

from functools import cache
from itertools import pairwise

import numpy as np
import soundfile

from tests.support.wav import SAMPLE_FOLDER, Samples, make_white_noise

SAMPLE_RATE = 16000
RATES = (8000, 16000, 22050, 44100, 48000)
VOICES = ("slt", "rms", "awb")
EDGE_SECONDS = 0.15
"""Seconds of room noise at both ends of each file in sample/."""
ROOM_DBFS = -66.0


@cache
def load_speech_clips() -> dict[str, Samples]:
    """Load the files of sample/ that contain speech, by name, at 16 kHz."""
    paths = [path for path in sorted(SAMPLE_FOLDER.glob("*.flac")) if path.stem != "rms-silent"]
    return {path.stem: soundfile.read(path, dtype="float64")[0] for path in paths}


@cache
def build_clean_clips() -> dict[str, Samples]:
    """Return the whole clips, their halves, and each clip joined with the next of its voice, by name, at 16 kHz."""
    whole = load_speech_clips()
    half_clips = {f"{name}, {label}": half for name, clip in whole.items() for label, half in _split_in_half(clip)}
    pairs = [(first, second) for first, second in pairwise(whole) if first[:3] == second[:3] and second[-1].isdigit()]
    return (
        whole
        | half_clips
        | {f"{first} and {second}": join_clips(whole[first], whole[second]) for first, second in pairs}
    )


def _split_in_half(clip: Samples) -> list[tuple[str, Samples]]:
    """Split a clip at the quietest 0.1 s of its middle third, and add room noise where it was split."""
    frame = SAMPLE_RATE // 10
    third = len(clip) // 3
    energies = [float(np.sum(clip[start : start + frame] ** 2)) for start in range(third, 2 * third, frame // 4)]
    split_at = third + int(np.argmin(energies)) * (frame // 4) + frame // 2
    edge = make_room_noise(EDGE_SECONDS)
    return [("first half", np.append(clip[:split_at], edge)), ("second half", np.append(edge, clip[split_at:]))]


def make_room_noise(seconds: float, rate: int = SAMPLE_RATE, level: float = ROOM_DBFS) -> Samples:
    return make_white_noise(seconds, level, rate, seed=7)


def join_clips(first: Samples, second: Samples) -> Samples:
    return np.concatenate((first, make_room_noise(0.3), second))


def resample_clip(clip: Samples, rate: int, source: int = SAMPLE_RATE) -> Samples:
    """Resample the clip without energy above half of the lower sample rate."""
    count = round(len(clip) * rate / source)
    return np.asarray(np.fft.irfft(np.fft.rfft(clip), count) * count / len(clip))


def simulate_recording(clip: Samples, rate: int) -> Samples:
    """Change the clip as if recorded at `rate`: its band from 4 to 8 kHz is repeated above 8 kHz, each time weaker.

    The voices in sample/ contain no energy above 8 kHz. In a 48 kHz file that would be a defect.
    """
    if rate <= SAMPLE_RATE:
        return resample_clip(clip, rate)
    spectrum = np.fft.rfft(clip)
    half = len(spectrum) // 2
    bands = [spectrum, *(spectrum[-half:] * 0.4**number for number in range(1, 5))]
    count = round(len(clip) * rate / SAMPLE_RATE)
    wide = np.concatenate(bands)[: count // 2 + 1]
    return (
        np.asarray(np.fft.irfft(wide, count) * count / len(clip)) + make_room_noise(count / rate, rate, -80.0)[:count]
    )
