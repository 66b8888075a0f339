"""Estimate quality ratings of a recording, if the quality extra is installed. Each estimate needs a model.

DNSMOS P.835 predicts the ratings of listeners. STOI and SI-SDR compare a recording with a clean copy. No such copy
exists, so the output of a denoiser is the reference. Pages therefore always call the values estimates and show their
`EstimateNote`. Do not compare an estimate with a provider's number of the same name.

PESQ is not computed: the code of its standard (ITU-T P.862) may not be used commercially without a license, and with
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

from audio.networks.weights import MissingModel, locate_wheel_file
from audio.wav.riff import Float32

MAX_SECONDS = 60.0
"""Only the beginning of a longer recording is rated."""
MIN_SECONDS = 1.0
MIN_RMS = 10 ** (-60 / 20)
"""-60 dBFS: below it there is no speech to rate."""
TARGET_RMS = 10 ** (-20 / 20)
"""Every recording is first scaled to -20 dBFS, because the level changes the ratings of both models."""

RATE = 16000
NOT_INSTALLED = "The quality extra is incomplete: {reason} Run: make extras"

DNSMOS_WINDOW = 144160
"""Input samples of the model: 9.01 s."""
DNSMOS_STEP = 3 * RATE
DNSMOS_CURVES = {
    "signal": (-0.08397278, 1.22083953, 0.0052439),
    "background": (-0.13166888, 1.60915514, -0.39604546),
    "overall": (-0.06766283, 1.11546468, 0.04602535),
}
"""Polynomials that convert the model's outputs to the listeners' scale, in the order of the outputs. Source:
Microsoft's dnsmos_local.py."""

RNNOISE_RATE = 48000
RNNOISE_FRAME = 480
RNNOISE_SCALE = 32768.0
MAX_DELAY = 2000

MIN_POWER = 1e-9
"""Keeps the logarithm finite."""

STOI_RATE = 10000
STOI_FRAME, STOI_STEP, STOI_RANGE_DB, STOI_MIN_FRAMES = 256, 128, 40.0, 32
"""STOI compares the frames within 40 dB of the loudest frame, thirty at a time (Taal and others, 2011). One frame is
lost at each end."""


@dataclass(frozen=True, slots=True)
class EstimateNote:
    """An explanation for people: name and scale of an estimate, what it ranks well and what it does not detect.

    `value_format` shows a value with as many digits as are meaningful.
    """

    name: str
    scale: str
    strengths: str
    blind_spots: str
    value_format: str = "{:.2f}"


_LEVEL_IGNORED = "Level, which is normalized first"
_DENOISER_BLIND_SPOTS = (
    f"{_LEVEL_IGNORED}, and reverberation. The denoiser keeps most of it, so the rating is too high."
)
NOTES = {
    "dnsmos_overall": EstimateNote(
        "DNSMOS overall (estimated)",
        "1 to 5, higher is better; clean studio speech reaches about 3.2",
        "Noise and reverberation.",
        f"{_LEVEL_IGNORED}, and most clipping.",
    ),
    "dnsmos_signal": EstimateNote(
        "DNSMOS speech (estimated)",
        "1 to 5, higher is better",
        "Reverberation.",
        f"{_LEVEL_IGNORED}, even noise, and most clipping.",
    ),
    "dnsmos_background": EstimateNote(
        "DNSMOS background (estimated)",
        "1 to 5, higher is better",
        "Noise.",
        f"{_LEVEL_IGNORED}, clipping and a narrow band.",
    ),
    "stoi": EstimateNote(
        "STOI (estimated)",
        "0 to 1, higher is better; clean speech reaches about 0.99, and 0.95 is already bad",
        "Noise and clipping.",
        _DENOISER_BLIND_SPOTS,
        "{:.3f}",
    ),
    "si_sdr": EstimateNote(
        "SI-SDR (estimated)",
        "dB, higher is better; never above about 16",
        "Noise and clipping.",
        _DENOISER_BLIND_SPOTS,
        "{:.1f} dB",
    ),
}
"""The notes of all estimates, by the name of the field in `Estimates`."""


