"""The inspection of a file: its findings, its hash, and its robustness against any file content."""

import hashlib
import io
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from audio.findings import catalog_sound
from audio.findings.catalog import CODES
from audio.findings.findings import Severity, make_finding
from audio.levels.inspection import DurationLimits, Inspection, inspect_file
from tests.support.planted_defects import PLANTED_DEFECTS
from tests.support.wav import (
    CLEAN_WAVS,
    HOSTILE_WAVS,
    RATE,
    Samples,
    decibels_to_gain,
    encode_pcm,
    make_sine_tone,
    make_speech_like,
    make_wav_bytes,
    make_white_noise,
)

NO_LIMITS = DurationLimits(0.0, 1e9)


def list_codes(inspection: Inspection) -> set[str]:
    return {finding.code for finding in inspection.findings}


def inspect_samples(samples: Samples, rate: int = RATE, limits: DurationLimits = NO_LIMITS) -> Inspection:
    return inspect_file(io.BytesIO(make_wav_bytes(samples, rate=rate)), limits)


@pytest.mark.parametrize("name", HOSTILE_WAVS)
def test_hostile_file_is_refused_with_one_finding_and_hashed(name: str) -> None:
    make_data, code = HOSTILE_WAVS[name]
    data = make_data()
    inspection = inspect_file(io.BytesIO(data))
    assert (inspection.ok, list_codes(inspection)) == (False, {code})
    assert (inspection.header, inspection.levels, inspection.peaks + inspection.fine_peaks) == (None, None, ())
    assert (inspection.size, inspection.sha256) == (len(data), hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize("name", CLEAN_WAVS)
def test_clean_file_passes_and_is_hashed(name: str) -> None:
    data = CLEAN_WAVS[name]()
    inspection = inspect_file(io.BytesIO(data))
    assert inspection.ok
    assert list_codes(inspection) <= {"telephone_band"}
    assert (inspection.size, inspection.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert len(inspection.peaks) == 800


def make_speech_with_pauses(before: float, after: float) -> Samples:
    return np.concatenate(
        (make_white_noise(before, -65.0), make_speech_like(3.0), make_white_noise(after, -65.0, seed=2))
    )


def make_clipped_speech(limit: float, start: float = 0.0) -> Samples:
    samples = make_speech_like(3.0, rms_dbfs=-18.0)
    loud = np.abs(samples).max() * limit
    samples[: round(start * RATE)] *= 0.5 * limit
    return np.clip(samples, -loud, loud)


def make_one_flat_top() -> Samples:
    samples = make_speech_like(3.0)
    samples[RATE : RATE + 6] = 0.9
    return samples


POOR_SOUNDS: dict[str, tuple[Callable[[], Samples], str]] = {
    "digital silence": (lambda: np.zeros(3 * RATE), "silent"),
    "room tone": (lambda: make_white_noise(3.0, -60.0), "silent"),
    "one click in a silent room": (lambda: np.concatenate((make_white_noise(3.0, -70.0), [0.3])), "silent"),
    "hum": (lambda: make_sine_tone(3.0, frequency=50.0, peak=0.1), "no_speech"),
    "hiss": (lambda: make_white_noise(3.0, -30.0), "no_speech"),
    "mostly pause": (lambda: make_speech_with_pauses(0.9, 6.0), "little_speech"),
    "quiet": (lambda: make_speech_like(rms_dbfs=-40.0, room_dbfs=-85.0), "too_quiet"),
    "loud": (lambda: np.tanh(make_speech_like(rms_dbfs=-5.0)) * 0.8, "too_loud"),
    "at the limit": (lambda: make_speech_like(rms_dbfs=-20.0) * 0.99 / np.abs(make_speech_like()).max(), "peak_high"),
    "clipped": (lambda: make_clipped_speech(0.6), "clipping"),
    "clipped, then lowered": (lambda: make_clipped_speech(0.6) * decibels_to_gain(-9.0), "clipping"),
    "one flat top": (make_one_flat_top, "clipping_slight"),
    "loud room": (lambda: make_speech_like(room_dbfs=-30.0), "noisy"),
    "slightly loud room": (lambda: make_speech_like(room_dbfs=-40.0), "noise_heard"),
    "offset": (lambda: make_speech_like() + 0.03, "dc_offset"),
    "negative offset": (lambda: make_speech_like() - 0.03, "dc_offset"),
    "late start": (lambda: make_speech_with_pauses(1.5, 0.2), "silence_at_start"),
    "long end": (lambda: make_speech_with_pauses(0.2, 1.5), "silence_at_end"),
    "long pause": (
        lambda: np.concatenate((make_speech_like(3.0), make_white_noise(1.6, -65.0), make_speech_like(3.0))),
        "long_pause",
    ),
}


@pytest.mark.parametrize("name", POOR_SOUNDS)
def test_poor_sound_gets_a_warning_and_passes_the_inspection(name: str) -> None:
    make_samples, code = POOR_SOUNDS[name]
    inspection = inspect_samples(make_samples())
    assert code in list_codes(inspection)
    assert inspection.ok
    assert {finding.severity for finding in inspection.findings} == {Severity.WARNING}


def test_good_sound_has_no_findings() -> None:
    assert inspect_samples(make_speech_like(3.0)).findings == ()


def test_every_sound_finding_code_has_a_poor_sound_here() -> None:
    analysis_codes = {planted.code for planted in PLANTED_DEFECTS.values() if not planted.found_by_inspection}
    assert {code for _, code in POOR_SOUNDS.values()} | {"telephone_band"} == set(catalog_sound.CODES) - analysis_codes


def test_sample_rate_of_8_khz_gets_the_telephone_band_warning() -> None:
    assert list_codes(inspect_samples(make_speech_like(3.0, 8000), 8000)) == {"telephone_band"}


def test_findings_of_clipping_and_silence_have_a_time() -> None:
    (clipping,) = inspect_samples(make_clipped_speech(0.6, start=2.0)).findings
    assert clipping.at == pytest.approx(2.0, abs=0.3)
    end = next(finding for finding in inspect_samples(make_speech_with_pauses(0.2, 1.5)).findings if finding.at)
    assert end.code == "silence_at_end"
    assert end.at == pytest.approx(2.96, abs=0.05)


def test_silent_clip_has_only_the_silent_finding() -> None:
    assert list_codes(inspect_samples(make_white_noise(3.0, -60.0))) == {"silent"}


@pytest.mark.parametrize(
    ("duration", "expected"), [(1.4, {"too_short"}), (1.5, set()), (20.0, set()), (20.1, {"too_long"})]
)
def test_duration_outside_the_limits_is_refused(duration: float, expected: set[str]) -> None:
    inspection = inspect_samples(make_speech_like(duration), limits=DurationLimits(1.5, 20.0))
    assert (list_codes(inspection), inspection.ok) == (expected, not expected)


def test_file_of_wrong_duration_is_still_measured() -> None:
    inspection = inspect_samples(make_speech_like(0.5), limits=DurationLimits(1.5, 20.0))
    assert inspection.header is not None
    assert inspection.header.seconds == 0.5
    assert inspection.levels is not None


def test_as_dict_is_json_without_peaks() -> None:
    stored = json.loads(
        json.dumps(inspect_file(io.BytesIO(make_wav_bytes()), DurationLimits(3.0, 20.0)).as_dict(), allow_nan=False)
    )
    assert set(stored) == {"ok", "size", "sha256", "header", "levels", "findings"}
    assert stored["header"]["seconds"] == 2.0
    assert stored["findings"][0]["severity"] == "refused"
    assert stored["findings"][0]["text"] == "It lasts 2.0 seconds; at least 3 are needed."
    assert json.loads(json.dumps(inspect_file(io.BytesIO(b"")).as_dict()))["levels"] is None


@pytest.mark.parametrize("frames", [31999, 32001, 0])
def test_file_is_refused_if_decoder_and_header_differ_in_length(monkeypatch: pytest.MonkeyPatch, frames: int) -> None:
    info = SimpleNamespace(format="WAV", subtype="PCM_16", samplerate=RATE, channels=1, frames=frames)
    monkeypatch.setattr(soundfile, "SoundFile", lambda file: FakeSoundFile(info))
    assert list_codes(inspect_file(io.BytesIO(make_wav_bytes()))) == {"decoder_disagrees"}


def test_file_the_decoder_cannot_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(file: Any) -> None:
        raise soundfile.LibsndfileError(2)

    monkeypatch.setattr(soundfile, "SoundFile", fail)
    assert list_codes(inspect_file(io.BytesIO(make_wav_bytes()))) == {"decoder_disagrees"}


class FakeSoundFile:
    def __init__(self, sound: SimpleNamespace) -> None:
        self.sound = sound

    def __enter__(self) -> SimpleNamespace:
        return self.sound

    def __exit__(self, *_args: object) -> None:
        pass


class ShrinkingFile(io.BytesIO):
    """Loses its second half when the samples are read."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > 1000:
            self.truncate(32_000)
        return super().read(size)


def test_file_that_shrinks_while_it_is_read_is_refused() -> None:
    assert list_codes(inspect_file(ShrinkingFile(make_wav_bytes()))) == {"changed_while_read"}


def test_disk_error_is_raised_and_is_not_a_finding() -> None:
    class BrokenFile(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        inspect_file(BrokenFile(make_wav_bytes()))


VALID_WAV = make_wav_bytes(make_speech_like(0.2), after=[(b"LIST", b"INFO")])

edit_lists = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.integers(0, 60), st.binary(min_size=1, max_size=4)),
        st.tuples(st.just("insert"), st.integers(0, len(VALID_WAV)), st.binary(min_size=1, max_size=12)),
        st.tuples(st.just("cut"), st.integers(0, len(VALID_WAV)), st.binary(max_size=9)),
    ),
    min_size=1,
    max_size=6,
)


def apply_edits(data: bytes, edits: list[tuple[str, int, bytes]]) -> bytes:
    for kind, position, value in edits:
        skipped = 0 if kind == "insert" else len(value)
        data = data[:position] + (b"" if kind == "cut" else value) + data[position + skipped :]
    return data


def check_inspection(data: bytes) -> None:
    inspection = inspect_file(io.BytesIO(data), NO_LIMITS)
    assert (inspection.size, inspection.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    json.dumps(inspection.as_dict(), allow_nan=False)
    if inspection.ok:
        assert soundfile.info(io.BytesIO(data)).subtype == "PCM_16"
    else:
        assert inspection.findings[0].severity == Severity.ERROR


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_random_bytes_do_not_break_the_inspection(data: bytes) -> None:
    check_inspection(data)
    check_inspection(b"RIFF" + len(data + b"WAVE").to_bytes(4, "little") + b"WAVE" + data)


@given(edit_lists)
@settings(max_examples=400, deadline=None)
def test_changed_files_do_not_break_the_inspection(edits: list[tuple[str, int, bytes]]) -> None:
    data = apply_edits(VALID_WAV, edits)
    check_inspection(data)
    check_inspection(data[:4] + max(0, len(data) - 8).to_bytes(4, "little") + data[8:])


@given(
    st.binary(min_size=2, max_size=3000).filter(lambda data: len(data) % 2 == 0),
    st.sampled_from([8000, 48000]),
)
@settings(max_examples=150, deadline=None)
def test_any_samples_can_be_measured(data: bytes, rate: int) -> None:
    assume(not data.startswith(b"OggS"))  # libsndfile reads this as Ogg inside a WAV; our reader does not
    inspection = inspect_file(io.BytesIO(make_wav_bytes(data=data, rate=rate)), NO_LIMITS)
    assert inspection.ok
    assert inspection.levels is not None
    assert inspection.levels.rms_dbfs <= inspection.levels.peak_dbfs + 1e-9 <= 1e-6
    assert all(-128 <= value <= 127 for value in inspection.peaks)


def test_refused_file_of_50_mb_is_hashed_in_blocks(tmp_path: Path) -> None:
    path = tmp_path / "large.wav"
    with path.open("wb") as out:
        out.truncate(50_000_000)
    tracemalloc.start()
    with path.open("rb") as file:
        inspection = inspect_file(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert list_codes(inspection) == {"not_wav"}
    assert peak < 3_000_000


@pytest.mark.parametrize("name", ["sound.raw", "sound.flac", "sound"])
def test_file_name_does_not_change_the_inspection(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(make_wav_bytes())
    with (tmp_path / name).open("rb") as file:
        assert inspect_file(file).ok


def test_finding_texts_are_sentences_and_a_missing_value_raises() -> None:
    for code, template in CODES.items():
        for sentence in (template.text, template.advice):
            assert not sentence[0].islower() and sentence.endswith("."), code
    with pytest.raises(KeyError):
        make_finding("not_mono")
    with pytest.raises(KeyError):
        make_finding("no_such_code")


def test_finding_is_stored_with_its_time() -> None:
    assert make_finding("clipping", at=3.14159, share=0.0123).as_dict() == {
        "severity": "look",
        "code": "clipping",
        "text": "The sound is clipped (1.23% of it).",
        "advice": "Record it again with less gain.",
        "at": 3.14,
    }


def test_hash_covers_the_whole_file() -> None:
    data = make_wav_bytes(data=encode_pcm(make_speech_like(9.0)) + b"\0\0")
    assert inspect_file(io.BytesIO(data)).sha256 == hashlib.sha256(data).hexdigest()
