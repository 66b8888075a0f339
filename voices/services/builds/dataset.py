"""Files made from a build's recordings. Both kinds are streamed.

The dataset is downloaded by the provider from the build's expiring URL. The single file is uploaded to the provider.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.utils import timezone

from audio.datasets.archive_writer import DatasetEntry, compute_zip_size, stream_zip
from audio.datasets.clips import Clip
from audio.datasets.concatenate import Concatenation, check_concatenation_limits, concatenate_clips
from audio.datasets.package import PackedUpload, pack_archive, pack_mp3, pack_wav
from audio.wav.pcm import MAX_DATA_BYTES
from providers.types import Encoding, Handover, Tier, UploadFile
from voicehub.tokens import hash_token
from voices.models import Build, BuildRecording, DatasetFetch
from voices.services.builds.recheck import check_gate_again
from voices.services.builds.spec import make_clip_name, make_file_ref, open_verified_file
from voices.services.file_access import record_dataset_fetch

URL_LIFETIME = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset ready to be sent. `chunks` can be read only once."""

    content_type: str
    name: str
    size: int
    chunks: Iterator[bytes]


def open_dataset(token: str, address: str | None, user_agent: str) -> Dataset | None:
    """The dataset of this token, or None if the token is unknown or expired. Records the download.

    The URL works while the build is active, for URL_LIFETIME at most, and only while its consent and its contract are
    in force: withdrawal, suspension or expiry ends access to the recordings.
    """
    active_builds = Build.objects.active().filter(created_at__gt=timezone.now() - URL_LIFETIME)
    related = ("remote_voice__account", "voice__talent")
    build = active_builds.select_related(*related).filter(dataset_digest=hash_token(token)).first()
    if build is None or check_gate_again(build):
        return None
    record_dataset_fetch(build)
    DatasetFetch.objects.create(build=build, address=address, user_agent=user_agent[:300])
    rows = list(build.recordings.select_related("recording").order_by("pk"))
    if build.remote_voice.tier == Tier.RAPID:
        return _make_wav_dataset(rows)
    return _make_archive_dataset(rows)


def _make_wav_dataset(rows: list[BuildRecording]) -> Dataset:
    """All clips in one 16-bit mono WAV, with short silences between them."""
    joined = concatenate_clips([_make_clip(row) for row in rows])
    return Dataset("audio/wav", "dataset.wav", joined.size, joined.stream_wav())


def _make_clip(row: BuildRecording) -> Clip:
    recording, name = row.recording, make_clip_name(row.recording)
    frames = round(recording.seconds * recording.sample_rate)
    open_clip = partial(open_verified_file, recording.sound, row.sha256, name)
    return Clip(name, recording.sha256, recording.sample_rate, frames, open_clip)


def _make_archive_dataset(rows: list[BuildRecording]) -> Dataset:
    """A zip of the clips and their transcripts."""
    entries = [_make_entry(row, make_clip_name(row.recording)) for row in rows]
    return Dataset("application/zip", "dataset.zip", compute_zip_size(entries), stream_zip(entries))


def _make_entry(row: BuildRecording, name: str) -> DatasetEntry:
    sound = make_file_ref(row.recording.sound, row.sha256, name)
    return DatasetEntry(sound.name, row.transcript, sound.size, sound.open)


def pack_upload(build: Build, rows: list[BuildRecording], heartbeat: Callable[[], None]) -> UploadFile:
    """The single file that this build uploads. `heartbeat` is called repeatedly while it is packed.

    Raises audio.findings.findings.Refused if the file would exceed the provider's limits.
    """
    packed = _pack_recordings(build, rows, heartbeat)
    return UploadFile(packed.name, packed.content_type, packed.size, packed.md5, packed.chunks)


def _pack_recordings(build: Build, rows: list[BuildRecording], heartbeat: Callable[[], None]) -> PackedUpload:
    name = build.remote_voice.reference.replace("-", "")  # v1: “Alpha-numeric with .wav extension”
    if build.handover in (Handover.SIGNED_PUT_TEXTS, Handover.SIGNED_PUT_CLIPS):
        with_text = build.handover == Handover.SIGNED_PUT_TEXTS
        entries = [_make_entry(row, row.recording.title) for row in rows]
        return pack_archive(name, entries, with_text, on_piece=lambda _piece: heartbeat())
    joined = concatenate_clips([_make_clip(row) for row in rows])
    if build.handover == Handover.SIGNED_PUT_WAV:
        return pack_wav(name, joined, on_piece=lambda _piece: heartbeat())
    return _pack_single_file(build, name, joined)


def _pack_single_file(build: Build, name: str, joined: Concatenation) -> PackedUpload:
    """Pack the joined recordings as MP3 or WAV.

    The limits are checked again, because they may have changed since the recordings were selected.
    """
    limits = build.remote_voice.limits
    max_bytes = int(limits["most_bytes"].value) if "most_bytes" in limits else MAX_DATA_BYTES
    max_seconds = limits["most_seconds"].value if "most_seconds" in limits else None
    check_concatenation_limits(joined, max_seconds)
    if build.remote_voice.capabilities.encoding is Encoding.MP3:
        return pack_mp3(name, joined, max_bytes)
    return pack_wav(name, joined, max_bytes)
