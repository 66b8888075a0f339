"""Any sound file becomes a WAV that the strict reader accepts. A damaged or inconsistent file is refused."""

import io
import random
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
import soundfile

from audio.findings import catalog_convert as catalog
from audio.findings.findings import FileRefused, Severity
from audio.untrusted.child import Job
from audio.untrusted.runner import run_job
from audio.wav import convert, decode
from audio.wav.convert import ConvertedWav, convert_job, convert_to_temporary_wav, convert_to_wav, is_accepted_wav
from audio.wav.pcm import choose_allowed_rate
from audio.wav.riff import ALLOWED_RATES, SIGNATURES, read_header
from audio.wav.source_format import COMPLETE_AUDIO_CODES, FINDING_BY_CODE
from tests.support.sounds import (
    FloatArray,
    encode_with_ffmpeg,
    encode_with_libsndfile,
    load_sample_voice,
    make_video_without_sound,
)
from tests.support.wav import (
    CLEAN_WAVS,
    HOSTILE_WAVS,
    load_sample_wav,
    make_sine_tone,
    make_speech_like,
    make_wav_bytes,
    make_white_noise,
)

VOICE, RATE = load_sample_voice()

ConvertBytes = Callable[[bytes], ConvertedWav]


def run_in_process(job: Job, source: BinaryIO, arguments: dict[str, Any], *_: object) -> Iterator[dict[str, Any]]:
    """Run the job in this process: to start a child for each of hundreds of files would be slow."""
    return job(source, **arguments)


@pytest.fixture
def convert_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ConvertBytes:
    """Convert bytes to a WAV file that has passed the strict reader."""
    monkeypatch.setattr(convert, "run_job", run_in_process)

    def convert_to_next_file(data: bytes, rate: int | None = None) -> ConvertedWav:
        return convert_to_wav(io.BytesIO(data), tmp_path / f"{len(list(tmp_path.iterdir()))}.wav", rate)

    return convert_to_next_file


def list_codes(wav: ConvertedWav) -> set[str]:
    return {finding.code for finding in wav.findings}


def get_refusal_code(data: bytes, tmp_path: Path) -> str:
    target = tmp_path / "refused.wav"
    with pytest.raises(FileRefused) as refused:
        convert_to_wav(io.BytesIO(data), target)
    assert refused.value.finding.severity == Severity.ERROR
    assert not target.exists()
    return refused.value.finding.code


def read_samples(wav: ConvertedWav) -> FloatArray:
    with wav.path.open("rb") as file:
        assert read_header(file) == wav.header
    return np.asarray(soundfile.read(wav.path)[0])


def compute_correlation(first: FloatArray, second: FloatArray) -> float:
    """Compute the correlation at the best shift within 50 ms, because decoders start a little early or late."""
    size = min(len(first), len(second)) - 4800
    middle = first[2400 : 2400 + size]
    parts = [second[start : start + size] for start in range(0, min(4800, len(second) - size), 4)]
    return max(float(middle @ part / np.sqrt((middle @ middle) * (part @ part) + 1e-20)) for part in parts)


EXACT_FORMATS = [
    "WAV/PCM_16",
    "FLAC/PCM_16",
    "AIFF/PCM_16",
    "CAF/PCM_16",
    "CAF/ALAC_16",
    "W64/PCM_16",
    "RF64/PCM_16",
    "AU/PCM_16",
]
DITHERED_FORMATS = ["WAV/PCM_24", "WAV/PCM_32", "WAV/FLOAT", "WAV/DOUBLE", "FLAC/PCM_24", "AIFF/PCM_24", "CAF/FLOAT"]
ENCODED_FORMATS = [
    "WAV/PCM_U8",
    "WAV/ULAW",
    "WAV/ALAW",
    "WAV/IMA_ADPCM",
    "WAV/MS_ADPCM",
    "MP3/MPEG_LAYER_III",
    "OGG/VORBIS",
    "OGG/OPUS",
]


