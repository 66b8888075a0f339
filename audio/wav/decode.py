"""Decode every format that libsndfile reads and, with PyAV installed, what phones and browsers record.

Run this only in a child process with limits (audio.untrusted.runner): libsndfile and FFmpeg are large C libraries that
parse untrusted uploads.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol, cast

import numpy as np
import soundfile
from numpy.typing import NDArray

from audio.findings.findings import FileRefused, make_finding
from audio.wav.patched_file import PatchedFile
from audio.wav.pcm import MAX_RATE, MIN_RATE
from audio.wav.riff import SIGNATURES, UnnamedFile

Frames = NDArray[np.float32]
"""Samples in -1..1, in the shape (frames, channels)."""

BLOCK_FRAMES = 1 << 15
MAX_CHANNELS = 8
SIXTEEN_BIT_SUBTYPES = frozenset(
    {"PCM_S8", "PCM_U8", "PCM_16", "ALAC_16", "ULAW", "ALAW", "DPCM_8", "DPCM_16", "IMA_ADPCM", "MS_ADPCM", "GSM610"}
)
"""Subtypes of libsndfile whose samples fit into 16 bits."""
LOSSY_ENCODINGS = {
    "VORBIS": "Ogg Vorbis", "OPUS": "Opus", "AAC": "AAC", "MP3": "MP3", "WMAV2": "Windows Media Audio",
    "ULAW": "µ-law", "ALAW": "A-law", "IMA_ADPCM": "IMA ADPCM", "MS_ADPCM": "Microsoft ADPCM", "GSM610": "GSM 6.10",
    "VOX_ADPCM": "VOX ADPCM", "NMS_ADPCM_16": "NMS ADPCM", "NMS_ADPCM_24": "NMS ADPCM", "NMS_ADPCM_32": "NMS ADPCM",
    "G721_32": "G.721", "G723_24": "G.723", "G723_40": "G.723",
}  # fmt: skip
ESTIMATED_LENGTH_CONTAINERS = frozenset({"MP3", "aac", "amr"})
"""Containers that do not state their length; libraries estimate it from the size."""

BW64 = b"BW64"
CAF_ENCODING_OFFSET, HEAD_BYTES = 28, 32

DEMUXERS: tuple[tuple[int, bytes, str, str], ...] = (
    (4, b"ftyp", "mov", "an M4A or MP4 file"),
    (0, b"\x1aE\xdf\xa3", "matroska", "a WebM or Matroska file"),
    (0, b"\xff\xf1", "aac", "an AAC file"),
    (0, b"\xff\xf9", "aac", "an AAC file"),
    (0, b"0&\xb2u\x8ef\xcf\x11", "asf", "a Windows Media file"),
    (0, b"#!AMR", "amr", "an AMR file"),
)
"""(offset, bytes, FFmpeg's demuxer, name in findings). Naming the demuxer keeps FFmpeg from opening playlists and
the files or addresses in them."""


@dataclass(frozen=True, slots=True)
class FormatInfo:
    """The format that the decoder reads from the file; `frames` is None if the file does not state its length."""

    container: str
    subtype: str
    sample_rate: int
    channels: int
    frames: int | None

    @property
    def fits_16_bits(self) -> bool:
        return self.subtype in SIXTEEN_BIT_SUBTYPES


class SoundReader(Protocol):
    """Reads the samples of an open file."""

    format_info: FormatInfo

    def read_blocks(self) -> Iterator[Frames]:
        """Yield all samples from the start. A block is valid only until the next. Refused if the file is damaged."""


def open_sound(file: BinaryIO) -> SoundReader:
    """Return the reader for this seekable file. Refused if no decoder accepts it, or if its format is not usable."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    for offset, signature, demuxer, kind in DEMUXERS:
        if head.startswith(signature, offset):
            return _check_sound(_PyAvReader(file, demuxer, kind))
    if head.startswith(BW64):  # libsndfile knows this format only by its older name
        file = cast(BinaryIO, PatchedFile(file, 0, b"RF64"))
    is_known_format = any(head.startswith(signature, offset) for offset, signature, _ in SIGNATURES)
    try:
        return _check_sound(_SoundfileReader(file, "rest_damaged" if is_known_format else "not_sound"))
    except FileRefused:
        if not head.startswith(b"alac", CAF_ENCODING_OFFSET):  # libsndfile reads no ALAC but its own
            raise
        return _check_sound(_PyAvReader(file, "caf", "a CAF file with ALAC"))


def _check_sound(sound: SoundReader) -> SoundReader:
    info = sound.format_info
    if info.channels > MAX_CHANNELS:
        raise FileRefused(make_finding("too_many_channels", channels=info.channels, limit=MAX_CHANNELS))
    if not MIN_RATE <= info.sample_rate <= MAX_RATE:
        raise FileRefused(make_finding("rate_unusable", rate=info.sample_rate))
    return sound


class _SoundfileReader:
    def __init__(self, file: BinaryIO, error_code: str) -> None:
        """`error_code` is the finding code for a file that libsndfile cannot open."""
        self._file, self._open_error_code = UnnamedFile(file), error_code
        with self._open_file() as sound:
            frames = None if sound.format in ESTIMATED_LENGTH_CONTAINERS else sound.frames
            container = "WAV" if sound.format == "WAVEX" else sound.format
            subtype = "MP3" if sound.subtype.startswith("MPEG") else sound.subtype
            self.format_info = FormatInfo(container, subtype, sound.samplerate, sound.channels, frames)

    def _open_file(self) -> Any:
        self._file.seek(0)
        try:
            return soundfile.SoundFile(self._file)
        except soundfile.SoundFileError:
            raise FileRefused(make_finding(self._open_error_code)) from None

    def read_blocks(self) -> Iterator[Frames]:
        frames_read = 0
        with self._open_file() as sound:
            buffer = np.empty((BLOCK_FRAMES, self.format_info.channels), np.float32)
            try:
                while len(block := sound.read(out=buffer)):
                    frames_read += len(block)
                    yield block
            except soundfile.SoundFileError:
                raise FileRefused(
                    make_finding("sound_damaged", at=frames_read / self.format_info.sample_rate)
                ) from None


class _PyAvReader:
    def __init__(self, file: BinaryIO, demuxer: str, kind: str) -> None:
        self._file, self._demuxer = file, demuxer
        try:
            import av
        except ImportError:
            raise FileRefused(make_finding("decoder_missing", kind=kind)) from None
        self._av: Any = av
        with self._open_container() as container:
            self.format_info = self._read_format_info(container)

    def _open_container(self) -> Any:
        self._file.seek(0)
        try:
            return self._av.open(self._file, format=self._demuxer, metadata_errors="ignore")
        except self._av.error.FFmpegError:
            raise FileRefused(make_finding("rest_damaged")) from None

    def _read_format_info(self, container: Any) -> FormatInfo:
        """Read the format from the first frame, because AAC may have twice the rate that its container states."""
        first = next(self._decode_frames(container), None)
        if first is None:
            raise FileRefused(make_finding("no_sound"))
        stream = container.streams.audio[0]
        name = {"mov": "MP4", "matroska": "WEBM"}.get(self._demuxer, self._demuxer.upper())
        channels = len(first.layout.channels)
        return FormatInfo(
            name,
            stream.codec_context.name.upper(),
            first.sample_rate,
            channels,
            self._read_frame_count(container, first),
        )

    def _read_frame_count(self, container: Any, first: Any) -> int | None:
        stream = container.streams.audio[0]
        if self._demuxer in ESTIMATED_LENGTH_CONTAINERS or stream.duration is None and container.duration is None:
            return None
        seconds = stream.duration * stream.time_base if stream.duration else container.duration / self._av.time_base
        return int(seconds * first.sample_rate)

    def _decode_frames(self, container: Any) -> Iterator[Any]:
        """Yield the decoded frames of the first audio track."""
        if not container.streams.audio:
            raise FileRefused(make_finding("no_sound"))
        stream = container.streams.audio[0]
        if stream.codec_context is None:
            raise FileRefused(make_finding("not_sound"))
        stream.codec_context.thread_count = 1
        samples_read = 0
        try:
            for frame in container.decode(stream):
                samples_read += frame.samples
                yield frame
        except self._av.error.FFmpegError:
            raise FileRefused(make_finding("sound_damaged", at=samples_read / (stream.rate or 1))) from None

    def read_blocks(self) -> Iterator[Frames]:
        with self._open_container() as container:
            for frame in self._decode_frames(container):
                if (frame.sample_rate, len(frame.layout.channels)) != (
                    self.format_info.sample_rate,
                    self.format_info.channels,
                ):
                    raise FileRefused(make_finding("format_changes"))
                yield _convert_frame(frame)


FULL_SCALES = {"u8": 1 << 7, "s16": 1 << 15, "s32": 1 << 31, "s64": 1 << 63, "flt": 1, "dbl": 1}
"""Full scale of each of FFmpeg's sample formats, whose names are without the p of planar formats here."""


def _convert_frame(frame: Any) -> Frames:
    """Convert an FFmpeg frame. FFmpeg's own converter would start threads, which the limited child may not do."""
    name, channels = frame.format.name, len(frame.layout.channels)
    samples = frame.to_ndarray().T if name.endswith("p") else frame.to_ndarray().reshape(-1, channels)
    kind = name.removesuffix("p")
    floats = samples.astype(np.float32, order="C")
    floats -= 128 if kind == "u8" else 0
    floats *= 1 / FULL_SCALES[kind]
    return np.asarray(floats)
