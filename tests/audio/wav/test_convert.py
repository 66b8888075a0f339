"""Any sound file becomes a WAV that the strict reader takes; what is damaged or lies is refused."""

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

from audio.findings import catalog_convert as table
from audio.findings.findings import Refused, Severity
from audio.untrusted.child import Job
from audio.untrusted.runner import run_job
from audio.wav import convert, decode
from audio.wav.convert import ConvertedWav, convert_job, convert_to_temporary_wav, convert_to_wav, is_accepted_wav
from audio.wav.pcm import choose_allowed_rate
from audio.wav.riff import ALLOWED_RATES, SIGNATURES, read_header
from audio.wav.source_format import INTACT_SOUND_CODES
from tests.support.sounds import FloatArray, by_ffmpeg, by_libsndfile, film, voice
from tests.support.wav import CLEAN, HOSTILE, noise, sample_wav, speech_like, tone, wav_bytes

VOICE, RATE = voice()

Make = Callable[[bytes], ConvertedWav]


def at_once(job: Job, source: BinaryIO, arguments: dict[str, Any], *_: object) -> Iterator[dict[str, Any]]:
    """What the child does, in this process, which saves starting one for each of hundreds of files."""
    return job(source, **arguments)


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Converts bytes; what comes out has passed the strict reader."""
    monkeypatch.setattr(convert, "run_job", at_once)

    def made(data: bytes, rate: int | None = None) -> ConvertedWav:
        return convert_to_wav(io.BytesIO(data), tmp_path / f"{len(list(tmp_path.iterdir()))}.wav", rate)

    return made


def codes(derived: ConvertedWav) -> set[str]:
    return {one.code for one in derived.findings}


def refusal(data: bytes, tmp_path: Path) -> str:
    target = tmp_path / "refused.wav"
    with pytest.raises(Refused) as refused:
        convert_to_wav(io.BytesIO(data), target)
    assert refused.value.finding.severity == Severity.ERROR
    assert not target.exists()
    return refused.value.finding.code


def sound_of(derived: ConvertedWav) -> FloatArray:
    with derived.path.open("rb") as file:
        assert read_header(file) == derived.header
    return np.asarray(soundfile.read(derived.path)[0])


def likeness(first: FloatArray, second: FloatArray) -> float:
    """Correlation at the best shift within 50 ms: decoders start a little early or late."""
    size = min(len(first), len(second)) - 4800
    middle = first[2400 : 2400 + size]
    shifts = [second[start : start + size] for start in range(0, min(4800, len(second) - size), 4)]
    return max(float(middle @ one / np.sqrt((middle @ middle) * (one @ one) + 1e-20)) for one in shifts)


EXACT = [
    "WAV/PCM_16",
    "FLAC/PCM_16",
    "AIFF/PCM_16",
    "CAF/PCM_16",
    "CAF/ALAC_16",
    "W64/PCM_16",
    "RF64/PCM_16",
    "AU/PCM_16",
]
DITHERED = ["WAV/PCM_24", "WAV/PCM_32", "WAV/FLOAT", "WAV/DOUBLE", "FLAC/PCM_24", "AIFF/PCM_24", "CAF/FLOAT"]
CODED = [
    "WAV/PCM_U8",
    "WAV/ULAW",
    "WAV/ALAW",
    "WAV/IMA_ADPCM",
    "WAV/MS_ADPCM",
    "MP3/MPEG_LAYER_III",
    "OGG/VORBIS",
    "OGG/OPUS",
]


@pytest.mark.parametrize("kind", EXACT)
def test_sixteen_bits_stay_what_they_are(make: Make, kind: str) -> None:
    container, subtype = kind.split("/")
    made = make(by_libsndfile(VOICE, RATE, container, subtype))
    assert np.array_equal(sound_of(made), VOICE)
    assert made.recipe["steps"][-1] == {"step": "round", "bits": 16, "dither": None}
    assert made.original_format == {
        "container": container,
        "subtype": subtype,
        "sample_rate": RATE,
        "channels": 1,
        "frames": len(VOICE),
        "seconds": len(VOICE) / RATE,
    }
    assert codes(made) == (set() if kind == "WAV/PCM_16" else {"converted"})


@pytest.mark.parametrize("kind", DITHERED)
def test_wider_samples_are_rounded_with_dither(make: Make, kind: str) -> None:
    made = make(by_libsndfile(VOICE, RATE, *kind.split("/")))
    steps = (sound_of(made) - VOICE) * 32768
    assert np.abs(steps).max() <= 1.0
    # Triangular dither of one step to either side moves a value that is a whole number one time in four.
    assert np.mean(steps != 0) == pytest.approx(0.25, abs=0.01)
    assert made.recipe["steps"][-1]["dither"] == made.recipe["from_sha256"]


@pytest.mark.parametrize("kind", CODED)
def test_coded_sound_is_the_same_sound(make: Make, kind: str) -> None:
    made = make(by_libsndfile(VOICE, RATE, *kind.split("/")))
    assert made.header.seconds == pytest.approx(len(VOICE) / RATE, abs=0.1)
    assert likeness(VOICE, sound_of(made)) > 0.95
    lossy = kind.split("/")[0] in ("MP3", "OGG")
    assert codes(made) == {"converted"} | ({"lossy_source"} if lossy else set())


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
    ],
)
def test_what_phones_record_is_the_same_sound(
    make: Make, kind: str, codec: str, container: str, lossy: bool, channels: int
) -> None:
    samples = np.repeat(VOICE[:, None], channels, axis=1) if channels > 1 else VOICE
    made = make(by_ffmpeg(np.repeat(samples, 3, axis=0), 48000, kind, codec))
    told = made.original_format
    assert (told["container"], told["sample_rate"], told["channels"]) == (container, 48000, channels)
    assert made.header.seconds == pytest.approx(len(VOICE) / RATE, abs=0.05)
    got = sound_of(made)
    assert likeness(np.repeat(VOICE, 3), got) > 0.95
    assert np.sqrt(np.mean(got**2)) == pytest.approx(np.sqrt(np.mean(VOICE**2)), rel=0.02)
    assert codes(made) == {"converted"} | ({"lossy_source"} if lossy else set())


@pytest.mark.parametrize(("kind", "codec"), [("ipod", "alac"), ("matroska", "flac"), ("mov", "pcm_s16le")])
def test_decoding_starts_no_threads_for_a_child_may_not(kind: str, codec: str) -> None:
    tasks = Path("/proc/self/task")  # where there is none, nobody can count
    sound = decode.open_sound(io.BytesIO(by_ffmpeg(np.repeat(VOICE, 3), 48000, kind, codec)))
    before = list(tasks.glob("*"))
    for _ in sound.read_blocks():
        assert len(list(tasks.glob("*"))) <= len(before)


def test_a_browsers_recording_without_a_length_gives_what_is_there(make: Make) -> None:
    blob = by_ffmpeg(np.repeat(VOICE, 3), 48000, "webm", "libopus", live=True)
    assert make(blob).header.seconds == pytest.approx(len(VOICE) / RATE, abs=0.05)
    assert make(blob[: len(blob) // 2]).header.seconds == pytest.approx(len(VOICE) / RATE / 2, rel=0.2)


def test_without_pyav_a_phones_file_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(Refused) as refused:
        decode.open_sound(io.BytesIO(b"\0\0\0\x20ftypM4A " + bytes(100)))
    assert refused.value.finding.code == "decoder_missing"
    assert "M4A" in refused.value.finding.text and "make extras" in refused.value.finding.advice


@pytest.mark.parametrize(
    ("rate", "becomes"),
    [(rate, rate) for rate in ALLOWED_RATES]
    + [(11025, 16000), (12000, 16000), (24000, 22050), (32000, 44100), (37800, 44100), (47999, 48000)]
    + [(88200, 44100), (96000, 48000), (176400, 44100), (192000, 48000), (6000, 8000)],
)
def test_a_rate_becomes_one_that_is_allowed(rate: int, becomes: int) -> None:
    assert choose_allowed_rate(rate) == becomes


@pytest.mark.parametrize(("source", "target"), [(96000, 48000), (88200, 44100), (32000, 44100), (44100, 16000)])
def test_another_rate_keeps_a_tone_and_the_length(make: Make, source: int, target: int) -> None:
    made = convert_to_wav(
        io.BytesIO(by_libsndfile(tone(2.0, source, 1000.0), source, "WAV", "PCM_24")), _new(make), target
    )
    got = sound_of(made)
    assert (made.header.sample_rate, made.header.frames) == (target, 2 * target)
    middle = slice(target // 2, target)
    assert np.abs(got - tone(2.0, target, 1000.0))[middle].max() < 2e-4
    assert {"step": "resample", "from": source, "to": target, "quality": "HQ"} in made.recipe["steps"]


def _new(make: Make) -> Path:
    return make(wav_bytes()).path.with_name("again.wav")


def test_what_lies_above_the_new_band_does_not_come_back_lower(make: Make) -> None:
    high = by_libsndfile(tone(1.0, 96000, 30000.0), 96000, "WAV", "FLOAT")
    assert np.abs(sound_of(make(high)))[4800:-4800].max() < 3 / 32768


def test_the_same_file_gives_the_same_bytes_and_another_other_dither(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = by_libsndfile(np.stack([VOICE, VOICE * 0.9], axis=1), RATE, "FLAC", "PCM_24")
    here = make(data)
    with monkeypatch.context() as patched:
        patched.setattr(convert, "run_job", run_job)
        in_the_child = make(data)
    assert here.path.read_bytes() == in_the_child.path.read_bytes()
    assert (here.recipe, here.findings) == (in_the_child.recipe, in_the_child.findings)
    silence = [sound_of(make(by_libsndfile(np.zeros(size), RATE, "WAV", "PCM_24"))) for size in (40000, 40001)]
    assert not np.array_equal(silence[0], silence[1][:40000])


@pytest.mark.parametrize("gain", [1.5, 40.0, 30000.0])
def test_what_goes_beyond_full_scale_is_lowered_not_cut_off(make: Make, gain: float) -> None:
    made = make(by_libsndfile(VOICE / np.abs(VOICE).max() * gain, RATE, "WAV", "FLOAT"))
    got = sound_of(made)
    assert 0.999 < np.abs(got).max() < 1.0
    assert likeness(VOICE, got) > 0.99999
    assert codes(made) == {"converted", "peaks_lowered"}
    assert f"{20 * np.log10(gain):.1f} dB" in next(f.text for f in made.findings if f.code == "peaks_lowered")


def test_full_scale_itself_is_not_lowered(make: Make) -> None:
    made = make(by_libsndfile(tone(1.0, RATE, peak=1.0), RATE, "WAV", "PCM_24"))
    assert codes(made) == {"converted"}
    assert np.abs(sound_of(made)).max() > 0.9999


ROOM = noise(len(VOICE) / RATE, -70.0, RATE, seed=4)[: len(VOICE)]
OTHER = np.roll(VOICE, RATE)


@pytest.mark.parametrize(
    ("channels", "expected", "code"),
    [
        ([VOICE, VOICE], VOICE, None),
        ([VOICE, VOICE * 0.8], VOICE, None),
        ([VOICE, ROOM], VOICE, "channel_silent"),
        ([np.zeros_like(VOICE), VOICE], VOICE, "channel_silent"),
        ([VOICE * 0.3, OTHER], OTHER, "channels_differ"),
        ([VOICE, -VOICE * 0.9], VOICE, "channels_differ"),
        ([ROOM * 0, VOICE, VOICE, ROOM], VOICE, "channel_silent"),
        ([ROOM * 0, ROOM * 0], ROOM * 0, None),
    ],
    ids=["equal", "one lower", "one open", "one dead", "two people", "opposed", "two of four", "silence"],
)
def test_channels_become_one(make: Make, channels: list[FloatArray], expected: FloatArray, code: str | None) -> None:
    made = make(by_libsndfile(np.stack(channels, axis=1), RATE, "WAV", "PCM_16"))
    assert codes(made) - {"converted"} == ({code} if code else set())
    got = sound_of(made)
    assert not expected.any() or likeness(expected, got) > 0.9999
    # Never half as loud for the lack of a second channel.
    assert np.abs(got).max() == pytest.approx(np.abs(expected).max(), rel=0.11, abs=2 / 32768)


SOME_MISSING = {"truncated", "cut_in_header", "data_overruns", "chunk_overruns", "data_half_sample", "data_empty"}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_wav_is_refused_or_becomes_a_clean_one(make: Make, tmp_path: Path, name: str) -> None:
    recipe, code = HOSTILE[name]
    data = recipe()
    try:
        made = make(data)
    except Refused as refused:
        assert list(tmp_path.iterdir()) == []
        if refused.finding.code != code:
            assert code not in {*SOME_MISSING, "is_zip", "empty_file"}
            assert refused.finding.code in {"not_sound", "rest_damaged", "truncated", "sound_damaged"}
    else:
        assert code not in {*SOME_MISSING, "is_zip", "empty_file"}
        assert code in convert.OTHER_FORMAT_CODES | INTACT_SOUND_CODES
        assert ("more_than_sound" in codes(made)) == (code in INTACT_SOUND_CODES)


def test_every_clean_wav_comes_out_with_its_own_samples(make: Make) -> None:
    for recipe in CLEAN.values():
        data = recipe()
        assert is_accepted_wav(io.BytesIO(data))
        made = make(data)
        assert codes(made) == set()
        assert np.array_equal(sound_of(made), soundfile.read(io.BytesIO(data))[0])


CUT = {
    "WAV/PCM_24": "truncated",
    "AIFF/PCM_16": "truncated",
    "AU/PCM_16": "truncated",
    "W64/PCM_16": "truncated",
    "RF64/PCM_16": "truncated",
    "CAF/PCM_16": "rest_damaged",
    "FLAC/PCM_16": "sound_damaged",
    "webm/libopus": "sound_missing",
    "mp4/aac": "rest_damaged",
    "adts/aac": "sound_damaged",
}


@pytest.mark.parametrize("kind", CUT)
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, kind: str) -> None:
    container, encoding = kind.split("/")
    write = by_libsndfile if container.isupper() else by_ffmpeg
    data = write(np.repeat(VOICE, 3), 48000, container, encoding)
    assert refusal(data[: len(data) * 6 // 10 | 1], tmp_path) == CUT[kind]


def test_an_ogg_file_without_its_end_says_so(make: Make) -> None:
    data = by_libsndfile(VOICE, RATE, "OGG", "VORBIS")
    assert "end_missing" not in codes(make(data))
    assert "end_missing" in codes(make(data[: len(data) * 6 // 10]))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_samples_that_are_no_numbers_are_refused(tmp_path: Path, value: float) -> None:
    samples = VOICE.copy()
    samples[70000] = value
    for channels in (samples, np.stack([samples, samples], axis=1)):
        assert refusal(by_libsndfile(channels, RATE, "WAV", "DOUBLE"), tmp_path) == "not_numbers"


def test_too_many_channels_and_impossible_rates_are_refused(tmp_path: Path) -> None:
    assert refusal(by_libsndfile(np.zeros((800, 9)), RATE, "WAV", "PCM_16"), tmp_path) == "too_many_channels"
    for rate in (100, 3999, 1_000_000):
        assert refusal(by_libsndfile(VOICE, rate, "WAV", "PCM_24"), tmp_path) == "rate_unusable"


def flac_of(frames: int) -> bytes:
    """The head of a FLAC file of 44,100 Hz, mono, 16 bits that claims so many frames, and a little rubbish."""
    packed = (44100 << 44) | (15 << 36) | frames
    head = b"fLaC\x80\x00\x00\x22" + struct.pack(">HH", 4096, 4096) + bytes(6) + packed.to_bytes(8, "big") + bytes(16)
    return head.ljust(132, b"\x55")


def test_a_head_that_claims_billions_of_frames_is_refused_at_once(tmp_path: Path) -> None:
    assert len(flac_of(68_700_000_000)) == 132
    assert refusal(flac_of(68_700_000_000), tmp_path) in {"sound_damaged", "sound_missing", "rest_damaged"}


def test_a_file_of_many_hours_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A megabyte of FLAC can hold days of silence."""
    monkeypatch.setattr(convert, "MAX_HOURS", 1.0)
    days = by_libsndfile(np.zeros(3601 * 8000), 8000, "FLAC", "PCM_16")
    target = tmp_path / "hours.wav"
    target.touch()
    with pytest.raises(Refused) as refused:
        list(convert_job(io.BytesIO(days), str(target), None, "1", -30.0, 0.7))
    assert refused.value.finding.code == "too_long_to_convert"