@pytest.mark.parametrize("kind", EXACT_FORMATS)
def test_16_bit_samples_are_unchanged(convert_bytes: ConvertBytes, kind: str) -> None:
    container, subtype = kind.split("/")
    wav = convert_bytes(encode_with_libsndfile(VOICE, RATE, container, subtype))
    assert np.array_equal(read_samples(wav), VOICE)
    assert wav.recipe["steps"][-1] == {"step": "round", "bits": 16, "dither": None}
    assert wav.original_format == {
        "container": container,
        "subtype": subtype,
        "sample_rate": RATE,
        "channels": 1,
        "frames": len(VOICE),
        "seconds": len(VOICE) / RATE,
    }
    assert list_codes(wav) == (set() if kind == "WAV/PCM_16" else {"converted"})


def test_bw64_is_read_as_its_older_name(convert_bytes: ConvertBytes) -> None:
    wav = convert_bytes(b"BW64" + encode_with_libsndfile(VOICE, RATE, "RF64", "PCM_16")[4:])
    assert np.array_equal(read_samples(wav), VOICE)
    assert (list_codes(wav), wav.original_format["container"]) == ({"converted"}, "RF64")


@pytest.mark.parametrize("kind", DITHERED_FORMATS)
def test_wider_samples_are_rounded_with_dither(convert_bytes: ConvertBytes, kind: str) -> None:
    wav = convert_bytes(encode_with_libsndfile(VOICE, RATE, *kind.split("/")))
    steps = (read_samples(wav) - VOICE) * 32768
    assert np.abs(steps).max() <= 1.0
    # Triangular dither of one step up or down changes one in four samples that were whole 16-bit values.
    assert np.mean(steps != 0) == pytest.approx(0.25, abs=0.01)
    assert wav.recipe["steps"][-1]["dither"] == wav.recipe["from_sha256"]


@pytest.mark.parametrize("kind", ENCODED_FORMATS)
def test_encoded_file_decodes_to_the_same_sound(convert_bytes: ConvertBytes, kind: str) -> None:
    wav = convert_bytes(encode_with_libsndfile(VOICE, RATE, *kind.split("/")))
    assert wav.header.seconds == pytest.approx(len(VOICE) / RATE, abs=0.1)
    assert compute_correlation(VOICE, read_samples(wav)) > 0.95
    assert list_codes(wav) == {"converted"} | ({"lossy_source"} if kind != "WAV/PCM_U8" else set())


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    ("kind", "codec", "container", "lossy"),
    [
        ("mp4", "aac", "MP4", True),
        ("ipod", "alac", "MP4", False),
        ("mov", "pcm_s16le", "MP4", False),
        ("mov", "pcm_u8", "MP4", False),
        ("mov", "pcm_s24le", "MP4", False),
        ("mov", "pcm_f32le", "MP4", False),
        ("webm", "libopus", "WEBM", True),
        ("matroska", "flac", "WEBM", False),
        ("adts", "aac", "AAC", True),
        ("caf", "alac", "CAF", False),
    ],
)
def test_phone_recording_decodes_to_the_same_sound(
    convert_bytes: ConvertBytes, kind: str, codec: str, container: str, lossy: bool, channels: int
) -> None:
    source = np.repeat(VOICE[:, None], channels, axis=1) if channels > 1 else VOICE
    wav = convert_bytes(encode_with_ffmpeg(np.repeat(source, 3, axis=0), 48000, kind, codec))
    original = wav.original_format
    assert (original["container"], original["sample_rate"], original["channels"]) == (container, 48000, channels)
    assert wav.header.seconds == pytest.approx(len(VOICE) / RATE, abs=0.05)
    samples = read_samples(wav)
    assert compute_correlation(np.repeat(VOICE, 3), samples) > 0.95
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(np.sqrt(np.mean(VOICE**2)), rel=0.02)
    assert list_codes(wav) == {"converted"} | ({"lossy_source"} if lossy else set())


@pytest.mark.parametrize(("kind", "codec"), [("ipod", "alac"), ("matroska", "flac"), ("mov", "pcm_s16le")])
def test_decoding_starts_no_threads(kind: str, codec: str) -> None:
    tasks = Path("/proc/self/task")  # Linux only: elsewhere both counts are 0. The child must not start threads.
    sound = decode.open_sound(io.BytesIO(encode_with_ffmpeg(np.repeat(VOICE, 3), 48000, kind, codec)))
    before = list(tasks.glob("*"))
    for _ in sound.read_blocks():
        assert len(list(tasks.glob("*"))) <= len(before)


