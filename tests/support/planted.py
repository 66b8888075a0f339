"""Clean voices with one known defect each, at a known time, that the audio checks must find."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from tests.support import worse
from tests.support.clips import RATES, recorded, resampled, room, spoken
from tests.support.wav import Samples, gain, noise, seconds, tone

NARROW = (8000,)
WIDE_RATES = tuple(rate for rate in RATES if rate not in NARROW)
FAST_RATES = tuple(rate for rate in RATES if rate > 16000)


@dataclass(frozen=True)
class Sound:
    """Samples, and the position of the defect in seconds from the start; None if it is everywhere."""

    samples: Samples
    at: float | None = None


@dataclass(frozen=True)
class Planted:
    """A defect: the code that must be found, how to make it, at which rates, and codes that may be found with it.

    The last field states whether `inspect` finds it too, without the analysis of speech, spectrum and room.
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
    """The middle of the loudest 0.1 s in the second after a time; a cut here is within speech."""
    width, first = rate // 10, round(after * rate)
    starts = range(first, first + rate, width // 4)
    return max(starts, key=lambda start: float(np.sum(samples[start : start + width] ** 2))) + width // 2


def make_clipping(rate: int) -> Sound:
    """A normal voice with one second in the middle that is too loud for the converter."""
    samples = voice(rate).copy()
    segment = samples[2 * rate : 3 * rate]
    top = np.abs(samples).max()
    segment[:] = np.clip(segment * 6, -top, top)
    return Sound(samples, 2 + float(np.argmax(np.abs(segment) >= top)) / rate)


def make_flat_tops(rate: int) -> Sound:
    samples = voice(rate).copy()
    place = round(2.5 * rate)
    for number in range(8):
        samples[place + 40 * number :][: max(4, round(len(samples) * 4e-5))] = 0.9
    return Sound(samples, 2.5)


def make_long_pause(rate: int) -> Sound:
    """Two seconds of room noise in the middle of a vowel."""
    samples = voice(rate)
    split_at = loud_place(samples, rate, 2.0)
    return Sound(np.concatenate((samples[:split_at], room(2.0, rate), samples[split_at:])), split_at / rate)


def make_late_start(rate: int) -> Sound:
    samples = voice(rate)
    return Sound(np.concatenate((room(1.4, rate), samples[loud_place(samples, rate, 0.3) :])), 0.0)


def make_late_end(rate: int) -> Sound:
    samples = voice(rate)
    split_at = loud_place(samples, rate, 3.5)
    return Sound(np.concatenate((samples[:split_at], room(1.4, rate))), split_at / rate)


def make_little_speech(rate: int) -> Sound:
    return Sound(np.concatenate((room(0.8, rate), voice(rate)[: 2 * rate], room(0.9, rate), room(1.9, rate))))


def make_noisy(snr_db: float) -> Callable[[int], Sound]:
    return lambda rate: Sound(np.asarray(worse.noisy(np.asarray(voice(rate), np.float32), snr_db), np.float64))


def make_reverberant(t60: float) -> Callable[[int], Sound]:
    return lambda rate: Sound(np.asarray(worse.echoing(np.asarray(voice(rate), np.float32), rate, t60), np.float64))


def make_hum(mains: int) -> Callable[[int], Sound]:
    """Hum with four harmonics, 20 dB below the voice."""

    def make(rate: int) -> Sound:
        samples = voice(rate)
        lines = sum(tone(len(samples) / rate, rate, mains * (n + 1), 1 / (n + 1)) for n in range(5))
        return Sound(samples + lines * gain(-40.0) / np.std(lines))

    return make


def make_upsampled(source: int) -> Callable[[int], Sound]:
    return lambda rate: Sound(resampled(voice(source), rate, source))


def make_muffled(rate: int) -> Sound:
    """As if recorded through cloth: above 2 kHz the level falls by 24 dB per octave."""
    samples = voice(rate)
    frequencies = np.fft.rfftfreq(len(samples), 1 / rate)
    return Sound(np.asarray(np.fft.irfft(np.fft.rfft(samples) / (1 + (frequencies / 2000) ** 2) ** 2, len(samples))))


def make_offset(offset: float) -> Callable[[int], Sound]:
    return lambda rate: Sound(voice(rate) + offset)


def make_level_change(decibels: float) -> Callable[[int], Sound]:
    return lambda rate: Sound(voice(rate) * gain(decibels))


def make_overdriven(rate: int) -> Sound:
    return Sound(np.tanh(voice(rate) * 12) * 0.7)


def make_near_full_scale(rate: int) -> Sound:
    samples = voice(rate)
    return Sound(samples * 0.98 / np.abs(samples).max())


def make_digital_silence(rate: int) -> Sound:
    return Sound(np.zeros(3 * rate))


def make_room_only(rate: int) -> Sound:
    return Sound(room(3.0, rate))


def make_hiss(rate: int) -> Sound:
    return Sound(noise(3.0, -35.0, rate))


def make_whistle(rate: int) -> Sound:
    return Sound(tone(3.0, rate, 440.0, 0.1) * np.minimum(1, seconds(3.0, rate) * 20) + room(3.0, rate))


def make_unchanged(rate: int) -> Sound:
    return Sound(voice(rate))


PLANTED = {
    "clipped for a second": Planted("clipping", make_clipping),
    "a few flat tops": Planted("clipping_slight", make_flat_tops),
    "a pause of two seconds": Planted("long_pause", make_long_pause),
    "a late start": Planted("silence_at_start", make_late_start),
    "a late end": Planted("silence_at_end", make_late_end),
    "mostly the room": Planted("little_speech", make_little_speech, also=frozenset({"silence_at_end"})),
    "10 dB over white noise": Planted("noisy", make_noisy(10.0)),
    "20 dB over white noise": Planted("noise_heard", make_noisy(20.0)),
    "a room of 0.6 s": Planted("reverberant", make_reverberant(0.6), also=frozenset({"noise_heard"}), cheap=False),
    "hum at 50 Hz": Planted("hum", make_hum(50), also=frozenset({"noise_heard"}), cheap=False),
    "hum at 60 Hz": Planted("hum", make_hum(60), also=frozenset({"noise_heard"}), cheap=False),
    "from 8 kHz": Planted("upsampled", make_upsampled(8000), WIDE_RATES, cheap=False),
    "from 16 kHz": Planted("upsampled", make_upsampled(16000), FAST_RATES, cheap=False),
    "from 22.05 kHz": Planted("upsampled", make_upsampled(22050), (44100, 48000), cheap=False),
    "through cloth": Planted("narrow_band", make_muffled, WIDE_RATES, cheap=False),
    "an offset": Planted("dc_offset", make_offset(0.03)),
    "an offset downwards": Planted("dc_offset", make_offset(-0.03)),
    "16 dB too quiet": Planted("too_quiet", make_level_change(-16.0)),
    "far too loud": Planted("too_loud", make_overdriven, also=frozenset({"clipping_slight", "dc_offset"})),
    "near full scale": Planted("peak_high", make_near_full_scale, also=frozenset({"too_loud"})),
    "nothing": Planted("silent", make_digital_silence),
    "the room": Planted("silent", make_room_only),
    "hiss": Planted("no_speech", make_hiss),
    "a whistle": Planted("no_speech", make_whistle),
    "on a telephone": Planted("telephone_band", make_unchanged, NARROW),
}