def test_a_file_without_sound_is_refused(tmp_path: Path) -> None:
    assert refusal(by_libsndfile(np.zeros(0), RATE, "AIFF", "PCM_16"), tmp_path) == "no_sound"
    assert refusal(film(), tmp_path) == "no_sound"


def test_a_rate_that_changes_on_the_way_is_refused(tmp_path: Path) -> None:
    parts = [by_ffmpeg(VOICE, rate, "adts", "aac") for rate in (48000, 44100)]
    assert refusal(b"".join(parts), tmp_path) == "format_changes"


HEADS = sorted({head for _, head, _ in SIGNATURES if head != b"ftyp"} | {b"\xff\xf1", b".snd", b"#!AMR\n", b""})


@pytest.mark.parametrize("head", [*HEADS, b"\0\0\0\x20ftypM4A \0\0\0\0", b"0&\xb2u\x8ef\xcf\x11"])
def test_random_bytes_behind_any_head_are_refused(tmp_path: Path, head: bytes) -> None:
    for seed in range(2):
        refusal(head + random.Random(seed).randbytes(50_000), tmp_path)  # noqa: S311 - the same each time


@pytest.mark.parametrize("kind", ["FLAC/PCM_16", "OGG/VORBIS", "MP3/MPEG_LAYER_III", "webm/libopus", "mp4/aac"])
def test_flipped_bytes_are_refused_or_harmless(make: Make, kind: str) -> None:
    container, encoding = kind.split("/")
    write = by_libsndfile if container.isupper() else by_ffmpeg
    data = bytearray(write(np.repeat(VOICE[:16000], 3), 48000, container, encoding))
    chance = random.Random(kind)  # noqa: S311 - the same each time
    for _ in range(20):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    try:
        sound_of(make(bytes(data)))
    except Refused as refused:
        assert refused.finding.severity == Severity.ERROR