def test_browser_recording_without_duration_converts_its_content(convert_bytes: ConvertBytes) -> None:
    recording = encode_with_ffmpeg(np.repeat(VOICE, 3), 48000, "webm", "libopus", live=True)
    assert convert_bytes(recording).header.seconds == pytest.approx(len(VOICE) / RATE, abs=0.05)
    assert convert_bytes(recording[: len(recording) // 2]).header.seconds == pytest.approx(
        len(VOICE) / RATE / 2, rel=0.2
    )


def test_refusal_of_a_phone_recording_without_pyav_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(FileRefused) as refused:
        decode.open_sound(io.BytesIO(b"\0\0\0\x20ftypM4A " + bytes(100)))
    assert refused.value.finding.code == "decoder_missing"
    assert "M4A" in refused.value.finding.text and "make extras" in refused.value.finding.advice


@pytest.mark.parametrize(
    ("rate", "expected"),
    [(rate, rate) for rate in ALLOWED_RATES]
    + [(11025, 16000), (12000, 16000), (24000, 22050), (32000, 44100), (37800, 44100), (47999, 48000)]
    + [(88200, 44100), (96000, 48000), (176400, 44100), (192000, 48000), (6000, 8000)],
)
def test_sample_rate_maps_to_an_allowed_rate(rate: int, expected: int) -> None:
    assert choose_allowed_rate(rate) == expected


@pytest.mark.parametrize(("source", "target"), [(96000, 48000), (88200, 44100), (32000, 44100), (44100, 16000)])
def test_resampling_keeps_tone_and_length(convert_bytes: ConvertBytes, source: int, target: int) -> None:
    wav = convert_to_wav(
        io.BytesIO(encode_with_libsndfile(make_sine_tone(2.0, source, 1000.0), source, "WAV", "PCM_24")),
        choose_target(convert_bytes),
        target,
    )
    samples = read_samples(wav)
    assert (wav.header.sample_rate, wav.header.frames) == (target, 2 * target)
    middle = slice(target // 2, target)
    assert np.abs(samples - make_sine_tone(2.0, target, 1000.0))[middle].max() < 2e-4
    assert {"step": "resample", "from": source, "to": target, "quality": "HQ"} in wav.recipe["steps"]


def choose_target(convert_bytes: ConvertBytes) -> Path:
    return convert_bytes(make_wav_bytes()).path.with_name("target.wav")


def test_resampling_does_not_alias(convert_bytes: ConvertBytes) -> None:
    high = encode_with_libsndfile(make_sine_tone(1.0, 96000, 30000.0), 96000, "WAV", "FLOAT")
    assert np.abs(read_samples(convert_bytes(high)))[4800:-4800].max() < 3 / 32768


def test_output_is_deterministic_and_dither_differs_by_file(
    convert_bytes: ConvertBytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encode_with_libsndfile(np.stack([VOICE, VOICE * 0.9], axis=1), RATE, "FLAC", "PCM_24")
    in_process = convert_bytes(data)
    with monkeypatch.context() as patched:
        patched.setattr(convert, "run_job", run_job)
        in_child = convert_bytes(data)
    assert in_process.path.read_bytes() == in_child.path.read_bytes()
    assert (in_process.recipe, in_process.findings) == (in_child.recipe, in_child.findings)
    silence = [
        read_samples(convert_bytes(encode_with_libsndfile(np.zeros(size), RATE, "WAV", "PCM_24")))
        for size in (40000, 40001)
    ]
    assert not np.array_equal(silence[0], silence[1][:40000])


@pytest.mark.parametrize("gain", [1.5, 40.0, 30000.0])
def test_peaks_beyond_full_scale_are_lowered_not_clipped(convert_bytes: ConvertBytes, gain: float) -> None:
    wav = convert_bytes(encode_with_libsndfile(VOICE / np.abs(VOICE).max() * gain, RATE, "WAV", "FLOAT"))
    samples = read_samples(wav)
    assert 0.999 < np.abs(samples).max() < 1.0
    assert compute_correlation(VOICE, samples) > 0.99999
    assert list_codes(wav) == {"converted", "peaks_lowered"}
    assert f"{20 * np.log10(gain):.1f} dB" in next(f.text for f in wav.findings if f.code == "peaks_lowered")


def test_peak_at_full_scale_is_not_lowered(convert_bytes: ConvertBytes) -> None:
    wav = convert_bytes(encode_with_libsndfile(make_sine_tone(1.0, RATE, peak=1.0), RATE, "WAV", "PCM_24"))
    assert list_codes(wav) == {"converted"}
    assert np.abs(read_samples(wav)).max() > 0.9999


ROOM_NOISE = make_white_noise(len(VOICE) / RATE, -70.0, RATE, seed=4)[: len(VOICE)]
OTHER_VOICE = np.roll(VOICE, RATE)


@pytest.mark.parametrize(
    ("channels", "expected", "code"),
    [
        ([VOICE, VOICE], VOICE, None),
        ([VOICE, VOICE * 0.8], VOICE, None),
        ([VOICE, ROOM_NOISE], VOICE, "channel_silent"),
        ([np.zeros_like(VOICE), VOICE], VOICE, "channel_silent"),
        ([VOICE * 0.3, OTHER_VOICE], OTHER_VOICE, "channels_differ"),
        ([VOICE, -VOICE * 0.9], VOICE, "channels_differ"),
        ([ROOM_NOISE * 0, VOICE, VOICE, ROOM_NOISE], VOICE, "channel_silent"),
        ([ROOM_NOISE * 0, ROOM_NOISE * 0], ROOM_NOISE * 0, None),
    ],
    ids=["equal", "one lower", "one room noise", "one zero", "two voices", "inverted", "two of four", "silence"],
)
def test_channels_are_reduced_to_one(
    convert_bytes: ConvertBytes, channels: list[FloatArray], expected: FloatArray, code: str | None
) -> None:
    wav = convert_bytes(encode_with_libsndfile(np.stack(channels, axis=1), RATE, "WAV", "PCM_16"))
    assert list_codes(wav) - {"converted"} == ({code} if code else set())
    samples = read_samples(wav)
    assert not expected.any() or compute_correlation(expected, samples) > 0.9999
    # A silent second channel must not halve the level.
    assert np.abs(samples).max() == pytest.approx(np.abs(expected).max(), rel=0.11, abs=2 / 32768)


TRUNCATION_CODES = {"truncated", "cut_in_header", "data_overruns", "chunk_overruns", "data_empty"}


@pytest.mark.parametrize("name", HOSTILE_WAVS)
def test_hostile_wav_is_refused_or_becomes_a_clean_wav(convert_bytes: ConvertBytes, tmp_path: Path, name: str) -> None:
    make_data, code = HOSTILE_WAVS[name]
    data = make_data()
    try:
        wav = convert_bytes(data)
    except FileRefused as refused:
        assert list(tmp_path.iterdir()) == []
        if refused.finding.code != code:
            assert code not in {*TRUNCATION_CODES, "is_zip", "empty_file"}
            assert refused.finding.code in {"not_sound", "rest_damaged", "truncated", "sound_damaged", "no_sound"}
    else:
        assert code not in {*TRUNCATION_CODES, "is_zip", "empty_file"}
        assert code in convert.OTHER_FORMAT_CODES | COMPLETE_AUDIO_CODES
        said = FINDING_BY_CODE.get(code, "more_than_sound") if code in COMPLETE_AUDIO_CODES else ""
        assert list_codes(wav) & {*FINDING_BY_CODE.values(), "more_than_sound"} == ({said} if said else set())


def test_clean_wav_keeps_its_samples(convert_bytes: ConvertBytes) -> None:
    for make_data in CLEAN_WAVS.values():
        data = make_data()
        assert is_accepted_wav(io.BytesIO(data))
        wav = convert_bytes(data)
        assert list_codes(wav) == set()
        assert np.array_equal(read_samples(wav), soundfile.read(io.BytesIO(data))[0])


def test_half_sample_at_the_end_is_left_out_and_an_unwritten_length_is_said(convert_bytes: ConvertBytes) -> None:
    wav = convert_bytes(make_wav_bytes(data=b"\1\0" * 32000 + b"\1"))
    assert list_codes(wav) == {"converted", "half_sample_removed"} and wav.header.frames == 32000
    assert list_codes(convert_bytes(make_wav_bytes(data_size=0))) == {"converted", "read_to_end"}


TRUNCATED_FORMATS = {
    "WAV/PCM_24": "truncated",
    "AIFF/PCM_16": "truncated",
    "AU/PCM_16": "truncated",
    "W64/PCM_16": "truncated",
    "RF64/PCM_16": "truncated",
    "CAF/PCM_16": "rest_damaged",
    "FLAC/PCM_16": "sound_damaged",
    "webm/libopus": "sound_missing",
    "mp4/aac": "rest_damaged",
    "caf/alac": "rest_damaged",
    "adts/aac": "sound_damaged",
}


@pytest.mark.parametrize("kind", TRUNCATED_FORMATS)
def test_truncated_file_is_refused(tmp_path: Path, kind: str) -> None:
    container, encoding = kind.split("/")
    encode = encode_with_libsndfile if container.isupper() else encode_with_ffmpeg
    data = encode(np.repeat(VOICE, 3), 48000, container, encoding)
    assert get_refusal_code(data[: len(data) * 6 // 10 | 1], tmp_path) == TRUNCATED_FORMATS[kind]


def test_truncated_ogg_file_is_accepted_with_a_finding(convert_bytes: ConvertBytes) -> None:
    data = encode_with_libsndfile(VOICE, RATE, "OGG", "VORBIS")
    assert "end_missing" not in list_codes(convert_bytes(data))
    assert "end_missing" in list_codes(convert_bytes(data[: len(data) * 6 // 10]))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_non_finite_and_huge_samples_are_refused(tmp_path: Path, value: float) -> None:
    samples = VOICE.copy()
    samples[70000] = value
    for channels in (samples, np.stack([samples, samples], axis=1)):
        assert get_refusal_code(encode_with_libsndfile(channels, RATE, "WAV", "DOUBLE"), tmp_path) == "not_numbers"


def test_too_many_channels_and_impossible_rates_are_refused(tmp_path: Path) -> None:
    assert (
        get_refusal_code(encode_with_libsndfile(np.zeros((800, 9)), RATE, "WAV", "PCM_16"), tmp_path)
        == "too_many_channels"
    )
    for rate in (100, 3999, 1_000_000):
        assert get_refusal_code(encode_with_libsndfile(VOICE, rate, "WAV", "PCM_24"), tmp_path) == "rate_unusable"


def make_flac_header(frames: int) -> bytes:
    """Make a FLAC header (44,100 Hz, mono, 16 bits) that claims `frames` frames, and a few random bytes after it."""
    packed = (44100 << 44) | (15 << 36) | frames
    head = b"fLaC\x80\x00\x00\x22" + struct.pack(">HH", 4096, 4096) + bytes(6) + packed.to_bytes(8, "big") + bytes(16)
    return head.ljust(132, b"\x55")


def test_header_that_claims_billions_of_frames_is_refused(tmp_path: Path) -> None:
    assert len(make_flac_header(68_700_000_000)) == 132
    assert get_refusal_code(make_flac_header(68_700_000_000), tmp_path) in {
        "sound_damaged",
        "sound_missing",
        "rest_damaged",
    }


def test_file_longer_than_the_maximum_hours_is_refused(tmp_path: Path) -> None:
    """The limit is needed because a megabyte of FLAC can hold days of silence."""
    flac = encode_with_libsndfile(np.zeros(3601 * 8000), 8000, "FLAC", "PCM_16")
    target = tmp_path / "hours.wav"
    target.touch()
    with pytest.raises(FileRefused) as refused:
        list(convert_job(io.BytesIO(flac), str(target), None, "1", -30.0, 0.7, 3600.0))
    assert refused.value.finding.code == "too_long_to_convert"
    assert "longer than 3600 seconds." in refused.value.finding.text


def test_file_without_sound_is_refused(tmp_path: Path) -> None:
    assert get_refusal_code(encode_with_libsndfile(np.zeros(0), RATE, "AIFF", "PCM_16"), tmp_path) == "no_sound"
    assert get_refusal_code(make_video_without_sound(), tmp_path) == "no_sound"


def test_sample_rate_that_changes_midway_is_refused(tmp_path: Path) -> None:
    parts = [encode_with_ffmpeg(VOICE, rate, "adts", "aac") for rate in (48000, 44100)]
    assert get_refusal_code(b"".join(parts), tmp_path) == "format_changes"


FILE_SIGNATURES = sorted(
    {signature for _, signature, _ in SIGNATURES if signature != b"ftyp"} | {b"\xff\xf1", b".snd", b"#!AMR\n", b""}
)


@pytest.mark.parametrize("signature", [*FILE_SIGNATURES, b"\0\0\0\x20ftypM4A \0\0\0\0", b"0&\xb2u\x8ef\xcf\x11"])
def test_random_bytes_after_any_signature_are_refused(tmp_path: Path, signature: bytes) -> None:
    for seed in range(2):
        get_refusal_code(signature + random.Random(seed).randbytes(50_000), tmp_path)  # noqa: S311 - reproducible


@pytest.mark.parametrize("kind", ["FLAC/PCM_16", "OGG/VORBIS", "MP3/MPEG_LAYER_III", "webm/libopus", "mp4/aac"])
def test_flipped_bytes_are_refused_or_harmless(convert_bytes: ConvertBytes, kind: str) -> None:
    container, encoding = kind.split("/")
    encode = encode_with_libsndfile if container.isupper() else encode_with_ffmpeg
    data = bytearray(encode(np.repeat(VOICE[:16000], 3), 48000, container, encoding))
    rng = random.Random(kind)  # noqa: S311 - reproducible
    for _ in range(20):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    try:
        read_samples(convert_bytes(bytes(data)))
    except FileRefused as refused:
        assert refused.finding.severity == Severity.ERROR


def test_file_is_only_read_as_the_format_of_its_signature(tmp_path: Path) -> None:
    """FFmpeg would search the file further, and find the MP3 in it."""
    mp3 = encode_with_libsndfile(VOICE, RATE, "MP3", "MPEG_LAYER_III")
    assert get_refusal_code(b"\xff\xf1" + mp3, tmp_path) in {"sound_damaged", "rest_damaged"}


def test_playlist_is_refused_as_not_sound(tmp_path: Path) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(load_sample_wav("slt-01"))
    for text in ("#EXTM3U\n#EXTINF:5,\n{}\n", "ffconcat version 1.0\nfile {}\n", '<?xml version="1.0"?><MPD>{}</MPD>'):
        assert get_refusal_code(text.format(secret).encode(), tmp_path) == "not_sound"


def test_existing_target_and_unsupported_rate_are_refused(tmp_path: Path) -> None:
    target = tmp_path / "existing.wav"
    target.write_text("existing")
    with pytest.raises(FileExistsError):
        convert_to_wav(io.BytesIO(make_wav_bytes()), target)
    assert target.read_text() == "existing"
    with pytest.raises(ValueError, match="12345"):
        convert_to_wav(io.BytesIO(make_wav_bytes()), tmp_path / "new.wav", 12345)


def test_temporary_wav_is_deleted_on_exit(tmp_path: Path) -> None:
    path = tmp_path / "voice.flac"
    path.write_bytes(data := encode_with_libsndfile(VOICE, RATE, "FLAC", "PCM_24"))
    with path.open("rb") as file, convert_to_temporary_wav(file) as wav:
        assert wav.header.frames == len(VOICE)
        assert not is_accepted_wav(file)
    assert not wav.path.exists()
    assert path.read_bytes() == data


def test_converted_finding_describes_the_original_format(convert_bytes: ConvertBytes) -> None:
    wav = convert_bytes(encode_with_libsndfile(np.stack([VOICE, VOICE], axis=1), 48000, "FLAC", "PCM_24"))
    assert (
        wav.findings[0].text == "The file was FLAC, 24 bit, 48,000 Hz, stereo and was converted to a 16-bit mono WAV."
    )
    assert wav.findings[0].severity == Severity.FIXED


def test_every_conversion_code_appears_in_this_file() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert [
        code for code in {**catalog.CONVERSION_FINDINGS, **catalog.CONVERSION_ERRORS} if f'"{code}"' not in source
    ] == []


def test_speech_converts_to_every_allowed_rate(convert_bytes: ConvertBytes) -> None:
    for rate in ALLOWED_RATES:
        data = encode_with_libsndfile(make_speech_like(2.0, 96000), 96000, "WAV", "PCM_24")
        wav = convert_to_wav(io.BytesIO(data), convert_bytes(make_wav_bytes()).path.with_suffix(f".{rate}.wav"), rate)
        assert (wav.header.sample_rate, wav.header.seconds) == (rate, 2.0)
