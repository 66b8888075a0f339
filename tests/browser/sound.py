"""WAV files for the microphone and the uploads of the browser tests, and the similarity of two recordings."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from playwright.sync_api import FilePayload

from tests.support.wav import SAMPLE_FOLDER

MICROPHONE_RATE = 44100  # the rate of Chromium's fake microphone, which passes the file on unchanged
COPIES = 6  # of the statement in the microphone file; enough, as a page records for half a minute at most

Samples = NDArray[np.float64]


def load_clip(name: str) -> tuple[Samples, int]:
    """The samples of a committed clip, in -1..1, and its rate in Hz."""
    samples, rate = soundfile.read(SAMPLE_FOLDER / f"{name}.flac", dtype="float64")
    return samples, rate


def encode_wav(samples: Samples, rate: int) -> bytes:
    """Encode samples in -1..1 as 16-bit PCM."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


def read_clip(name: str, begin: float = 0, end: float | None = None) -> bytes:
    """A clip of the sample studio, or the part of it between `begin` and `end` seconds, as a WAV file."""
    samples, rate = load_clip(name)
    return encode_wav(samples[round(begin * rate) : end and round(end * rate)], rate)


def join_clips(names: Sequence[str]) -> bytes:
    """Concatenate committed clips of the same rate into one WAV file."""
    samples, rates = zip(*map(load_clip, names), strict=True)
    return encode_wav(np.concatenate(samples), rates[0])


def add_silence(name: str, seconds: float) -> bytes:
    """A committed clip followed by this much silence, as a WAV file."""
    samples, rate = load_clip(name)
    return encode_wav(np.concatenate((samples, np.zeros(round(seconds * rate)))), rate)


def make_upload(name: str, content: bytes) -> FilePayload:
    """A file for Playwright's `set_input_files`."""
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def make_silence(seconds: float = 4.0, rate: int = 16000) -> bytes:
    """The WAV of a muted microphone: only the lowest bit changes."""
    noise = np.random.default_rng(7).integers(-1, 2, round(seconds * rate)) / 32768
    return encode_wav(noise.astype(np.float64), rate)


def write_microphone_file(path: Path) -> Path:
    """Write the spoken statement several times in a row, for the fake microphone."""
    samples, rate = load_clip("consent-slt")
    times = np.arange(round(len(samples) / rate * MICROPHONE_RATE)) / MICROPHONE_RATE
    statement = np.interp(times, np.arange(len(samples)) / rate, samples)
    path.write_bytes(encode_wav(np.tile(statement, COPIES), MICROPHONE_RATE))
    return path


def measure_similarity(recorded: bytes, source_file: Path, segment: float = 0.25) -> float:
    """How similar a recording is to its source file, in -1..1.

    The recording is cut into segments of `segment` seconds. Each segment gets its best correlation with the source at
    any lag, and the result is the median. The first segment is left out, because the browser's sound starts with a
    glitch. Nearly silent segments are left out, because they correlate with anything.
    """
    recording, rate = soundfile.read(io.BytesIO(recorded), dtype="float64")
    source, source_rate = soundfile.read(source_file, dtype="float64")
    assert rate == source_rate, (rate, source_rate)
    source = source[: 2 * len(source) // COPIES]  # one copy and the transition to the next
    length = round(segment * rate)
    segments = [recording[start : start + length] for start in range(length, len(recording) - length + 1, length)]
    loud_segments = [samples for samples in segments if np.sqrt(np.mean(samples**2)) > 0.01]
    assert loud_segments, "the recording is silent"
    return float(np.median([_find_best_correlation(samples, source) for samples in loud_segments]))


def _find_best_correlation(part: Samples, whole: Samples) -> float:
    """The highest normalized correlation of `part` with any section of `whole` that is as long as `part`."""
    size = 1 << (len(whole) + len(part)).bit_length()
    products = np.fft.irfft(np.fft.rfft(whole, size) * np.conj(np.fft.rfft(part, size)), size)
    sums = np.concatenate(([0.0], np.cumsum(whole**2)))
    energy = sums[len(part) :] - sums[: -len(part)]
    norm = np.sqrt(np.maximum(energy, 1e-9) * np.sum(part**2))
    return float(np.max(products[: len(energy)] / norm))


def read_transcript(name: str) -> str:
    """The transcript of a committed clip."""
    lines = json.loads((SAMPLE_FOLDER / "manifest.json").read_text(encoding="utf-8"))
    return str(next(line["transcript"] for line in lines if line["file"] == f"{name}.flac"))


def make_steady_noise(seconds: float = 4.0, rate: int = 16000) -> bytes:
    """The WAV of a fan: as loud as speech, without any speech."""
    return encode_wav(np.random.default_rng(7).normal(0, 0.02, round(seconds * rate)), rate)