def test_a_file_is_only_read_as_what_it_begins_like(tmp_path: Path) -> None:
    """FFmpeg would look further, and find the MP3."""
    mp3 = by_libsndfile(VOICE, RATE, "MP3", "MPEG_LAYER_III")
    assert refusal(b"\xff\xf1" + mp3, tmp_path) in {"sound_damaged", "rest_damaged"}


def test_a_playlist_is_no_sound_whatever_it_points_at(tmp_path: Path) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(sample_wav("slt-01"))
    for text in ("#EXTM3U\n#EXTINF:5,\n{}\n", "ffconcat version 1.0\nfile {}\n", '<?xml version="1.0"?><MPD>{}</MPD>'):
        assert refusal(text.format(secret).encode(), tmp_path) == "not_sound"


def test_an_existing_file_is_never_overwritten_and_a_rate_must_be_allowed(tmp_path: Path) -> None:
    target = tmp_path / "kept.wav"
    target.write_text("kept")
    with pytest.raises(FileExistsError):
        convert_to_wav(io.BytesIO(wav_bytes()), target)
    assert target.read_text() == "kept"
    with pytest.raises(ValueError, match="12345"):
        convert_to_wav(io.BytesIO(wav_bytes()), tmp_path / "new.wav", 12345)


def test_an_upload_becomes_a_file_for_a_while(tmp_path: Path) -> None:
    path = tmp_path / "voice.flac"
    path.write_bytes(data := by_libsndfile(VOICE, RATE, "FLAC", "PCM_24"))
    with path.open("rb") as file, convert_to_temporary_wav(file) as derived:
        assert derived.header.frames == len(VOICE)
        assert not is_accepted_wav(file)
    assert not derived.path.exists()
    assert path.read_bytes() == data


def test_the_words_say_what_came(make: Make) -> None:
    made = make(by_libsndfile(np.stack([VOICE, VOICE], axis=1), 48000, "FLAC", "PCM_24"))
    assert (
        made.findings[0].text == "The file was FLAC, 24 bit, 48,000 Hz, stereo and was converted to a 16-bit mono WAV."
    )
    assert made.findings[0].severity == Severity.FIXED


def test_every_code_of_converting_is_shown_by_a_test() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert [
        code for code in {**table.CONVERSION_FINDINGS, **table.CONVERSION_ERRORS} if f'"{code}"' not in source
    ] == []


def test_speech_stays_speech_at_every_allowed_rate(make: Make) -> None:
    for rate in ALLOWED_RATES:
        data = by_libsndfile(speech_like(2.0, 96000), 96000, "WAV", "PCM_24")
        made = convert_to_wav(io.BytesIO(data), make(wav_bytes()).path.with_suffix(f".{rate}.wav"), rate)
        assert (made.header.sample_rate, made.header.seconds) == (rate, 2.0)
