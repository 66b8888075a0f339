"""Playing recordings back, joined and cut to a length: what stands in for speech that a vendor would make."""

import struct
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np

from audio.wav.riff import Float32, load_samples, read_header

FADE_SECONDS = 0.02
EDGE_LEVEL = 0.01
"""Of full scale; quieter samples at the ends of a recording are cut before it is joined to the next."""


@dataclass(frozen=True, slots=True)
class Waveform:
    samples: Float32
    rate: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


def play(files: list[Path], seconds: float, rate: int | None) -> Waveform:
    """The recordings one after the other, from the first again at the end, until `seconds` are full."""
    first = _load(files[0])
    rate = rate or first.rate
    wanted, parts, length = round(seconds * rate), [], 0
    for path in cycle(files):
        part = _at_rate(_load(path), rate)
        parts.append(part)
        length += len(part)
        if length >= wanted:
            break
    samples = np.concatenate(parts)[:wanted]
    fade = min(len(samples), round(FADE_SECONDS * rate))
    samples[len(samples) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return Waveform(samples, rate)


def wav(sound: Waveform, sample_bytes: int) -> bytes:
    """A mono PCM WAV with 2, 3 or 4 bytes per sample."""
    largest = 2 ** (8 * sample_bytes - 1) - 1
    whole = np.clip(sound.samples.astype(np.float64) * largest, -largest, largest).astype("<i4")
    data: bytes = whole.view(np.uint8).reshape(-1, 4)[:, :sample_bytes].tobytes()
    if len(data) % 2:
        data += b"\0"
    length = len(whole) * sample_bytes
    form = struct.pack("<HHIIHH", 1, 1, sound.rate, sound.rate * sample_bytes, sample_bytes, sample_bytes * 8)
    head = b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + struct.pack("<I", len(form)) + form
    return head + b"data" + struct.pack("<I", length) + data


def _load(path: Path) -> Waveform:
    """A recording without the silence at its ends; a hundredth of a second at least remains."""
    with path.open("rb") as file:
        header = read_header(file)
        samples = load_samples(file, header, max_seconds=60)
    heard = np.flatnonzero(np.abs(samples) > EDGE_LEVEL)
    if len(heard):
        samples = samples[heard[0] : max(heard[-1], heard[0] + header.sample_rate // 100)]
    return Waveform(samples, header.sample_rate)


def _at_rate(sound: Waveform, rate: int) -> Float32:
    """Linear interpolation: plain, and good enough for a stand-in."""
    if sound.rate == rate:
        return sound.samples
    places = np.arange(round(sound.seconds * rate)) * (sound.rate / rate)
    return np.asarray(np.interp(places, np.arange(len(sound.samples)), sound.samples), np.float32)
