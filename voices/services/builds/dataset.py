"""What is made of a build's recordings: the dataset that a provider fetches behind the build's own expiring address,
and the one file that is sent to it. Both are streamed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.utils import timezone

from audio.datasets.archive_writer import Entry, archive, size_of
from audio.datasets.clips import Clip
from audio.datasets.concatenate import Joined, check_limits, joined
from audio.datasets.package import Packed, packed_archive, packed_mp3, packed_wav
from audio.wav.pcm import MAX_DATA_BYTES
from providers.types import Encoding, Handover, Tier, UploadFile
from voicehub.tokens import digest
from voices.models import Build, BuildRecording, DatasetFetch
from voices.services.builds.recheck import not_allowed
from voices.services.builds.spec import clip_name, opened_unchanged, unchanged

LASTS = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset ready to be sent; `chunks` may be read once."""

    content_type: str
    name: str
    size: int
    chunks: Iterator[bytes]


def dataset_for(token: str, address: str | None, user_agent: str) -> Dataset | None:
    """The dataset behind this address, with the opening written down; None when there is none, or not any more.

    The address works while the build is on its way or trains, for a day at most, and only while its consent and its
    contract are in force: one that is withdrawn, suspended or over takes the recordings with it.
    """
    open_builds = Build.objects.active().filter(created_at__gt=timezone.now() - LASTS)
    related = ("remote_voice__account", "voice__talent")
    build = open_builds.select_related(*related).filter(dataset_digest=digest(token)).first()
    if build is None or not_allowed(build):
        return None
    DatasetFetch.objects.create(build=build, address=address, user_agent=user_agent[:300])
    rows = list(build.recordings.select_related("recording").order_by("pk"))
    if build.remote_voice.tier == Tier.RAPID:
        return _one_wav(rows)
    return _archive(rows)


def _one_wav(rows: list[BuildRecording]) -> Dataset:
    """All clips in one 16-bit mono WAV, with short silences between them."""
    whole = joined([_clip(row) for row in rows])
    return Dataset("audio/wav", "dataset.wav", whole.size, whole.chunks())


def _clip(row: BuildRecording) -> Clip:
    recording, name = row.recording, clip_name(row.recording)
    frames = round(recording.seconds * recording.sample_rate)
    opens = partial(opened_unchanged, recording.sound, row.sha256, name)
    return Clip(name, recording.sha256, recording.sample_rate, frames, opens)


def _archive(rows: list[BuildRecording]) -> Dataset:
    """A zip of the clips and what is said in them."""
    entries = [_entry(row, clip_name(row.recording)) for row in rows]
    return Dataset("application/zip", "dataset.zip", size_of(entries), archive(entries))


def _entry(row: BuildRecording, name: str) -> Entry:
    sound = unchanged(row.recording.sound, row.sha256, name)
    return Entry(sound.name, row.transcript, sound.size, sound.open)


def pack(build: Build, rows: list[BuildRecording], beat: Callable[[], None]) -> UploadFile:
    """The one file that this build hands over; `beat` is called again and again while it is made.

    Raises audio.findings.findings.Refused when it would be bigger than the provider takes.
    """
    made = _packed(build, rows, beat)
    return UploadFile(made.name, made.content_type, made.size, made.md5, made.chunks)


def _packed(build: Build, rows: list[BuildRecording], beat: Callable[[], None]) -> Packed:
    name = build.remote_voice.reference.replace("-", "")  # v1: “Alpha-numeric with .wav extension”
    if build.handover in (Handover.SIGNED_PUT_TEXTS, Handover.SIGNED_PUT_CLIPS):
        with_text = build.handover == Handover.SIGNED_PUT_TEXTS
        entries = [_entry(row, row.recording.title) for row in rows]
        return packed_archive(name, entries, with_text, seen=lambda _piece: beat())
    whole = joined([_clip(row) for row in rows])
    if build.handover == Handover.SIGNED_PUT_WAV:
        return packed_wav(name, whole, seen=lambda _piece: beat())
    return _one_file(build, name, whole)


def _one_file(build: Build, name: str, whole: Joined) -> Packed:
    """Within the limits, which may have changed since the recordings were chosen."""
    limits = build.remote_voice.limits
    most_bytes = int(limits["most_bytes"].value) if "most_bytes" in limits else MAX_DATA_BYTES
    most_seconds = limits["most_seconds"].value if "most_seconds" in limits else None
    check_limits(whole, most_seconds)
    if build.remote_voice.capabilities.encoding is Encoding.MP3:
        return packed_mp3(name, whole, most_bytes)
    return packed_wav(name, whole, most_bytes)
