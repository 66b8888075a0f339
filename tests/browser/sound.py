"""The WAV files that the browser tests speak and upload, and how alike two recordings are."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from playwright.sync_api import FilePayload

from tests.support.wav import SAMPLE

MICROPHONE_RATE = 44100  # what Chromium's microphone runs at: it hands over what it reads, unchanged
COPIES = 6  # a page listens for half a minute at most

Samples = NDArray[np.float64]


def sample(name: str) -> tuple[Samples, int]:
    """A committed clip as samples of -1..1, and its rate."""
    samples, rate = soundfile.read(SAMPLE / f"{name}.flac", dtype="float64")
    return samples, rate


def wav(samples: Samples, rate: int) -> bytes:
    """16-bit mono PCM."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


def clip(name: str, begin: float = 0, end: float | None = None) -> bytes:
    """A committed clip as a WAV file, or what is between these seconds of it."""
    samples, rate = sample(name)
    return wav(samples[round(begin * rate) : end and round(end * rate)], rate)


def joined(names: Sequence[str]) -> bytes:
    """Committed clips of one rate, one after the other in one WAV file."""
    samples, rates = zip(*map(sample, names), strict=True)
    return wav(np.concatenate(samples), rates[0])


def trailing_off(name: str, seconds: float) -> bytes:
    """A committed clip with so much silence after it."""
    samples, rate = sample(name)
    return wav(np.concatenate((samples, np.zeros(round(seconds * rate)))), rate)


def chosen(name: str, content: bytes) -> FilePayload:
    """A file as a person chooses it for an upload."""
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def silence(seconds: float = 4.0, rate: int = 16000) -> bytes:
    """What a muted microphone gives: the last bit flickers, and nothing is heard."""
    flicker = np.random.default_rng(7).integers(-1, 2, round(seconds * rate)) / 32768
    return wav(flicker.astype(np.float64), rate)


def microphone(path: Path) -> Path:
    """The spoken statement, over and over, for the browser to hear."""
    samples, rate = sample("consent-slt")
    wanted = np.arange(round(len(samples) / rate * MICROPHONE_RATE)) / MICROPHONE_RATE
    once = np.interp(wanted, np.arange(len(samples)) / rate, samples)
    path.write_bytes(wav(np.tile(once, COPIES), MICROPHONE_RATE))
    return path


def likeness(recorded: bytes, spoken: Path, segment: float = 0.25) -> float:
    """How alike the recording is to what was spoken: the median over its segments of the best correlation at any lag.

    The first segment is left out, as the browser's sound starts with a hiccup; so are segments in which hardly
    anything is said, which correlate with anything.
    """
    heard, rate = soundfile.read(io.BytesIO(recorded), dtype="float64")
    source, source_rate = soundfile.read(spoken, dtype="float64")
    assert rate == source_rate, (rate, source_rate)
    source = source[: 2 * len(source) // COPIES]  # one copy, and its joint with the next
    length = round(segment * rate)
    segments = [heard[at : at + length] for at in range(length, len(heard) - length + 1, length)]
    loud = [one for one in segments if np.sqrt(np.mean(one**2)) > 0.01]
    assert loud, "there is nothing to hear"
    return float(np.median([_best_correlation(one, source) for one in loud]))


def _best_correlation(part: Samples, whole: Samples) -> float:
    """The highest normalised correlation of `part` with any stretch of `whole` of its length."""
    size = 1 << (len(whole) + len(part)).bit_length()
    products = np.fft.irfft(np.fft.rfft(whole, size) * np.conj(np.fft.rfft(part, size)), size)
    sums = np.concatenate(([0.0], np.cumsum(whole**2)))
    energy = sums[len(part) :] - sums[: -len(part)]
    norm = np.sqrt(np.maximum(energy, 1e-9) * np.sum(part**2))
    return float(np.max(products[: len(energy)] / norm))


def transcript(name: str) -> str:
    """What is said in a committed clip."""
    lines = json.loads((SAMPLE / "manifest.json").read_text(encoding="utf-8"))
    return str(next(line["transcript"] for line in lines if line["file"] == f"{name}.flac"))
