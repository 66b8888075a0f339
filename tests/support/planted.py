"""Clean voices with one defect each, put in at a known time: what a check of sound must find."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from tests.support import worse
from tests.support.clips import RATES, recorded, resampled, room, spoken
from tests.support.wav import Samples, gain, noise, seconds, tone

NARROW = (8000,)
WIDE = tuple(rate for rate in RATES if rate not in NARROW)
FAST = tuple(rate for rate in RATES if rate > 16000)


@dataclass(frozen=True)
class Sound:
    """Samples, and where the defect is: in seconds from the start, None for one that is everywhere."""

    samples: Samples
    at: float | None = None


@dataclass(frozen=True)
class Planted:
    """A defect by the code that must be found; `also` are codes that may be found with it.

    `cheap`: `inspect` finds it too, without listening to where speech, spectrum and room are.
    """

    code: str
    make: Callable[[int], Sound]
    rates: tuple[int, ...] = RATES
    also: frozenset[str] = frozenset()
    cheap: bool = True


@cache
def voice(rate: int, name: str = "slt-01") -> Samples:
    return recorded(spoken()[name], rate)


def loud_place(samples: Samples, rate: int, after: float) -> int:
    """The middle of the loudest 0.1 s within the second after a time: speech stops and begins there at once."""
    width, first = rate // 10, round(after * rate)
    starts = range(first, first + rate, width // 4)
    return max(starts, key=lambda start: float(np.sum(samples[start : start + width] ** 2))) + width // 2


def clipping(rate: int) -> Sound:
    """One second too loud for the converter, in the middle of a voice that is not."""
    samples = voice(rate).copy()
    part = samples[2 * rate : 3 * rate]
    top = np.abs(samples).max()
    part[:] = np.clip(part * 6, -top, top)
    return Sound(samples, 2 + float(np.argmax(np.abs(part) >= top)) / rate)


def few_flat_tops(rate: int) -> Sound:
    samples = voice(rate).copy()
    place = round(2.5 * rate)
    for number in range(8):
        samples[place + 40 * number :][: max(4, round(len(samples) * 4e-5))] = 0.9
    return Sound(samples, 2.5)


def pause(rate: int) -> Sound:
    """Two seconds of room in the middle of a vowel."""
    samples = voice(rate)
    cut = loud_place(samples, rate, 2.0)
    return Sound(np.concatenate((samples[:cut], room(2.0, rate), samples[cut:])), cut / rate)


def late_start(rate: int) -> Sound:
    samples = voice(rate)
    return Sound(np.concatenate((room(1.4, rate), samples[loud_place(samples, rate, 0.3) :])), 0.0)


def late_end(rate: int) -> Sound:
    samples = voice(rate)
    cut = loud_place(samples, rate, 3.5)
    return Sound(np.concatenate((samples[:cut], room(1.4, rate))), cut / rate)


def mostly_room(rate: int) -> Sound:
    return Sound(np.concatenate((room(0.8, rate), voice(rate)[: 2 * rate], room(0.9, rate), room(1.9, rate))))


def noisy(snr_db: float) -> Callable[[int], Sound]:
    return lambda rate: Sound(np.asarray(worse.noisy(np.asarray(voice(rate), np.float32), snr_db), np.float64))


def echoing(t60: float) -> Callable[[int], Sound]:
    return lambda rate: Sound(np.asarray(worse.echoing(np.asarray(voice(rate), np.float32), rate, t60), np.float64))


def humming(mains: int) -> Callable[[int], Sound]:
    """Hum with four harmonics, 20 dB under the voice."""

    def make(rate: int) -> Sound:
        samples = voice(rate)
        lines = sum(tone(len(samples) / rate, rate, mains * (n + 1), 1 / (n + 1)) for n in range(5))
        return Sound(samples + lines * gain(-40.0) / np.std(lines))

    return make


def blown_up(source: int) -> Callable[[int], Sound]:
    return lambda rate: Sound(resampled(voice(source), rate, source))


def muffled(rate: int) -> Sound:
    """As through cloth: from 2 kHz on the level falls by 24 dB an octave."""
    samples = voice(rate)
    places = np.fft.rfftfreq(len(samples), 1 / rate)
    return Sound(np.asarray(np.fft.irfft(np.fft.rfft(samples) / (1 + (places / 2000) ** 2) ** 2, len(samples))))


def shifted(offset: float) -> Callable[[int], Sound]:
    return lambda rate: Sound(voice(rate) + offset)


def louder(decibels: float) -> Callable[[int], Sound]:
    return lambda rate: Sound(voice(rate) * gain(decibels))


def overdriven(rate: int) -> Sound:
    return Sound(np.tanh(voice(rate) * 12) * 0.7)


def near_full_scale(rate: int) -> Sound:
    samples = voice(rate)
    return Sound(samples * 0.98 / np.abs(samples).max())


def nothing(rate: int) -> Sound:
    return Sound(np.zeros(3 * rate))


def room_only(rate: int) -> Sound:
    return Sound(room(3.0, rate))


def hiss(rate: int) -> Sound:
    return Sound(noise(3.0, -35.0, rate))


def whistle(rate: int) -> Sound:
    return Sound(tone(3.0, rate, 440.0, 0.1) * np.minimum(1, seconds(3.0, rate) * 20) + room(3.0, rate))


def as_it_is(rate: int) -> Sound:
    return Sound(voice(rate))


PLANTED = {
    "clipped for a second": Planted("clipping", clipping),
    "a few flat tops": Planted("clipping_slight", few_flat_tops),
    "a pause of two seconds": Planted("long_pause", pause),
    "a late start": Planted("silence_at_start", late_start),
    "a late end": Planted("silence_at_end", late_end),
    "mostly the room": Planted("little_speech", mostly_room, also=frozenset({"silence_at_end"})),
    "10 dB over white noise": Planted("noisy", noisy(10.0)),
    "20 dB over white noise": Planted("noise_heard", noisy(20.0)),
    "a room of 0.6 s": Planted("reverberant", echoing(0.6), also=frozenset({"noise_heard"}), cheap=False),
    "hum at 50 Hz": Planted("hum", humming(50), also=frozenset({"noise_heard"}), cheap=False),
    "hum at 60 Hz": Planted("hum", humming(60), also=frozenset({"noise_heard"}), cheap=False),
    "from 8 kHz": Planted("upsampled", blown_up(8000), WIDE, cheap=False),
    "from 16 kHz": Planted("upsampled", blown_up(16000), FAST, cheap=False),
    "from 22.05 kHz": Planted("upsampled", blown_up(22050), (44100, 48000), cheap=False),
    "through cloth": Planted("narrow_band", muffled, WIDE, cheap=False),
    "an offset": Planted("dc_offset", shifted(0.03)),
    "an offset downwards": Planted("dc_offset", shifted(-0.03)),
    "16 dB too quiet": Planted("too_quiet", louder(-16.0)),
    "far too loud": Planted("too_loud", overdriven, also=frozenset({"clipping_slight", "dc_offset"})),
    "near full scale": Planted("peak_high", near_full_scale, also=frozenset({"too_loud"})),
    "nothing": Planted("silent", nothing),
    "the room": Planted("silent", room_only),
    "hiss": Planted("no_speech", hiss),
    "a whistle": Planted("no_speech", whistle),
    "on a telephone": Planted("telephone_band", as_it_is, NARROW),
}
