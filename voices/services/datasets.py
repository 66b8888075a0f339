"""The dataset of one build, as the provider fetches it: streamed, and only behind the build's own expiring address."""

import struct
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from consent.models import ConsentStatus
from voicehub.audio.riff import read_header
from voicehub.storage import BLOCK
from voicehub.tokens import digest
from voices.models import Build, BuildRecording, DatasetFetch
from voices.providers.types import Tier
from voices.services.spec import clip_name

LASTS = timedelta(hours=24)
GAP_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset ready to be sent; `chunks` may be read once. `size` is None where it is not known beforehand."""

    content_type: str
    name: str
    size: int | None
    chunks: Iterator[bytes]


def dataset_for(token: str, address: str | None, user_agent: str) -> Dataset | None:
    """The dataset behind this address, with the opening written down; None when there is none, or not any more.

    The address works while the build is on its way or trains, for a day at most, and only while its consent stands:
    one that is withdrawn or suspended takes the recordings with it.
    """
    open_builds = Build.objects.active().filter(
        created_at__gt=timezone.now() - LASTS, consent__status=ConsentStatus.APPROVED
    )
    build = open_builds.select_related("remote_voice").filter(dataset_digest=digest(token)).first()
    if build is None:
        return None
    DatasetFetch.objects.create(build=build, address=address, user_agent=user_agent[:300])
    rows = list(build.recordings.select_related("recording").order_by("pk"))
    if build.remote_voice.tier == Tier.RAPID:
        return _one_wav(rows)
    return Dataset("application/zip", "dataset.zip", None, _archive(rows))


def common_rate(rates: list[int]) -> int:
    """The sample rate that most recordings have; only those can be joined without changing them."""
    return Counter(rates).most_common(1)[0][0]


def _one_wav(rows: list[BuildRecording]) -> Dataset:
    """All clips of the commonest rate in one 16-bit mono WAV, with short silences between them."""
    rate = common_rate([row.recording.sample_rate for row in rows])
    clips = [row for row in rows if row.recording.sample_rate == rate]
    gap = bytes(2 * int(rate * GAP_SECONDS))
    size = sum(round(row.recording.seconds * rate) * 2 for row in clips) + len(gap) * (len(clips) - 1)

    def chunks() -> Iterator[bytes]:
        yield wav_head(rate, size)
        for number, row in enumerate(clips):
            yield gap if number else b""
            yield from _samples(row)

    return Dataset("audio/wav", "dataset.wav", len(wav_head(rate, size)) + size, chunks())


def wav_head(rate: int, size: int) -> bytes:
    """The 44 bytes before `size` bytes of 16-bit mono samples (RIFF WAVE, format 1)."""
    head = struct.pack("<4sI4s", b"RIFF", 36 + size, b"WAVE")
    return head + struct.pack("<4sIHHIIHH4sI", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16, b"data", size)


def _samples(row: BuildRecording) -> Iterator[bytes]:
    with row.recording.file.open("rb") as file:
        header = read_header(file)  # type: ignore[arg-type]  # a FieldFile reads like any binary file
        file.seek(header.data_offset)
        left = header.frames * 2
        while left > 0 and (block := file.read(min(BLOCK, left))):
            left -= len(block)
            yield block


class _Outlet:
    """A file that can only be written to: what zipfile writes is handed on and forgotten."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._waiting.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        data = b"".join(self._waiting)
        self._waiting.clear()
        return data


def _archive(rows: list[BuildRecording]) -> Iterator[bytes]:
    """A zip of metadata.csv (`name|text`, the name without .wav) and the clips (Resemble AI, supported datasets)."""
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]  # writing is enough
        lines = [f"{clip_name(row.recording)}|{' '.join(row.transcript.replace('|', ' ').split())}\n" for row in rows]
        archive.writestr("metadata.csv", "".join(lines))
        for row in rows:
            with archive.open(f"{clip_name(row.recording)}.wav", "w") as entry, row.recording.file.open("rb") as file:
                while block := file.read(BLOCK):
                    entry.write(block)
                    yield outlet.take()
    yield outlet.take()
