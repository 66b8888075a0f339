"""A long recording is cut where nobody speaks, into clips of allowed length, sample by sample as it was."""

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
from audio.findings.findings import Refused
from audio.networks.vad import Speech
from tests.support.sounds import FloatArray, clip_in, voice
from tests.support.wav import noise, speech_like, wav_bytes

RATE = 16000
QUIET = -65.0


def long_take(gaps: list[float], repeat: int = 1) -> tuple[FloatArray, list[tuple[float, float]]]:
    """Sample clips with so much of the room between them, and from where to where somebody speaks, in seconds."""
    parts, spoken, done = [noise(gaps[0], QUIET)], [], gaps[0]
    names = [f"slt-0{number}" for number in range(1, 9)] * repeat
    for number, name in enumerate(names):
        samples, rate = voice(name)
        assert rate == RATE
        gap = noise(gaps[(number + 1) % len(gaps)], QUIET, seed=number)
        spoken.append((done, done + len(samples) / RATE))
        done += (len(samples) + len(gap)) / RATE
        parts += [samples, gap]
    return np.concatenate(parts), spoken


def clip(samples: FloatArray, rate: int = RATE) -> Clip:
    return clip_in("long", wav_bytes(samples, rate=rate))


def seconds(found: Split, rate: int = RATE) -> list[float]:
    return [(piece.end - piece.start) / rate for piece in found.segments]


def all_within(found: Split, lengths: SegmentLengths, rate: int = RATE) -> bool:
    ends = [0, *(place for piece in found.segments for place in (piece.start, piece.end))]
    return ends == sorted(ends) and all(
        lengths.min_seconds <= one <= lengths.max_seconds for one in seconds(found, rate)
    )


def heard_in(found: Split, spoken: list[tuple[float, float]]) -> float:
    """The share of speech that is in some clip."""
    kept = sum(
        max(0.0, min(end, piece.end / RATE) - max(start, piece.start / RATE))
        for start, end in spoken
        for piece in found.segments
    )
    return kept / sum(end - start for start, end in spoken)


@pytest.mark.parametrize("noise_level", [None, -45.0, -38.0])
def test_clips_are_cut_in_pauses_and_no_word_is_lost(noise_level: float | None) -> None:
    samples, spoken = long_take([0.5, 0.9, 0.35, 1.2])
    if noise_level is not None:
        samples = samples + noise(len(samples) / RATE, noise_level)[: len(samples)]
    found = split_clip(clip(samples))
    assert all_within(found, DEFAULT_LENGTHS)
    assert all(piece.is_in_pauses for piece in found.segments)
    assert found.excluded_seconds == 0
    assert heard_in(found, spoken) > 0.97  # the sample clips have a little silence of their own
    assert 6 < np.median(seconds(found)) < 13


def test_cuts_lie_in_the_quietest_moments() -> None:
    samples, _ = long_take([0.4])
    loud = 20 * np.log10(np.sqrt(np.mean(samples**2)))
    for piece in split_clip(clip(samples)).segments:
        for place in (piece.start, piece.end):
            near = samples[max(0, place - 240) : place + 240]
            assert 20 * np.log10(np.sqrt(np.mean(near**2))) < loud - 25


def test_a_narrow_pause_is_cut_at_its_quietest_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    levels = np.full(1000, 0.01, np.float32)
    levels[500:530] = 1e-6
    levels[517] = 1e-7
    heard = SpeechLevels(Speech(((0.0, 5.0), (5.3, 10.0)), 10.0), levels)
    monkeypatch.setattr("audio.datasets.segment.measure_speech", lambda _clip: heard)
    found = split_clip(clip(np.zeros(10 * RATE)), SegmentLengths(target_seconds=5.0))
    assert [(piece.start / RATE, piece.end / RATE) for piece in found.segments] == [(0.0, 5.17), (5.17, 10.0)]


