"""Joined clips keep their sound and the limits; of many recordings the best are chosen."""

import io
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.datasets.clips import Clip, load_clip
from audio.datasets.concatenate import (
    FADE_SECONDS,
    check_limits,
    concatenate_clips,
    find_common_rate,
    write_concatenation,
)
from audio.datasets.select import Candidate, SelectionLimits, compute_quality, select_recordings
from audio.findings.findings import Refused
from audio.levels.inspection import inspect_file
from audio.wav.riff import ALLOWED_RATES, read_header
from tests.support.sounds import clip_in, voice
from tests.support.wav import noise, sample_wav, speech_like, tone, wav_bytes


def clip(name: str = "slt-01") -> Clip:
    return clip_in(name, sample_wav(name))


def at(rate: int, seconds: float = 1.0, frequency: float = 500.0) -> Clip:
    return clip_in(str(rate), wav_bytes(tone(seconds, rate, frequency), rate=rate))


def test_clips_follow_each_other_with_silence_between(tmp_path: Path) -> None:
    names = ["slt-01", "slt-02", "slt-03"]
    made = write_concatenation(concatenate_clips([clip(name) for name in names], gap_seconds=0.5), tmp_path / "all.wav")
    got, rate = soundfile.read(made.path, dtype="int16")
    fade, done = round(rate * FADE_SECONDS), 0
    for number, name in enumerate(names):
        original = np.round(voice(name)[0] * 32768).astype(np.int16)
        part = got[done : done + len(original)]
        assert np.array_equal(part[fade:-fade], original[fade:-fade])
        assert part[0] == part[-1] == 0
        done += len(original)
        if number < 2:
            assert not got[done : done + rate // 2].any()
            done += rate // 2
    assert done == len(got)
    assert made.recipe["from_sha256"] == [clip(name).sha256 for name in names]
    assert made.recipe["steps"][-1] == {"step": "join", "rate": rate, "gap_frames": 8000, "fade_seconds": 0.005}


def test_an_edge_that_would_click_is_faded(tmp_path: Path) -> None:
    loud = clip_in("loud", wav_bytes(data=np.full(16000, 20000, "<i2").tobytes()))
    got = soundfile.read(
        write_concatenation(concatenate_clips([loud, loud]), tmp_path / "all.wav").path, dtype="int16"
    )[0].astype(int)
    assert np.abs(np.diff(got)).max() <= 20000 / (16000 * FADE_SECONDS) + 1
    assert (got == 20000).sum() > 2 * 15800


@given(
    st.lists(st.tuples(st.sampled_from(ALLOWED_RATES), st.integers(1, 3000)), min_size=1, max_size=5),
    st.sampled_from((None, *ALLOWED_RATES)),
    st.sampled_from((0.0, 0.01, 0.3)),
)
def test_the_size_is_known_before_a_clip_is_opened(shapes: list[tuple[int, int]], rate: int | None, gap: float) -> None:
    clips = [clip_in("x", wav_bytes(data=b"\1\2" * frames, rate=source)) for source, frames in shapes]
    whole = concatenate_clips(clips, rate, gap)
    data = b"".join(whole.stream_wav())
    assert len(data) == whole.size
    if whole.frames:
        header = read_header(io.BytesIO(data))
        assert (header.frames, header.sample_rate) == (whole.frames, whole.rate)
        assert header.seconds == pytest.approx(whole.seconds)


def test_clips_of_other_rates_are_brought_to_the_commonest(tmp_path: Path) -> None:
    clips = [at(48000), at(16000), at(48000), at(22050)]
    made = write_concatenation(concatenate_clips(clips), tmp_path / "all.wav")
    assert made.header.sample_rate == 48000
    got, _ = soundfile.read(made.path)
    for number in range(4):
        part = got[round(number * 1.3 * 48000) :][4800:43200]
        spectrum = np.abs(np.fft.rfft(part))
        assert spectrum.argmax() * 48000 / len(part) == pytest.approx(500, abs=2)
        assert np.abs(part).max() == pytest.approx(0.5, abs=0.002)
    changed = [step["of"] for step in made.recipe["steps"] if step["step"] == "resample"]
    assert changed == [1, 3]
    again = write_concatenation(concatenate_clips(clips), tmp_path / "again.wav")
    assert again.path.read_bytes() == made.path.read_bytes()


def test_of_two_common_rates_the_higher_is_taken() -> None:
    assert find_common_rate([16000, 44100, 44100]) == 44100
    assert find_common_rate([48000, 16000]) == find_common_rate([16000, 48000]) == 48000


def test_limits_are_kept_to_the_sample_and_the_byte(tmp_path: Path) -> None:
    whole = concatenate_clips([at(16000, 5.0), at(16000, 4.7)])
    assert whole.seconds == 10.0
    check_limits(whole, 10.0, whole.size)
    for limits, code in (((9.999, None), "joined_too_long"), ((None, whole.size - 1), "joined_too_big")):
        with pytest.raises(Refused) as refused:
            check_limits(whole, *limits)
        assert refused.value.finding.code == code
    with pytest.raises(Refused) as refused:
        concatenate_clips([])
    assert refused.value.finding.code == "nothing_chosen"


def test_a_clip_that_shrinks_meanwhile_leaves_no_half_file(tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    path.write_bytes(data := sample_wav("slt-01"))
    whole = concatenate_clips([load_clip(path)])
    path.write_bytes(data[:30001])
    with pytest.raises(Refused):
        write_concatenation(whole, tmp_path / "all.wav")
    assert not (tmp_path / "all.wav").exists()


def test_a_clip_that_is_another_meanwhile_is_not_joined(tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    path.write_bytes(sample_wav("slt-01"))
    whole = concatenate_clips([load_clip(path)])
    path.write_bytes(sample_wav("slt-02"))
    with pytest.raises(Refused) as refused:
        write_concatenation(whole, tmp_path / "all.wav")
    assert refused.value.finding.code == "changed_while_read"


def score(samples: object, name: str = "") -> float:
    return compute_quality(inspect_file(io.BytesIO(sample_wav(name) if name else samples)))  # type: ignore[arg-type]  # bytes


def test_quality_falls_with_noise_clipping_and_shortness() -> None:
    samples, _ = voice("slt-01")
    clean = score(wav_bytes(samples))
    noisy = [score(wav_bytes(samples + noise(10.0, level)[: len(samples)])) for level in (-55.0, -40.0, -30.0)]
    assert 1 >= clean > noisy[0] > noisy[1] > noisy[2] > 0
    assert score(wav_bytes(np.clip(samples * 8, -0.9, 0.9))) < clean / 2
    assert score(wav_bytes(samples[16000:44000])) < clean
    for hopeless in (wav_bytes(noise(5.0, -80.0)), b"no sound", wav_bytes(tone(5.0)), wav_bytes(speech_like(1.0))):
        assert score(hopeless) == 0


def best_by_trying(candidates: list[Candidate], room: SelectionLimits) -> float:
    """The value of the best choice, by trying all of them."""
    most = 0.0
    for size in range(min(len(candidates), room.max_files or len(candidates)) + 1):
        for chosen in combinations(candidates, size):
            if sum(one.seconds for one in chosen) + room.gap_seconds * (size - 1) <= room.max_seconds:
                most = max(most, value(chosen))
    return most


def value(chosen: object) -> float:
    return sum(one.seconds * one.quality for one in chosen)  # type: ignore[attr-defined]  # candidates


candidates = st.builds(
    Candidate, st.floats(0.5, 30).map(lambda one: round(one, 2)), st.sampled_from((0.0, 0.2, 0.5, 0.9, 1.0))
)
rooms = st.builds(
    SelectionLimits, st.floats(1, 90), st.one_of(st.none(), st.integers(1, 6)), st.sampled_from((0.0, 0.3))
)


@settings(max_examples=150, deadline=None)
@given(st.lists(candidates, max_size=9), rooms)
def test_the_choice_is_the_best_and_never_exceeds_the_room(many: list[Candidate], room: SelectionLimits) -> None:
    chosen = select_recordings(many, room)
    taken = [many[place] for place in chosen]
    assert list(chosen) == sorted(set(chosen))
    assert all(one.quality > 0 for one in taken)
    assert len(taken) <= (room.max_files or len(many))
    assert sum(one.seconds + room.gap_seconds for one in taken) <= room.max_seconds + room.gap_seconds + 1e-9
    # Rounding up may cost each chosen clip a six-thousandth of the room.
    tighter = SelectionLimits(room.max_seconds * (1 - (len(many) + 1) / 5000), room.max_files, room.gap_seconds)
    assert value(taken) >= best_by_trying(many, tighter) - 1e-9
    assert chosen == select_recordings(many, room)


def test_the_good_are_preferred_and_all_are_taken_where_there_is_room() -> None:
    many = [Candidate(10.0, 0.3), Candidate(10.0, 0.9), Candidate(10.0, 0.8), Candidate(10.0, 0.0)]
    assert select_recordings(many, SelectionLimits(20.0)) == (1, 2)
    assert select_recordings(many, SelectionLimits(1000.0)) == (0, 1, 2)
    assert select_recordings(many, SelectionLimits(1000.0, max_files=1)) == (1,)
    assert (
        select_recordings([], SelectionLimits(10.0))
        == select_recordings(many, SelectionLimits(5.0))
        == select_recordings(many, SelectionLimits(30.0, max_files=0))
        == ()
    )


def test_thousands_to_choose_from_are_no_trouble() -> None:
    chance = np.random.default_rng(1)
    many = [
        Candidate(float(a), float(b)) for a, b in zip(chance.uniform(2, 12, 3000), chance.random(3000), strict=True)
    ]
    chosen = select_recordings(many, SelectionLimits(300.0, gap_seconds=0.3))
    assert 298 < sum(many[place].seconds + 0.3 for place in chosen) <= 300.3
    assert np.mean([many[place].quality for place in chosen]) > 0.97
    assert len(select_recordings(many[:500], SelectionLimits(3600.0, max_files=25))) == 25


@pytest.mark.parametrize("most", [0.0, -1.0])
def test_nothing_is_chosen_where_there_is_no_room(most: float) -> None:
    assert select_recordings([Candidate(1.0, 1.0)], SelectionLimits(most)) == ()
