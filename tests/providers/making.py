"""What a build sends, made to order: sounds, a statement, and the one file of a parcel. Cheap, and made once."""

import hashlib
import io
import tarfile
from collections.abc import Callable, Iterator
from functools import cache

import soundfile

from providers.types import ClipUpload, Encoding, FileRef, Handover, UploadFile
from tests.support.wav import RATE, sample_wav, speech_like, wav_bytes

KEY = "very-secret-key-4711"
PIECE = 1 << 16
LONG = 12.5
"""Seconds of a parcel's sound: every provider takes ten, and Speechgen and Voice.ai do not take much more."""
CONTENT_TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg"}


def blob(name: str, content: bytes) -> FileRef:
    return FileRef(name, len(content), lambda: io.BytesIO(content))


@cache
def sound(number: int, seconds: float = 1.5) -> bytes:
    return wav_bytes(speech_like(seconds, pitch=120.0 + number))


@cache
def statement() -> bytes:
    return sample_wav("consent-slt")


def clips_of(count: int) -> tuple[ClipUpload, ...]:
    return tuple(
        ClipUpload(f"key-{n}", f"line-{n}", f"Words number {n}.", blob(f"line-{n}.wav", sound(n))) for n in range(count)
    )


def parcel_of(name: str, content_type: str, content: bytes) -> UploadFile:
    def chunks() -> Iterator[bytes]:
        return (content[start : start + PIECE] for start in range(0, len(content), PIECE))

    return UploadFile(name, content_type, len(content), hashlib.md5(content, usedforsecurity=False).digest(), chunks)


def parcel_for(way: Handover, encoding: Encoding) -> Callable[[], UploadFile] | None:
    """What makes the one file, where one is handed over."""
    match way:
        case Handover.SIGNED_PUT_TEXTS | Handover.SIGNED_PUT_CLIPS:
            content = archive(texts=way is Handover.SIGNED_PUT_TEXTS)
            return lambda: parcel_of("voice.tar.gz", "application/gzip", content)
        case Handover.SIGNED_PUT_WAV:
            return lambda: parcel_of("voice.wav", "audio/x-wav", sound(0, LONG))
        case Handover.ONE_FILE:
            return lambda: parcel_of(f"voice.{encoding}", CONTENT_TYPES[encoding], one_file(encoding))
    return None


@cache
def one_file(encoding: Encoding) -> bytes:
    if encoding is Encoding.WAV:
        return sound(0, LONG)
    out = io.BytesIO()
    soundfile.write(out, speech_like(LONG), RATE, format="MP3", subtype="MPEG_LAYER_III")
    return out.getvalue()


@cache
def archive(*, texts: bool) -> bytes:
    """Three recordings as a .tar.gz, with their words or without."""
    files = {f"line{n}.wav": sound(n, LONG / 3) for n in range(3)}
    if texts:
        files["metadata.csv"] = "".join(f"line{n}|Words number {n}.\n" for n in range(3)).encode()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=1) as packed:
        for name, content in files.items():
            part = tarfile.TarInfo(name)
            part.size = len(content)
            packed.addfile(part, io.BytesIO(content))
    return out.getvalue()