@dataclass(frozen=True, slots=True)
class Estimates:
    """Values on the scales of `NOTES`. A value that cannot be estimated is None; `missing` tells people why."""

    dnsmos_overall: float | None = None
    dnsmos_signal: float | None = None
    dnsmos_background: float | None = None
    stoi: float | None = None
    si_sdr: float | None = None
    missing: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"missing": list(self.missing)}


def describe_missing_parts() -> tuple[str, ...]:
    """Tell people why some estimates cannot be made here; () if the quality extra is complete."""
    parts = (_load_dnsmos_model(), _load_denoiser(), _load_stoi())
    return tuple(NOT_INSTALLED.format(reason=part.reason) for part in parts if isinstance(part, MissingModel))


def estimate_quality(samples: Float32, rate: int) -> Estimates:
    """All estimates of a mono recording (-1..1 at `rate` samples per second), from at most its first minute.

    It takes about a tenth of the recording's duration on one processor. It needs 200 MB of memory, or 300 MB for a
    whole minute; 100 MB of these stay allocated for the models.
    """
    samples = samples[: int(MAX_SECONDS * rate)]
    if len(samples) < MIN_SECONDS * rate:
        return Estimates(missing=("The recording is too short to rate.",))
    centered = samples - samples.mean()
    level = math.sqrt(float(np.vecdot(centered, centered)) / len(centered))
    if level < MIN_RMS:
        return Estimates(missing=("The recording is silent.",))
    scaled = np.asarray(centered * (TARGET_RMS / level), np.float32)
    values = dict(_estimate_dnsmos(scaled, rate)) | dict(_compare_with_denoised(scaled, rate))
    return Estimates(**{name: _round_finite(value) for name, value in values.items()}, missing=describe_missing_parts())


def _round_finite(value: float) -> float | None:
    return round(value, 3) if math.isfinite(value) else None


def _estimate_dnsmos(samples: Float32, rate: int) -> Iterator[tuple[str, float]]:
    """Each rating as its mean over windows of 9 s. A shorter recording is repeated until it fills one window."""
    model = _load_dnsmos_model()
    if isinstance(model, MissingModel):
        return
    sound = soxr.resample(samples, rate, RATE)
    if len(sound) < DNSMOS_WINDOW:
        sound = np.resize(sound, DNSMOS_WINDOW)
    starts = range(0, len(sound) - DNSMOS_WINDOW + 1, DNSMOS_STEP)
    raw = np.array([model(sound[start : start + DNSMOS_WINDOW]) for start in starts])
    for column, (name, curve) in enumerate(DNSMOS_CURVES.items()):
        yield f"dnsmos_{name}", float(np.polyval(curve, raw[:, column]).mean())


@cache
def _load_dnsmos_model() -> Callable[[Float32], Float32] | MissingModel:
    """A function that rates one window: (signal, background, overall), before DNSMOS_CURVES is applied."""
    try:
        import onnxruntime
    except ImportError:
        return MissingModel("onnxruntime is not installed.")
    file = locate_wheel_file("speechmos", "speechmos/dnsmos_models/sig_bak_ovr.onnx")
    if isinstance(file, MissingModel):
        return file
    onnxruntime.set_default_logger_severity(3)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # The model's memory arena never frees what it needed at its peak, and a worker runs for a long time.
    options.enable_cpu_mem_arena = False
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    return lambda window: np.asarray(session.run(None, {"input_1": window[None]})[0][0])


