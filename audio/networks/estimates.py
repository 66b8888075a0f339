"""Estimates of how a recording would be rated, where the quality extra is installed; each needs a model.

DNSMOS P.835 foretells what listeners would say. STOI and SI-SDR compare a recording with a clean copy of it, which
nobody has; here what a denoiser makes of it stands for the copy. So they are estimates, and are called so wherever
they are shown, with their `Note`. None of them may be set against a provider's number of the same name.

PESQ is not computed: the code of its standard (ITU-T P.862) may not be used commercially without a licence, and with
a denoiser's output as its reference it would rank low-passed speech the wrong way round.
"""

import ctypes
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np
import soxr

from audio.networks.weights import Absent, located
from audio.wav.riff import Float32

LONGEST_SECONDS = 60.0
"""Only the beginning of a longer recording is judged."""
SHORTEST_SECONDS = 1.0
LEAST_RMS = 10 ** (-60 / 20)
"""Below it there is no speech to be judged: -60 dBFS."""
USUAL_RMS = 10 ** (-20 / 20)
"""All is brought to -20 dBFS first, as both models take a quiet recording for another one."""

RATE = 16000
NOT_INSTALLED = "The quality extra is not whole: {reason} Run: make extras"

DNSMOS_WINDOW = 144160
"""Samples that the model takes: 9.01 s."""
DNSMOS_STEP = 3 * RATE
DNSMOS_CURVES = {
    "signal": (-0.08397278, 1.22083953, 0.0052439),
    "background": (-0.13166888, 1.60915514, -0.39604546),
    "overall": (-0.06766283, 1.11546468, 0.04602535),
}
"""From what the model says to the scale of listeners, in the order of its outputs; from Microsoft's dnsmos_local.py."""

RNNOISE_RATE = 48000
RNNOISE_FRAME = 480
RNNOISE_SCALE = 32768.0
MOST_DELAY = 2000

LEAST_POWER = 1e-9
"""Keeps the logarithm finite."""

STOI_RATE = 10000
STOI_FRAME, STOI_STEP, STOI_RANGE_DB, STOI_LEAST = 256, 128, 40.0, 32
"""Frames within 40 dB of the loudest are compared, thirty at a time (Taal and others, 2011); two go at the ends."""


@dataclass(frozen=True, slots=True)
class Note:
    """What people have to know of an estimate: its name and scale, what it ranks well and what it cannot hear.

    `form` is how a value is written: no finer than it means anything, no coarser than recordings differ.
    """

    name: str
    scale: str
    ranks: str
    blind: str
    form: str = "{:.2f}"


_EVENED_OUT = "Level, which is evened out first"
_BY_DENOISER = f"{_EVENED_OUT}, and reverberation, most of which the denoiser keeps: it is rated too well."
NOTES = {
    "dnsmos_overall": Note(
        "DNSMOS overall (estimated)",
        "1 to 5, more is better; clean studio speech reaches about 3.2",
        "Noise and reverberation.",
        f"{_EVENED_OUT}, and most clipping.",
    ),
    "dnsmos_signal": Note(
        "DNSMOS speech (estimated)",
        "1 to 5, more is better",
        "Reverberation.",
        f"{_EVENED_OUT}, even noise, and most clipping.",
    ),
    "dnsmos_background": Note(
        "DNSMOS background (estimated)",
        "1 to 5, more is better",
        "Noise.",
        f"{_EVENED_OUT}, clipping and a narrow band.",
    ),
    "stoi": Note(
        "STOI (estimated)",
        "0 to 1, more is better; clean speech reaches about 0.99, and 0.95 is bad already",
        "Noise and clipping.",
        _BY_DENOISER,
        "{:.3f}",
    ),
    "si_sdr": Note(
        "SI-SDR (estimated)",
        "dB, more is better; never above about 16",
        "Noise and clipping.",
        _BY_DENOISER,
        "{:.1f} dB",
    ),
}
"""By the fields of `Estimates`."""


@dataclass(frozen=True, slots=True)
class Estimates:
    """The values, on the scales of `NOTES`; None for what could not be told, and in `missing` why not, in words."""

    dnsmos_overall: float | None = None
    dnsmos_signal: float | None = None
    dnsmos_background: float | None = None
    stoi: float | None = None
    si_sdr: float | None = None
    missing: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"missing": list(self.missing)}


def lacking() -> tuple[str, ...]:
    """Why some of the estimates cannot be made here, in words; empty where the quality extra is whole."""
    parts = (_dnsmos_model(), _denoiser(), _stoi())
    return tuple(NOT_INSTALLED.format(reason=part.reason) for part in parts if isinstance(part, Absent))


def estimate(samples: Float32, rate: int) -> Estimates:
    """All estimates of a mono recording (-1..1 at `rate` samples per second), of at most its first minute.

    Takes about a tenth of the length of the recording on one processor, and 200 MB, 300 for a whole minute; of these,
    100 stay for the models.
    """
    samples = samples[: int(LONGEST_SECONDS * rate)]
    if len(samples) < SHORTEST_SECONDS * rate:
        return Estimates(missing=("It is too short to be judged.",))
    centred = samples - samples.mean()
    level = math.sqrt(float(np.vecdot(centred, centred)) / len(centred))
    if level < LEAST_RMS:
        return Estimates(missing=("There is nothing to hear in it.",))
    even = np.asarray(centred * (USUAL_RMS / level), np.float32)
    values = dict(_dnsmos(even, rate)) | dict(_against_denoised(even, rate))
    return Estimates(**{name: _told(value) for name, value in values.items()}, missing=lacking())


def _told(value: float) -> float | None:
    return round(value, 3) if math.isfinite(value) else None


