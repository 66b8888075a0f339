"""Simulated speech, made of recordings that are concatenated and cut to a length."""

import struct
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np

from audio.wav.riff import Float32, load_samples, read_header

FADE_SECONDS = 0.02
SILENCE_LEVEL = 0.01
"""Share of full scale. Quieter samples at the ends of a recording are cut before concatenation."""


@dataclass(frozen=True, slots=True)
class Waveform:
    samples: Float32
    rate: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


def concatenate_recordings(files: list[Path], seconds: float, rate: int | None) -> Waveform:
    """Concatenate recordings, again and again, up to `seconds`. Without `rate`, the rate of the first is used."""
    first = _load_trimmed(files[0])
    rate = rate or first.rate
    wanted_length, parts, length = round(seconds * rate), [], 0
    for path in cycle(files):
        part = _resample(_load_trimmed(path), rate)
        parts.append(part)
        length += len(part)
        if length >= wanted_length:
            break
    samples = np.concatenate(parts)[:wanted_length]
    fade = min(len(samples), round(FADE_SECONDS * rate))
    samples[len(samples) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return Waveform(samples, rate)


def encode_wav(audio: Waveform, sample_bytes: int) -> bytes:
    """A mono PCM WAV with 2, 3 or 4 bytes per sample."""
    peak = 2 ** (8 * sample_bytes - 1) - 1
    integers = np.clip(audio.samples.astype(np.float64) * peak, -peak, peak).astype("<i4")
    data: bytes = integers.view(np.uint8).reshape(-1, 4)[:, :sample_bytes].tobytes()
    if len(data) % 2:
        data += b"\0"
    length = len(integers) * sample_bytes
    format_chunk = struct.pack("<HHIIHH", 1, 1, audio.rate, audio.rate * sample_bytes, sample_bytes, sample_bytes * 8)
    header = (
        b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + struct.pack("<I", len(format_chunk)) + format_chunk
    )
    return header + b"data" + struct.pack("<I", length) + data


def _load_trimmed(path: Path) -> Waveform:
    """Load a recording without the silence at its ends. At least 0.01 seconds remain."""
    with path.open("rb") as file:
        header = read_header(file)
        samples = load_samples(file, header, max_seconds=60)
    loud = np.flatnonzero(np.abs(samples) > SILENCE_LEVEL)
    if len(loud):
        samples = samples[loud[0] : max(loud[-1], loud[0] + header.sample_rate // 100)]
    return Waveform(samples, header.sample_rate)


def _resample(audio: Waveform, rate: int) -> Float32:
    """Resample by linear interpolation, which is good enough for a simulation."""
    if audio.rate == rate:
        return audio.samples
    positions = np.arange(round(audio.seconds * rate)) * (audio.rate / rate)
    return np.asarray(np.interp(positions, np.arange(len(audio.samples)), audio.samples), np.float32)