def _compare_with_denoised(samples: Float32, rate: int) -> Iterator[tuple[str, float]]:
    """STOI and SI-SDR, with the output of RNNoise as the clean copy."""
    denoise, stoi = _load_denoiser(), _load_stoi()
    if isinstance(denoise, MissingModel):
        return
    sound = soxr.resample(samples, rate, RNNOISE_RATE)
    clean = denoise(sound)
    clean = clean[_estimate_delay(clean, sound) :][: len(sound)]
    sound = sound[: len(clean)]
    yield "si_sdr", _compute_si_sdr(soxr.resample(clean, RNNOISE_RATE, RATE), soxr.resample(sound, RNNOISE_RATE, RATE))
    clean, sound = (soxr.resample(one, RNNOISE_RATE, STOI_RATE) for one in (clean, sound))
    if not isinstance(stoi, MissingModel) and _count_loud_frames(clean) > STOI_MIN_FRAMES:
        yield "stoi", stoi(clean, sound)


@cache
def _load_stoi() -> Callable[[Float32, Float32], float] | MissingModel:
    """A function that computes STOI from a clean copy and the recording, both at STOI_RATE."""
    try:
        from pystoi import stoi
    except ImportError:
        return MissingModel("pystoi is not installed.")
    return lambda clean, sound: float(stoi(clean, sound, STOI_RATE))


@cache
def _load_denoiser() -> Callable[[Float32], Float32] | MissingModel:
    """A function that removes the noise from a sound at 48 kHz, with RNNoise. Each call starts with a new state."""
    file = locate_wheel_file("pyrnnoise", "pyrnnoise/librnnoise.so")
    if isinstance(file, MissingModel):
        return file
    try:
        library = ctypes.CDLL(str(file))
    except OSError:
        return MissingModel("RNNoise does not run on this machine.")
    library.rnnoise_create.restype = ctypes.c_void_p
    library.rnnoise_create.argtypes = [ctypes.c_void_p]
    library.rnnoise_destroy.argtypes = [ctypes.c_void_p]
    library.rnnoise_process_frame.restype = ctypes.c_float
    library.rnnoise_process_frame.argtypes = [ctypes.c_void_p] * 3
    return lambda sound: _denoise_sound(library, sound)


def _denoise_sound(library: ctypes.CDLL, sound: Float32) -> Float32:
    frames = np.pad(sound, (0, -len(sound) % RNNOISE_FRAME + 2 * RNNOISE_FRAME)) * np.float32(RNNOISE_SCALE)
    cleaned = np.empty_like(frames)
    state = library.rnnoise_create(None)
    for start in range(0, frames.nbytes, RNNOISE_FRAME * frames.itemsize):
        library.rnnoise_process_frame(state, cleaned.ctypes.data + start, frames.ctypes.data + start)
    library.rnnoise_destroy(state)
    return np.asarray(cleaned / RNNOISE_SCALE, np.float32)


def _estimate_delay(delayed: Float32, sound: Float32) -> int:
    """Number of samples by which `delayed` lags behind `sound`, below MAX_DELAY, from the highest correlation."""
    size = 1 << (max(len(delayed), len(sound)) + MAX_DELAY).bit_length()
    spectrum = np.fft.rfft(delayed, size) * np.fft.rfft(sound, size).conj()
    return int(np.fft.irfft(spectrum, size)[:MAX_DELAY].argmax())


def _compute_si_sdr(clean: Float32, sound: Float32) -> float:
    """Scale-invariant signal-to-distortion ratio in dB (Le Roux and others, 2019), after the means are subtracted.

    The sound is split into a multiple of the clean copy and a rest. The ratio is that of their two powers.
    """
    reference, signal = (one.astype(np.float64) - one.mean(dtype=np.float64) for one in (clean, sound))
    target = (signal @ reference) / (reference @ reference + MIN_POWER) * reference
    rest = signal - target
    return 10 * math.log10((target @ target + MIN_POWER) / (rest @ rest + MIN_POWER))


def _count_loud_frames(sound: Float32) -> int:
    """Number of frames that STOI would compare. With fewer than thirty frames, pystoi gives no result and warns."""
    frames = np.lib.stride_tricks.sliding_window_view(sound, STOI_FRAME)[::STOI_STEP]
    powers = np.vecdot(frames * np.hanning(STOI_FRAME).astype(np.float32), frames)
    return int((powers > powers.max() * 10 ** (-STOI_RANGE_DB / 10)).sum())
