"""Synthetic readers for the benchmarks, which need flite or festival, and the acoustic conditions to test."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
import soxr

from audio.wav.riff import Float32

RATE = 16000
FLITE_VOICES = ("slt", "rms", "awb", "kal16")
FESTIVAL_VOICE = "cmu_us_slt_arctic_hts"
EDGE_SECONDS = 0.3
ROOM_DBFS = -70.0


@dataclass(frozen=True)
class Reader:
    """A voice of flite or festival at one speed. A `stretch` above 1 makes it slower."""

    program: str
    voice: str
    stretch: float = 1.0

    def read(self, text: str) -> Float32:
        """Read the text aloud, at 16 kHz, in a quiet room, with some silence before and after."""
        return _synthesize(self, text.replace(" AI", " A I"))


def list_readers(stretches: tuple[float, ...]) -> list[Reader]:
    """List the readers of the programs on this machine. The list is empty without flite and festival."""
    readers = [Reader("flite", voice) for voice in FLITE_VOICES if shutil.which("flite")]
    if shutil.which("text2wave") and list(Path("/usr/share/festival/voices").glob(f"*/{FESTIVAL_VOICE}")):
        readers.append(Reader("text2wave", FESTIVAL_VOICE))
    return [Reader(reader.program, reader.voice, stretch) for stretch in stretches for reader in readers]


@cache
def _synthesize(reader: Reader, text: str) -> Float32:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spoken.wav"
        if reader.program == "flite":
            stretch = f"duration_stretch={reader.stretch}"
            command = ["flite", "-voice", reader.voice, "--setf", stretch, "-t", text, "-o", str(path)]
        else:
            settings = f"(begin (voice_{reader.voice}) (Parameter.set 'Duration_Stretch {reader.stretch}))"
            command = ["text2wave", "-eval", settings, "-o", str(path)]
        subprocess.run(command, input=text.encode(), check=True, capture_output=True)
        samples, rate = soundfile.read(path, dtype="float32")
    return add_quiet_room(soxr.resample(samples, rate, RATE))


def add_quiet_room(samples: Float32) -> Float32:
    silence = np.zeros(round(EDGE_SECONDS * RATE))
    padded = np.concatenate((silence, samples, silence))
    noise = np.random.default_rng(1).standard_normal(len(padded)) * 10 ** (ROOM_DBFS / 20)
    return np.asarray(np.add(padded, noise), np.float32)


def keep_unchanged(samples: Float32) -> Float32:
    return samples


def add_reverberation(samples: Float32, t60: float = 0.3) -> Float32:
    """Simulate the distance at which the room is as loud as the voice."""
    times = np.arange(round(t60 * RATE)) / RATE
    tail = np.random.default_rng(2).standard_normal(len(times)) * 10 ** (-3 * times / t60)
    tail /= np.sqrt(np.sum(tail**2))
    tail[0] += 1.0
    size = len(samples) + len(tail) - 1
    mixed = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(tail, size), size)
    return np.asarray(mixed * 0.9 / max(0.9, float(np.abs(mixed).max())), np.float32)


def add_noise(samples: Float32, snr_db: float = 15.0) -> Float32:
    level = np.sqrt(np.mean(samples**2)) * 10 ** (-snr_db / 20)
    return np.asarray(samples + np.random.default_rng(3).standard_normal(len(samples)) * level, np.float32)


def limit_to_telephone_band(samples: Float32) -> Float32:
    return np.asarray(soxr.resample(soxr.resample(samples, RATE, RATE / 2), RATE / 2, RATE), np.float32)


CONDITIONS: dict[str, Callable[[Float32], Float32]] = {
    "clean": keep_unchanged,
    "T60 0.3 s": add_reverberation,
    "SNR 15 dB": add_noise,
    "8 kHz": limit_to_telephone_band,
}