def test_long_silences_are_left_out_but_for_their_edges() -> None:
    samples, spoken = long_take([6.0])
    found = split_clip(clip(samples), replace(DEFAULT_LENGTHS, edge_seconds=0.3))
    assert all_within(found, DEFAULT_LENGTHS)
    assert len(found.segments) == len(spoken)
    for piece, (start, end) in zip(found.segments, spoken, strict=True):
        assert start - 0.45 < piece.start / RATE < start + 0.3
        assert end - 0.6 < piece.end / RATE < end + 0.45


def test_who_never_pauses_is_cut_at_the_quietest_moment() -> None:
    samples = speech_like(60.0, RATE, room_dbfs=-80.0) + 0.05 * np.sin(np.arange(60 * RATE) * 0.05)
    heard = measure_speech(clip(samples))
    whole = replace(heard.speech, segments=((0.0, 60.0),))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("audio.datasets.segment.measure_speech", lambda _clip: replace(heard, speech=whole))
        found = split_clip(clip(samples))
    assert all_within(found, DEFAULT_LENGTHS)
    assert found.excluded_seconds == 0
    assert not any(piece.is_in_pauses for piece in found.segments)
    quiet = np.percentile(heard.levels, 25)
    assert all(heard.levels[min(piece.end * 100 // RATE, 5999)] <= quiet for piece in found.segments[:-1])


@pytest.mark.parametrize(("before", "after"), [(5.0, 5.0), (5.0, 0.1), (0.1, 5.0)])
def test_a_short_word_between_silences_gets_silence_around_it(before: float, after: float) -> None:
    samples, _ = voice("slt-01")
    word = np.concatenate([noise(before, QUIET), samples[: RATE // 2], noise(after, QUIET, seed=2)])
    (length,) = seconds(split_clip(clip(word)))
    assert 1.5 <= length < 1.6


def test_nothing_to_cut_is_said_so() -> None:
    with pytest.raises(Refused) as refused:
        split_clip(clip(noise(20.0, -70.0)))
    assert refused.value.finding.code == "nothing_to_cut"
    with pytest.raises(Refused) as refused:
        split_clip(clip(voice()[0][:RATE]))
    assert refused.value.finding.code == "shorter_than_a_clip"


def test_limits_that_cannot_be_kept_leave_speech_out_rather_than_break_them() -> None:
    samples, _ = long_take([0.5])
    found = split_clip(
        clip(samples[: 16 * RATE]), SegmentLengths(min_seconds=10.0, max_seconds=10.5, target_seconds=10.0)
    )
    assert all_within(found, SegmentLengths(min_seconds=10.0, max_seconds=10.5))
    assert len(found.segments) == 1
    assert 4 < found.excluded_seconds < 6.5


@st.composite
def places(draw: st.DrawFn) -> list[_SplitPoint]:
    """Speech of any lengths with pauses of any lengths between; 100 samples a second."""
    at, found = 0, [_SplitPoint(0, 0, draw(st.integers(0, 300)), 0.0, True)]
    at = found[0].start
    for _ in range(draw(st.integers(1, 25))):
        at += draw(st.integers(10, 900))
        end, pause = at, draw(st.integers(0, 2000))
        middle = end + draw(st.integers(0, pause))
        found.append(_SplitPoint(middle, end, end + pause, draw(st.sampled_from((1.0, 50.0))), pause > 0))
        at += pause
    last = found.pop()
    return [*found, last._replace(at=last.start, cost=0.0)]


@settings(max_examples=200, deadline=None)
@given(places(), st.integers(1, 8), st.integers(1, 20))
def test_any_pauses_and_any_limits_give_clips_within_them(found: list[_SplitPoint], least: int, more: int) -> None:
    lengths = SegmentLengths(float(least), float(least + more), (least + more) / 2)
    pieces, left_out = _find_best_split(found, 100, lengths)
    ends = [0, *(place for piece in pieces for place in (piece.start, piece.end)), found[-1].at]
    assert ends == sorted(ends)
    assert all(lengths.min_seconds <= (piece.end - piece.start) / 100 <= lengths.max_seconds for piece in pieces)
    assert 0 <= left_out <= sum(last.end - first.start for first, last in zip(found, found[1:], strict=False))
    spoken = [(first.start, last.end) for first, last in zip(found, found[1:], strict=False)]
    kept = sum(any(piece.start <= a and b <= piece.end for piece in pieces) for a, b in spoken)
    assert kept == len(spoken) or left_out


@pytest.mark.parametrize("rate", [16000, 22050, 44100])
def test_pieces_are_written_as_they_were_and_say_how(tmp_path: Path, rate: int) -> None:
    samples, _ = long_take([0.6])
    source = clip(np.interp(np.arange(0, len(samples), RATE / rate), np.arange(len(samples)), samples), rate)
    found = split_clip(source)
    made = list(write_segments(source, found, tmp_path))
    assert [one.path.name for one in made] == [f"long-{n:03}.wav" for n in range(1, len(made) + 1)]
    with source.open() as file:
        original, _ = soundfile.read(file, dtype="int16")
    for one, piece in zip(made, found.segments, strict=True):
        assert np.array_equal(soundfile.read(one.path, dtype="int16")[0], original[piece.start : piece.end])
        assert 1.5 <= load_clip(one.path).seconds <= 20
        assert json.loads(json.dumps(one.recipe)) == one.recipe
        assert one.recipe["from_sha256"] == source.sha256
        assert one.recipe["steps"][-1]["start_frame"] == piece.start
    with pytest.raises(FileExistsError):
        next(write_segments(source, found, tmp_path))


@pytest.mark.parametrize("name", ["Größe" * 50, "take", "caf\udce9"])
def test_a_long_or_broken_name_leaves_room_for_the_number(tmp_path: Path, name: str) -> None:
    source = replace(clip(long_take([0.6])[0]), name=name)
    found = split_clip(source)
    made = list(write_segments(source, found, tmp_path))
    assert [one.path for one in made] == list_segment_paths(source, found, tmp_path)
    assert made[0].path.name.startswith(name[:3]) and made[0].path.name.endswith("-001.wav")


@pytest.mark.parametrize(("before", "after"), [(0.01, 0.01), (2.0, 0.05), (0.05, 3.0)])
def test_edges_are_cut_or_filled_to_the_same_silence(tmp_path: Path, before: float, after: float) -> None:
    samples, _ = voice("slt-03")
    source = clip(np.concatenate([noise(before, QUIET), samples, noise(after, QUIET, seed=3)]))
    made = set_edges(source, tmp_path / "edged.wav", 0.4)
    heard = measure_speech(load_clip(made.path)).speech
    assert heard.segments[0][0] == pytest.approx(0.4, abs=0.1)
    assert heard.total - heard.segments[-1][1] == pytest.approx(0.4, abs=0.1)
    assert made.recipe["steps"][-1]["step"] == "edges"
    found = find_edges(source, 0.4)
    with source.open() as file:
        original, _ = soundfile.read(file, dtype="int16")
    got, _ = soundfile.read(made.path, dtype="int16")
    assert np.array_equal(got[found.zeros_before : len(got) - found.zeros_after], original[found.start : found.end])
    assert not got[: found.zeros_before].any()


def test_hearing_measures_every_ten_milliseconds_at_any_rate() -> None:
    for rate in (8000, 22050, 44100):
        steps = np.repeat([0.1, 0.4, 0.01], rate) * np.sin(np.arange(3 * rate))
        levels = measure_speech(clip(steps, rate)).levels
        assert len(levels) == 300
        for number, peak in enumerate((0.1, 0.4, 0.01)):
            assert levels[number * 100 + 50] == pytest.approx(peak**2 / 2, rel=0.05)
