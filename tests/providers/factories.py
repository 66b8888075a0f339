"""Create the inputs of a build: sounds, a consent statement and packed files. They are small, and cached."""

import hashlib
import io
import tarfile
from collections.abc import Callable, Iterator
from functools import cache

import soundfile

from providers.options import OptionKind, OptionValue, TierOption
from providers.types import ClipUpload, Encoding, FileRef, Handover, UploadFile
from tests.support.wav import RATE, load_sample_wav, make_speech_like, make_wav_bytes

KEY = "very-secret-key-4711"
CHUNK_BYTES = 1 << 16
PACKED_SECONDS = 12.5
"""Duration of the sound in a packed file. Every provider accepts 10 s; Speechgen and Voice.ai accept not much more."""
CONTENT_TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg"}


def make_file_ref(name: str, content: bytes) -> FileRef:
    return FileRef(name, len(content), lambda: io.BytesIO(content))


@cache
def make_sound(number: int, seconds: float = 1.5) -> bytes:
    return make_wav_bytes(make_speech_like(seconds, pitch=120.0 + number))


@cache
def load_statement() -> bytes:
    return load_sample_wav("consent-slt")


def choose_other_value(option: TierOption) -> OptionValue:
    """A valid value that is not the default."""
    if option.kind is OptionKind.SWITCH:
        return not option.default
    if option.kind is OptionKind.CHOICE:
        return next(value for value, _label in option.choices if value != option.default)
    return "A warm voice: “née” & 50 %"


def make_clips(count: int) -> tuple[ClipUpload, ...]:
    return tuple(
        ClipUpload(f"key-{n}", f"line-{n}", f"Words number {n}.", make_file_ref(f"line-{n}.wav", make_sound(n)))
        for n in range(count)
    )


def make_upload_file(name: str, content_type: str, content: bytes) -> UploadFile:
    def chunks() -> Iterator[bytes]:
        return (content[start : start + CHUNK_BYTES] for start in range(0, len(content), CHUNK_BYTES))

    return UploadFile(name, content_type, len(content), hashlib.md5(content, usedforsecurity=False).digest(), chunks)


def choose_pack_function(handover: Handover, encoding: Encoding) -> Callable[[], UploadFile] | None:
    """Return the function that makes the packed file, or None if this handover has no packed file."""
    match handover:
        case Handover.SIGNED_PUT_TEXTS | Handover.SIGNED_PUT_CLIPS:
            content = make_archive(texts=handover is Handover.SIGNED_PUT_TEXTS)
            return lambda: make_upload_file("voice.tar.gz", "application/gzip", content)
        case Handover.SIGNED_PUT_WAV:
            return lambda: make_upload_file("voice.wav", "audio/x-wav", make_sound(0, PACKED_SECONDS))
        case Handover.ONE_FILE:
            return lambda: make_upload_file(f"voice.{encoding}", CONTENT_TYPES[encoding], make_one_file(encoding))
    return None


@cache
def make_one_file(encoding: Encoding) -> bytes:
    if encoding is Encoding.WAV:
        return make_sound(0, PACKED_SECONDS)
    buffer = io.BytesIO()
    soundfile.write(buffer, make_speech_like(PACKED_SECONDS), RATE, format="MP3", subtype="MPEG_LAYER_III")
    return buffer.getvalue()


@cache
def make_archive(*, texts: bool) -> bytes:
    """Three recordings as a .tar.gz, with their transcripts or without."""
    files = {f"line{n}.wav": make_sound(n, PACKED_SECONDS / 3) for n in range(3)}
    if texts:
        files["metadata.csv"] = "".join(f"line{n}|Words number {n}.\n" for n in range(3)).encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