def _dnsmos(samples: Float32, rate: int) -> Iterator[tuple[str, float]]:
    """The mean over windows of 9 s; a shorter recording is repeated until it fills one."""
    model = _dnsmos_model()
    if isinstance(model, Absent):
        return
    sound = soxr.resample(samples, rate, RATE)
    if len(sound) < DNSMOS_WINDOW:
        sound = np.resize(sound, DNSMOS_WINDOW)
    starts = range(0, len(sound) - DNSMOS_WINDOW + 1, DNSMOS_STEP)
    raw = np.array([model(sound[start : start + DNSMOS_WINDOW]) for start in starts])
    for column, (name, curve) in enumerate(DNSMOS_CURVES.items()):
        yield f"dnsmos_{name}", float(np.polyval(curve, raw[:, column]).mean())


@cache
def _dnsmos_model() -> Callable[[Float32], Float32] | Absent:
    """From one window to (signal, background, overall) before the curves."""
    try:
        import onnxruntime
    except ImportError:
        return Absent("onnxruntime is not installed.")
    file = located("speechmos", "speechmos/dnsmos_models/sig_bak_ovr.onnx")
    if isinstance(file, Absent):
        return file
    onnxruntime.set_default_logger_severity(3)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # The arena keeps the most that was ever needed; a worker lives long.
    options.enable_cpu_mem_arena = False
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    return lambda window: np.asarray(session.run(None, {"input_1": window[None]})[0][0])


def _against_denoised(samples: Float32, rate: int) -> Iterator[tuple[str, float]]:
    """STOI and SI-SDR, with what RNNoise leaves of the recording in the place of the clean copy."""
    denoise, stoi = _denoiser(), _stoi()
    if isinstance(denoise, Absent):
        return
    sound = soxr.resample(samples, rate, RNNOISE_RATE)
    clean = denoise(sound)
    clean = clean[_delay(clean, sound) :][: len(sound)]
    sound = sound[: len(clean)]
    yield "si_sdr", _si_sdr(soxr.resample(clean, RNNOISE_RATE, RATE), soxr.resample(sound, RNNOISE_RATE, RATE))
    clean, sound = (soxr.resample(one, RNNOISE_RATE, STOI_RATE) for one in (clean, sound))
    if not isinstance(stoi, Absent) and _loud_frames(clean) > STOI_LEAST:
        yield "stoi", stoi(clean, sound)


@cache
def _stoi() -> Callable[[Float32, Float32], float] | Absent:
    """From a clean copy and the recording, both at STOI_RATE."""
    try:
        from pystoi import stoi
    except ImportError:
        return Absent("pystoi is not installed.")
    return lambda clean, sound: float(stoi(clean, sound, STOI_RATE))


@cache
def _denoiser() -> Callable[[Float32], Float32] | Absent:
    """RNNoise at 48 kHz; each call has a state of its own."""
    file = located("pyrnnoise", "pyrnnoise/librnnoise.so")
    if isinstance(file, Absent):
        return file
    try:
        library = ctypes.CDLL(str(file))
    except OSError:
        return Absent("RNNoise does not run on this machine.")
    library.rnnoise_create.restype = ctypes.c_void_p
    library.rnnoise_create.argtypes = [ctypes.c_void_p]
    library.rnnoise_destroy.argtypes = [ctypes.c_void_p]
    library.rnnoise_process_frame.restype = ctypes.c_float
    library.rnnoise_process_frame.argtypes = [ctypes.c_void_p] * 3
    return lambda sound: _denoised(library, sound)


def _denoised(library: ctypes.CDLL, sound: Float32) -> Float32:
    frames = np.pad(sound, (0, -len(sound) % RNNOISE_FRAME + 2 * RNNOISE_FRAME)) * np.float32(RNNOISE_SCALE)
    cleaned = np.empty_like(frames)
    state = library.rnnoise_create(None)
    for start in range(0, frames.nbytes, RNNOISE_FRAME * frames.itemsize):
        library.rnnoise_process_frame(state, cleaned.ctypes.data + start, frames.ctypes.data + start)
    library.rnnoise_destroy(state)
    return np.asarray(cleaned / RNNOISE_SCALE, np.float32)


def _delay(late: Float32, sound: Float32) -> int:
    """By how many samples `late` lags behind `sound`, at most MOST_DELAY: where their correlation is highest."""
    size = 1 << (max(len(late), len(sound)) + MOST_DELAY).bit_length()
    spectrum = np.fft.rfft(late, size) * np.fft.rfft(sound, size).conj()
    return int(np.fft.irfft(spectrum, size)[:MOST_DELAY].argmax())


def _si_sdr(clean: Float32, sound: Float32) -> float:
    """10 log10 of the power of what in the sound is a multiple of the clean copy, against that of all else.

    Scale-invariant signal-to-distortion ratio (Le Roux and others, 2019), without the mean.
    """
    exact, whole = (one.astype(np.float64) - one.mean(dtype=np.float64) for one in (clean, sound))
    target = (whole @ exact) / (exact @ exact + LEAST_POWER) * exact
    rest = whole - target
    return 10 * math.log10((target @ target + LEAST_POWER) / (rest @ rest + LEAST_POWER))


def _loud_frames(sound: Float32) -> int:
    """How many frames STOI would compare: with fewer than thirty it has nothing to say, and warns."""
    frames = np.lib.stride_tricks.sliding_window_view(sound, STOI_FRAME)[::STOI_STEP]
    powers = np.vecdot(frames * np.hanning(STOI_FRAME).astype(np.float32), frames)
    return int((powers > powers.max() * 10 ** (-STOI_RANGE_DB / 10)).sum())
