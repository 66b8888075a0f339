"""Clean clips in plenty, made of the voices in sample/: whole, cut, joined, at every rate."""

from functools import cache
from itertools import pairwise

import numpy as np
import soundfile

from tests.support.wav import SAMPLE, Samples, noise

SAMPLE_RATE = 16000
RATES = (8000, 16000, 22050, 44100, 48000)
VOICES = ("slt", "rms", "awb")
EDGE = 0.15
"""Seconds of room that the files in sample/ have at both ends."""
ROOM_DBFS = -66.0


@cache
def spoken() -> dict[str, Samples]:
    """The files in which somebody speaks, by name, at 16 kHz."""
    paths = [path for path in sorted(SAMPLE.glob("*.flac")) if path.stem != "rms-silent"]
    return {path.stem: soundfile.read(path, dtype="float64")[0] for path in paths}


@cache
def clean() -> dict[str, Samples]:
    """Whole clips, the halves of each, and each two of a series joined; by name, at 16 kHz."""
    whole = spoken()
    halves = {f"{name}, {part}": half for name, clip in whole.items() for part, half in _halves(clip)}
    series = [(one, two) for one, two in pairwise(whole) if one[:3] == two[:3] and two[-1].isdigit()]
    return whole | halves | {f"{one} and {two}": joined(whole[one], whole[two]) for one, two in series}


def _halves(clip: Samples) -> list[tuple[str, Samples]]:
    """Cut in the quietest tenth of a second of its middle third, with room around."""
    frame = SAMPLE_RATE // 10
    third = len(clip) // 3
    energies = [float(np.sum(clip[start : start + frame] ** 2)) for start in range(third, 2 * third, frame // 4)]
    cut = third + int(np.argmin(energies)) * (frame // 4) + frame // 2
    return [("first half", np.append(clip[:cut], room(EDGE))), ("second half", np.append(room(EDGE), clip[cut:]))]


def room(seconds: float, rate: int = SAMPLE_RATE, level: float = ROOM_DBFS) -> Samples:
    return noise(seconds, level, rate, seed=7)


def joined(one: Samples, two: Samples) -> Samples:
    return np.concatenate((one, room(0.3), two))


def resampled(clip: Samples, rate: int, source: int = SAMPLE_RATE) -> Samples:
    """The same band at another rate, exactly: above half of the lower rate there is nothing."""
    count = round(len(clip) * rate / source)
    return np.asarray(np.fft.irfft(np.fft.rfft(clip), count) * count / len(clip))


def recorded(clip: Samples, rate: int) -> Samples:
    """As if it had been recorded at this rate: its band from 4 to 8 kHz is heard again above, each time more weakly.

    Voices in sample/ end at 8 kHz, and a file that ends there at 48 kHz has a defect.
    """
    if rate <= SAMPLE_RATE:
        return resampled(clip, rate)
    spectrum = np.fft.rfft(clip)
    half = len(spectrum) // 2
    bands = [spectrum, *(spectrum[-half:] * 0.4**number for number in range(1, 5))]
    count = round(len(clip) * rate / SAMPLE_RATE)
    wide = np.concatenate(bands)[: count // 2 + 1]
    return np.asarray(np.fft.irfft(wide, count) * count / len(clip)) + room(count / rate, rate, -80.0)[:count]
