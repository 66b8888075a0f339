"""Clean voices with one added defect each. The audio checks must find the defect at its known time."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from tests.support import degradations
from tests.support.clips import RATES, load_speech_clips, make_room_noise, resample_clip, simulate_recording
from tests.support.wav import Samples, decibels_to_gain, list_sample_times, make_sine_tone, make_white_noise

NARROW_RATES = (8000,)
WIDE_RATES = tuple(rate for rate in RATES if rate not in NARROW_RATES)
FAST_RATES = tuple(rate for rate in RATES if rate > 16000)


@dataclass(frozen=True)
class SoundWithDefect:
    """Samples with a defect. `defect_at` is its time in seconds, or None if the whole sound has it."""

    samples: Samples
    defect_at: float | None = None


@dataclass(frozen=True)
class PlantedDefect:
    """A defect: the finding code that it must cause, its maker, its sample rates, and codes that it may also cause.

    `found_by_inspection` states whether `inspect_file` finds it too, which does not analyze speech, spectrum and room.
    """

    code: str
    make: Callable[[int], SoundWithDefect]
    rates: tuple[int, ...] = RATES
    allowed_codes: frozenset[str] = frozenset()
    found_by_inspection: bool = True


@cache
def load_voice_at_rate(rate: int, name: str = "slt-01") -> Samples:
    return simulate_recording(load_speech_clips()[name], rate)


def find_loudest_moment(samples: Samples, rate: int, after: float) -> int:
    """Find the middle of the loudest 0.1 s in the second that begins at `after`. It is certainly within speech."""
    width, first = rate // 10, round(after * rate)
    starts = range(first, first + rate, width // 4)
    return max(starts, key=lambda start: float(np.sum(samples[start : start + width] ** 2))) + width // 2


def make_clipping(rate: int) -> SoundWithDefect:
    """A normal voice with one second in the middle that is too loud for the converter."""
    samples = load_voice_at_rate(rate).copy()
    segment = samples[2 * rate : 3 * rate]
    top = np.abs(samples).max()
    segment[:] = np.clip(segment * 6, -top, top)
    return SoundWithDefect(samples, 2 + float(np.argmax(np.abs(segment) >= top)) / rate)


def make_flat_tops(rate: int) -> SoundWithDefect:
    samples = load_voice_at_rate(rate).copy()
    first = round(2.5 * rate)
    for number in range(8):
        samples[first + 40 * number :][: max(4, round(len(samples) * 4e-5))] = 0.9
    return SoundWithDefect(samples, 2.5)


def make_long_pause(rate: int) -> SoundWithDefect:
    """Two seconds of room noise in the middle of a vowel."""
    samples = load_voice_at_rate(rate)
    split_at = find_loudest_moment(samples, rate, 2.0)
    return SoundWithDefect(
        np.concatenate((samples[:split_at], make_room_noise(2.0, rate), samples[split_at:])), split_at / rate
    )


def make_late_start(rate: int) -> SoundWithDefect:
    samples = load_voice_at_rate(rate)
    return SoundWithDefect(
        np.concatenate((make_room_noise(1.4, rate), samples[find_loudest_moment(samples, rate, 0.3) :])), 0.0
    )


def make_late_end(rate: int) -> SoundWithDefect:
    samples = load_voice_at_rate(rate)
    split_at = find_loudest_moment(samples, rate, 3.5)
    return SoundWithDefect(np.concatenate((samples[:split_at], make_room_noise(1.4, rate))), split_at / rate)


def make_little_speech(rate: int) -> SoundWithDefect:
    return SoundWithDefect(
        np.concatenate(
            (
                make_room_noise(0.8, rate),
                load_voice_at_rate(rate)[: 2 * rate],
                make_room_noise(0.9, rate),
                make_room_noise(1.9, rate),
            )
        )
    )


def make_noisy(snr_db: float) -> Callable[[int], SoundWithDefect]:
    return lambda rate: SoundWithDefect(
        np.asarray(degradations.add_white_noise(np.asarray(load_voice_at_rate(rate), np.float32), snr_db), np.float64)
    )


def make_reverberant(t60: float) -> Callable[[int], SoundWithDefect]:
    return lambda rate: SoundWithDefect(
        np.asarray(
            degradations.add_reverberation(np.asarray(load_voice_at_rate(rate), np.float32), rate, t60), np.float64
        )
    )


def make_hum(mains: int) -> Callable[[int], SoundWithDefect]:
    """Hum with four harmonics, 20 dB below the voice."""

    def make(rate: int) -> SoundWithDefect:
        samples = load_voice_at_rate(rate)
        lines = sum(make_sine_tone(len(samples) / rate, rate, mains * (n + 1), 1 / (n + 1)) for n in range(5))
        return SoundWithDefect(samples + lines * decibels_to_gain(-40.0) / np.std(lines))

    return make


def make_upsampled(source: int) -> Callable[[int], SoundWithDefect]:
    return lambda rate: SoundWithDefect(resample_clip(load_voice_at_rate(source), rate, source))


def make_muffled(rate: int) -> SoundWithDefect:
    """As if recorded through cloth: above 2 kHz the level falls by 24 dB per octave."""
    samples = load_voice_at_rate(rate)
    frequencies = np.fft.rfftfreq(len(samples), 1 / rate)
    return SoundWithDefect(
        np.asarray(np.fft.irfft(np.fft.rfft(samples) / (1 + (frequencies / 2000) ** 2) ** 2, len(samples)))
    )


def make_offset(offset: float) -> Callable[[int], SoundWithDefect]:
    return lambda rate: SoundWithDefect(load_voice_at_rate(rate) + offset)


def make_level_change(decibels: float) -> Callable[[int], SoundWithDefect]:
    return lambda rate: SoundWithDefect(load_voice_at_rate(rate) * decibels_to_gain(decibels))


def make_overdriven(rate: int) -> SoundWithDefect:
    return SoundWithDefect(np.tanh(load_voice_at_rate(rate) * 12) * 0.7)


def make_near_full_scale(rate: int) -> SoundWithDefect:
    samples = load_voice_at_rate(rate)
    return SoundWithDefect(samples * 0.98 / np.abs(samples).max())


def make_digital_silence(rate: int) -> SoundWithDefect:
    return SoundWithDefect(np.zeros(3 * rate))


def make_room_only(rate: int) -> SoundWithDefect:
    return SoundWithDefect(make_room_noise(3.0, rate))


def make_hiss(rate: int) -> SoundWithDefect:
    return SoundWithDefect(make_white_noise(3.0, -35.0, rate))


def make_whistle(rate: int) -> SoundWithDefect:
    return SoundWithDefect(
        make_sine_tone(3.0, rate, 440.0, 0.1) * np.minimum(1, list_sample_times(3.0, rate) * 20)
        + make_room_noise(3.0, rate)
    )


def make_unchanged(rate: int) -> SoundWithDefect:
    return SoundWithDefect(load_voice_at_rate(rate))


PLANTED_DEFECTS = {
    "clipped for a second": PlantedDefect("clipping", make_clipping),
    "a few flat tops": PlantedDefect("clipping_slight", make_flat_tops),
    "a pause of two seconds": PlantedDefect("long_pause", make_long_pause),
    "a late start": PlantedDefect("silence_at_start", make_late_start),
    "a late end": PlantedDefect("silence_at_end", make_late_end),
    "mostly the room": PlantedDefect("little_speech", make_little_speech, allowed_codes=frozenset({"silence_at_end"})),
    "10 dB over white noise": PlantedDefect("noisy", make_noisy(10.0)),
    "20 dB over white noise": PlantedDefect("noise_heard", make_noisy(20.0)),
    "a room of 0.6 s": PlantedDefect(
        "reverberant", make_reverberant(0.6), allowed_codes=frozenset({"noise_heard"}), found_by_inspection=False
    ),
    "hum at 50 Hz": PlantedDefect(
        "hum", make_hum(50), allowed_codes=frozenset({"noise_heard"}), found_by_inspection=False
    ),
    "hum at 60 Hz": PlantedDefect(
        "hum", make_hum(60), allowed_codes=frozenset({"noise_heard"}), found_by_inspection=False
    ),
    "from 8 kHz": PlantedDefect("upsampled", make_upsampled(8000), WIDE_RATES, found_by_inspection=False),
    "from 16 kHz": PlantedDefect("upsampled", make_upsampled(16000), FAST_RATES, found_by_inspection=False),
    "from 22.05 kHz": PlantedDefect("upsampled", make_upsampled(22050), (44100, 48000), found_by_inspection=False),
    "through cloth": PlantedDefect("narrow_band", make_muffled, WIDE_RATES, found_by_inspection=False),
    "an offset": PlantedDefect("dc_offset", make_offset(0.03)),
    "an offset downwards": PlantedDefect("dc_offset", make_offset(-0.03)),
    "16 dB too quiet": PlantedDefect("too_quiet", make_level_change(-16.0)),
    "far too loud": PlantedDefect(
        "too_loud", make_overdriven, allowed_codes=frozenset({"clipping_slight", "dc_offset"})
    ),
    "near full scale": PlantedDefect("peak_high", make_near_full_scale, allowed_codes=frozenset({"too_loud"})),
    "nothing": PlantedDefect("silent", make_digital_silence),
    "the room": PlantedDefect("silent", make_room_only),
    "hiss": PlantedDefect("no_speech", make_hiss),
    "a whistle": PlantedDefect("no_speech", make_whistle),
    "on a telephone": PlantedDefect("telephone_band", make_unchanged, NARROW_RATES),
}
