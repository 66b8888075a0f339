"""Analyze one recording fully. A worker does this, as it takes about a second.

`inspect_file` checks the levels at once. This module detects speech with a model, and measures reverberation and
spectrum. Both report findings with the codes in `catalog_sound.CODES`: those of this module replace those of
`inspect_file`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import numpy as np

from audio.analysis.fingerprint import ContentHash
from audio.analysis.measures import Measures
from audio.analysis.spectrum import Band, Hum, measure_band, measure_hum, measure_reverberation
from audio.analysis.transcript_lint import compute_speaking_rate
from audio.findings.findings import Finding, make_finding
from audio.findings.thresholds import THRESHOLDS, Thresholds
from audio.levels.inspection import check_levels, is_silent
from audio.levels.loudness import LoudnessMeter
from audio.levels.measure import Levels, Measurement, convert_to_dbfs, measure_levels
from audio.networks.speech_spans import measure_edges_and_pauses, measure_noise_and_speech, trim_spans
from audio.networks.vad import Speech, SpeechDetector
from audio.wav.riff import FULL_SCALE, Float32, WavHeader

EXCERPT_SECONDS = 10
MAX_EXCERPTS = 6


@dataclass(frozen=True, slots=True)
class Analysis:
    """The results for one recording; `measures` has the values of `Measures` by name, for a JSON column.

    `findings` are all findings about the sound. `fine_peaks` are those of `Measurement`. `levels` are measured without
    the speech model, and `content_hash` covers the samples: both are the same on every machine.
    """

    measures: dict[str, Any]
    findings: tuple[Finding, ...]
    speech: Speech
    fine_peaks: tuple[int, ...]
    levels: Levels
    content_hash: str


def analyze_recording(
    file: BinaryIO, header: WavHeader, thresholds: Thresholds = THRESHOLDS, transcript: str = ""
) -> Analysis:
    """Analyze a file that `read_header` accepted; `transcript` is used for the speaking rate.

    The file is read in blocks, and spectrum and reverberation are measured in at most six excerpts of ten seconds, so
    memory does not grow with the file. Raises WavRefused only if the file became shorter after its header was read.
    """
    analyzer = _StreamAnalyzer(header)
    measured = measure_levels(file, header, analyzer.add_bytes)
    speech = analyzer.speech_detector.get_speech()
    levels = _correct_levels(measured, speech)
    audible = not is_silent(levels, thresholds)
    spectrum = (
        _SpectrumMeasures.from_excerpts(analyzer.list_excerpts(), header.sample_rate)
        if audible
        else _SpectrumMeasures()
    )
    findings = [*check_levels(header, levels, thresholds), *_check_spectrum(header, spectrum, levels, thresholds)]
    measures = _build_measures(header, levels, speech, spectrum, analyzer.loudness_meter.compute_lufs(), transcript)
    content_hash = analyzer.content_hash.hexdigest()
    return Analysis(measures.as_dict(), tuple(findings), speech, measured.fine_peaks, measured.levels, content_hash)


class _StreamAnalyzer:
    """Receives a recording block by block. Detects speech, measures loudness, hashes samples, keeps a few excerpts."""

    def __init__(self, header: WavHeader) -> None:
        self.speech_detector = SpeechDetector(header.sample_rate)
        self.loudness_meter = LoudnessMeter(header.sample_rate)
        self.content_hash = ContentHash(header.sample_rate)
        self._excerpt_samples = EXCERPT_SECONDS * header.sample_rate
        count = min(MAX_EXCERPTS, -(-header.frames // self._excerpt_samples))
        self._starts = [number * header.frames // count for number in range(count)]
        self._excerpt_blocks: list[list[Float32]] = [[] for _ in self._starts]
        self._samples_read = 0

    def add_bytes(self, data: bytes) -> None:
        block = np.frombuffer(data, "<i2")
        self.content_hash.add(data)
        self.speech_detector.add(block)
        self.loudness_meter.add(block)
        for start, excerpt_blocks in zip(self._starts, self._excerpt_blocks, strict=True):
            excerpt = block[
                max(0, start - self._samples_read) : max(0, start + self._excerpt_samples - self._samples_read)
            ]
            if len(excerpt):
                excerpt_blocks.append(np.asarray(excerpt / FULL_SCALE, np.float32))
        self._samples_read += len(block)

    def list_excerpts(self) -> Iterator[Float32]:
        return (np.concatenate(blocks) for blocks in self._excerpt_blocks)


@dataclass(frozen=True, slots=True)
class _SpectrumMeasures:
    """Measures of spectrum and reverberation; all None if the recording is silent."""

    hum: Hum | None = None
    band: Band | None = None
    reverberation: float | None = None

    @classmethod
    def from_excerpts(cls, excerpts: Iterator[Float32], rate: int) -> "_SpectrumMeasures":
        """Return the median hum and reverberation of all excerpts, and the widest band."""
        measured = [
            (measure_hum(excerpt, rate), measure_band(excerpt, rate), measure_reverberation(excerpt, rate))
            for excerpt in excerpts
        ]
        hums, bands, reverberations = zip(*measured, strict=True)
        times = [time for time in reverberations if time is not None]
        return cls(
            sorted(hums, key=lambda one: one.over_db)[len(hums) // 2],
            max(bands, key=lambda one: one.edge_hz),
            float(np.median(times)) if times else None,
        )


def _correct_levels(measured: Measurement, speech: Speech) -> Levels:
    """Return the levels. If a model detected the speech, speech and noise are measured again from its spans."""
    levels, powers = measured.levels, measured.power_profile.powers
    if speech.method == "level" or not speech.segments:
        return replace(levels, speech_seconds=0.0) if speech.method == "model" else levels
    noise, spoken = measure_noise_and_speech(powers, speech)
    spans = trim_spans(speech.segments, powers, noise, spoken)
    leading, trailing, between = measure_edges_and_pauses(spans, speech.total)
    return replace(
        levels,
        noise_floor_dbfs=convert_to_dbfs(noise),
        snr_db=max(0.0, convert_to_dbfs(spoken - noise) - convert_to_dbfs(noise)),
        speech_seconds=sum(end - start for start, end in spans),
        leading_silence=leading,
        trailing_silence=trailing,
        pauses=between,
    )


def _check_spectrum(
    header: WavHeader, spectrum: _SpectrumMeasures, levels: Levels, thresholds: Thresholds
) -> Iterator[Finding]:
    hum = spectrum.hum
    if hum and hum.over_db > thresholds.hum_over_db and hum.dbfs > thresholds.hum_least_dbfs:
        yield make_finding("hum", mains=hum.mains_hz, over=hum.over_db)
    if levels.speech_seconds < thresholds.silent_speech_seconds:
        return
    if spectrum.reverberation and spectrum.reverberation > thresholds.reverberation_seconds:
        yield make_finding("reverberant", seconds=spectrum.reverberation)
    if spectrum.band:
        yield from _check_band(header, spectrum.band, thresholds)


def _check_band(header: WavHeader, measured: Band, thresholds: Thresholds) -> Iterator[Finding]:
    is_narrow = measured.edge_hz < thresholds.band_edge_share * header.sample_rate / 2
    if is_narrow and measured.edge_fall_db > thresholds.band_cliff_db:
        yield make_finding("upsampled", edge=measured.edge_hz / 1000)
    elif measured.edge_hz < thresholds.narrow_band_hz and header.sample_rate >= thresholds.telephone_rate:
        yield make_finding("narrow_band", edge=measured.edge_hz / 1000)


def _build_measures(
    header: WavHeader, levels: Levels, speech: Speech, spectrum: _SpectrumMeasures, lufs: float | None, transcript: str
) -> Measures:
    rate = compute_speaking_rate(transcript, header.seconds - levels.leading_silence - levels.trailing_silence)
    return Measures(
        seconds=header.seconds,
        peak_dbfs=levels.peak_dbfs,
        rms_dbfs=levels.rms_dbfs,
        lufs=lufs,
        dc_offset_share=levels.dc_offset,
        clipped_share=levels.clipped_share,
        clipped_runs=levels.clipped_runs,
        clipped_spans=levels.clipped,
        leading_silence_seconds=levels.leading_silence,
        trailing_silence_seconds=levels.trailing_silence,
        speech_seconds=levels.speech_seconds,
        speech_share=levels.speech_seconds / header.seconds,
        speech_spans=speech.segments,
        pause_spans=levels.pauses,
        noise_floor_dbfs=levels.noise_floor_dbfs,
        snr_db=levels.snr_db if levels.speech_seconds else None,
        hum_mains_hz=spectrum.hum.mains_hz if spectrum.hum else None,
        hum_over_db=spectrum.hum.over_db if spectrum.hum else None,
        hum_dbfs=spectrum.hum.dbfs if spectrum.hum else None,
        bandwidth_hz=spectrum.band.edge_hz if spectrum.band else None,
        cliff_db=spectrum.band.edge_fall_db if spectrum.band else None,
        reverberation_seconds=spectrum.reverberation,
        words_per_minute=rate.words_per_minute if rate else None,
        syllables_per_second=rate.syllables_per_second if rate else None,
        missing=(speech.missing_reason,) if speech.missing_reason else (),
    )
