"""A long recording is split in its pauses. The segments have an allowed length and unchanged samples."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.datasets.clips import Clip, load_clip
from audio.datasets.concatenate import find_edges, set_edges
from audio.datasets.segment import (
    DEFAULT_LENGTHS,
    SegmentLengths,
    SpeechLevels,
    Split,
    _find_best_split,
    _SplitPoint,
    list_segment_paths,
    measure_speech,
    split_clip,
    write_segments,
)
from audio.findings.findings import FileRefused
from audio.networks.vad import Speech
from tests.support.sounds import FloatArray, load_sample_voice, make_clip_from_wav
from tests.support.wav import make_speech_like, make_wav_bytes, make_white_noise

RATE = 16000
ROOM_DBFS = -65.0


def make_recording(gaps: list[float], repeat: int = 1) -> tuple[FloatArray, list[tuple[float, float]]]:
    """Return sample clips with `gaps` seconds of room noise between them, and the spans of speech in seconds."""
    parts, speech_spans, position = [make_white_noise(gaps[0], ROOM_DBFS)], [], gaps[0]
    names = [f"slt-0{number}" for number in range(1, 9)] * repeat
    for number, name in enumerate(names):
        samples, rate = load_sample_voice(name)
        assert rate == RATE
        gap = make_white_noise(gaps[(number + 1) % len(gaps)], ROOM_DBFS, seed=number)
        speech_spans.append((position, position + len(samples) / RATE))
        position += (len(samples) + len(gap)) / RATE
        parts += [samples, gap]
    return np.concatenate(parts), speech_spans


def make_clip(samples: FloatArray, rate: int = RATE) -> Clip:
    return make_clip_from_wav("long", make_wav_bytes(samples, rate=rate))


def list_seconds(split: Split, rate: int = RATE) -> list[float]:
    return [(segment.end - segment.start) / rate for segment in split.segments]


def is_within(split: Split, lengths: SegmentLengths, rate: int = RATE) -> bool:
    ends = [0, *(position for segment in split.segments for position in (segment.start, segment.end))]
    return ends == sorted(ends) and all(
        lengths.min_seconds <= length <= lengths.max_seconds for length in list_seconds(split, rate)
    )


def measure_speech_share(split: Split, speech_spans: list[tuple[float, float]]) -> float:
    contained = sum(
        max(0.0, min(end, segment.end / RATE) - max(start, segment.start / RATE))
        for start, end in speech_spans
        for segment in split.segments
    )
    return contained / sum(end - start for start, end in speech_spans)


@pytest.mark.parametrize("noise_level", [None, -45.0, -38.0])
def test_recording_is_split_in_pauses_and_keeps_all_speech(noise_level: float | None) -> None:
    samples, speech_spans = make_recording([0.5, 0.9, 0.35, 1.2])
    if noise_level is not None:
        samples = samples + make_white_noise(len(samples) / RATE, noise_level)[: len(samples)]
    split = split_clip(make_clip(samples))
    assert is_within(split, DEFAULT_LENGTHS)
    assert all(segment.is_in_pauses for segment in split.segments)
    assert split.excluded_seconds == 0
    assert measure_speech_share(split, speech_spans) > 0.97  # the sample clips begin and end with a little silence
    assert 6 < np.median(list_seconds(split)) < 13


def test_recording_is_split_at_quiet_moments() -> None:
    samples, _ = make_recording([0.4])
    average = 20 * np.log10(np.sqrt(np.mean(samples**2)))
    for segment in split_clip(make_clip(samples)).segments:
        for position in (segment.start, segment.end):
            surroundings = samples[max(0, position - 240) : position + 240]
            assert 20 * np.log10(np.sqrt(np.mean(surroundings**2))) < average - 25


def test_short_pause_is_split_at_its_quietest_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    levels = np.full(1000, 0.01, np.float32)
    levels[500:530] = 1e-6
    levels[517] = 1e-7
    speech_levels = SpeechLevels(Speech(((0.0, 5.0), (5.3, 10.0)), 10.0), levels, levels)
    monkeypatch.setattr("audio.datasets.segment.measure_speech", lambda _clip: speech_levels)
    split = split_clip(make_clip(np.zeros(10 * RATE)), SegmentLengths(target_seconds=5.0))
    assert [(segment.start / RATE, segment.end / RATE) for segment in split.segments] == [(0.0, 5.17), (5.17, 10.0)]


def test_long_silences_are_excluded_except_their_edges() -> None:
    samples, speech_spans = make_recording([6.0])
    split = split_clip(make_clip(samples), replace(DEFAULT_LENGTHS, edge_seconds=0.3))
    assert is_within(split, DEFAULT_LENGTHS)
    assert len(split.segments) == len(speech_spans)
    for segment, (start, end) in zip(split.segments, speech_spans, strict=True):
        assert start - 0.45 < segment.start / RATE < start + 0.3
        assert end - 0.6 < segment.end / RATE < end + 0.45


def test_speech_without_pauses_is_split_where_it_is_quiet() -> None:
    samples = make_speech_like(60.0, RATE, room_dbfs=-80.0) + 0.05 * np.sin(np.arange(60 * RATE) * 0.05)
    speech_levels = measure_speech(make_clip(samples))
    continuous = replace(speech_levels.speech, segments=((0.0, 60.0),))
    with pytest.MonkeyPatch.context() as monkeypatch:
        without_pauses = replace(speech_levels, speech=continuous)
        monkeypatch.setattr("audio.datasets.segment.measure_speech", lambda _clip: without_pauses)
        split = split_clip(make_clip(samples))
    assert is_within(split, DEFAULT_LENGTHS)
    assert split.excluded_seconds == 0
    assert not any(segment.is_in_pauses for segment in split.segments)
    quiet = np.percentile(speech_levels.levels, 25)
    assert all(speech_levels.levels[min(segment.end * 100 // RATE, 5999)] <= quiet for segment in split.segments[:-1])


@pytest.mark.parametrize(("before", "after"), [(5.0, 5.0), (5.0, 0.1), (0.1, 5.0)])
def test_short_word_gets_enough_silence_around_it(before: float, after: float) -> None:
    samples, _ = load_sample_voice("slt-01")
    recording = np.concatenate(
        [make_white_noise(before, ROOM_DBFS), samples[: RATE // 2], make_white_noise(after, ROOM_DBFS, seed=2)]
    )
    (length,) = list_seconds(split_clip(make_clip(recording)))
    assert 1.5 <= length < 1.6


def test_recording_without_speech_or_too_short_is_refused() -> None:
    with pytest.raises(FileRefused) as refused:
        split_clip(make_clip(make_white_noise(20.0, -70.0)))
    assert refused.value.finding.code == "nothing_to_cut"
    with pytest.raises(FileRefused) as refused:
        split_clip(make_clip(load_sample_voice()[0][:RATE]))
    assert refused.value.finding.code == "shorter_than_a_clip"


def test_speech_is_excluded_if_the_limits_cannot_be_met() -> None:
    samples, _ = make_recording([0.5])
    split = split_clip(
        make_clip(samples[: 16 * RATE]), SegmentLengths(min_seconds=10.0, max_seconds=10.5, target_seconds=10.0)
    )
    assert is_within(split, SegmentLengths(min_seconds=10.0, max_seconds=10.5))
    assert len(split.segments) == 1
    assert 4 < split.excluded_seconds < 6.5


@st.composite
def split_point_lists(draw: st.DrawFn) -> list[_SplitPoint]:
    """Draw split points between spans of speech and pauses of any length, at 100 samples per second."""
    position, points = 0, [_SplitPoint(0, 0, draw(st.integers(0, 300)), 0.0, True)]
    position = points[0].start
    for _ in range(draw(st.integers(1, 25))):
        position += draw(st.integers(10, 900))
        end, pause = position, draw(st.integers(0, 2000))
        middle = end + draw(st.integers(0, pause))
        points.append(_SplitPoint(middle, end, end + pause, draw(st.sampled_from((1.0, 50.0))), pause > 0))
        position += pause
    last = points.pop()
    return [*points, last._replace(at=last.start, cost=0.0)]


@settings(max_examples=200, deadline=None)
@given(split_point_lists(), st.integers(1, 8), st.integers(1, 20))
def test_any_pauses_and_limits_give_segments_within_the_limits(
    points: list[_SplitPoint], min_seconds: int, extra_seconds: int
) -> None:
    lengths = SegmentLengths(float(min_seconds), float(min_seconds + extra_seconds), (min_seconds + extra_seconds) / 2)
    segments, excluded = _find_best_split(points, 100, lengths)
    ends = [0, *(position for segment in segments for position in (segment.start, segment.end)), points[-1].at]
    assert ends == sorted(ends)
    assert all(
        lengths.min_seconds <= (segment.end - segment.start) / 100 <= lengths.max_seconds for segment in segments
    )
    assert 0 <= excluded <= sum(last.end - first.start for first, last in zip(points, points[1:], strict=False))
    speech_spans = [(first.start, last.end) for first, last in zip(points, points[1:], strict=False)]
    contained = sum(any(segment.start <= a and b <= segment.end for segment in segments) for a, b in speech_spans)
    assert contained == len(speech_spans) or excluded


@pytest.mark.parametrize("rate", [16000, 22050, 44100])
def test_segments_are_written_unchanged_with_their_recipe(tmp_path: Path, rate: int) -> None:
    samples, _ = make_recording([0.6])
    source = make_clip(np.interp(np.arange(0, len(samples), RATE / rate), np.arange(len(samples)), samples), rate)
    split = split_clip(source)
    written = list(write_segments(source, split, tmp_path))
    names = [f"long-{number:03}.wav" for number in range(1, len(written) + 1)]
    assert [clip.path.name for clip in written] == names
    with source.open() as file:
        original, _ = soundfile.read(file, dtype="int16")
    for clip, segment in zip(written, split.segments, strict=True):
        assert np.array_equal(soundfile.read(clip.path, dtype="int16")[0], original[segment.start : segment.end])
        assert 1.5 <= load_clip(clip.path).seconds <= 20
        assert json.loads(json.dumps(clip.recipe)) == clip.recipe
        assert clip.recipe["from_sha256"] == source.sha256
        assert clip.recipe["steps"][-1]["start_frame"] == segment.start
    with pytest.raises(FileExistsError):
        next(write_segments(source, split, tmp_path))


@pytest.mark.parametrize("name", ["Größe" * 50, "take", "caf\udce9"])
def test_file_name_of_a_segment_has_its_number_after_a_long_or_invalid_name(tmp_path: Path, name: str) -> None:
    source = replace(make_clip(make_recording([0.6])[0]), name=name)
    split = split_clip(source)
    written = list(write_segments(source, split, tmp_path))
    assert [clip.path for clip in written] == list_segment_paths(source, len(split.segments), tmp_path)
    assert written[0].path.name.startswith(name[:3]) and written[0].path.name.endswith("-001.wav")


@pytest.mark.parametrize(("before", "after"), [(0.01, 0.01), (2.0, 0.05), (0.05, 3.0)])
def test_edges_are_trimmed_or_padded_to_the_same_silence(tmp_path: Path, before: float, after: float) -> None:
    samples, _ = load_sample_voice("slt-03")
    source = make_clip(
        np.concatenate([make_white_noise(before, ROOM_DBFS), samples, make_white_noise(after, ROOM_DBFS, seed=3)])
    )
    written = set_edges(source, tmp_path / "edged.wav", 0.4)
    speech = measure_speech(load_clip(written.path)).speech
    assert speech.segments[0][0] == pytest.approx(0.4, abs=0.1)
    assert speech.total - speech.segments[-1][1] == pytest.approx(0.4, abs=0.1)
    assert written.recipe["steps"][-1]["step"] == "edges"
    edges = find_edges(source, 0.4)
    with source.open() as file:
        original, _ = soundfile.read(file, dtype="int16")
    result, _ = soundfile.read(written.path, dtype="int16")
    copied = result[edges.zeros_before : len(result) - edges.zeros_after]
    assert np.array_equal(copied, original[edges.start : edges.end])
    assert not result[: edges.zeros_before].any()


def test_power_is_measured_every_ten_milliseconds_at_any_rate() -> None:
    for rate in (8000, 22050, 44100):
        steps = np.repeat([0.1, 0.4, 0.01], rate) * np.sin(np.arange(3 * rate))
        levels = measure_speech(make_clip(steps, rate)).levels
        assert len(levels) == 300
        for number, peak in enumerate((0.1, 0.4, 0.01)):
            assert levels[number * 100 + 50] == pytest.approx(peak**2 / 2, rel=0.05)
