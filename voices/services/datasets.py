"""The dataset of one build, as the provider fetches it: streamed, and only behind the build's own expiring address."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.utils import timezone

from consent.models import ConsentStatus
from voicehub.audio.prepare.clips import Clip
from voicehub.audio.prepare.dataset import Entry, archive, size_of
from voicehub.audio.prepare.join import joined
from voicehub.tokens import digest
from voices.models import Build, BuildRecording, DatasetFetch, Recording
from voices.providers.types import Tier
from voices.services.spec import blob, clip_name, opened

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
    return _archive(rows)


def _one_wav(rows: list[BuildRecording]) -> Dataset:
    """All clips in one 16-bit mono WAV, with short silences between them."""
    whole = joined([_clip(row.recording) for row in rows])
    return Dataset("audio/wav", "dataset.wav", whole.size, whole.chunks())


def _clip(recording: Recording) -> Clip:
    frames = round(recording.seconds * recording.sample_rate)
    opens = partial(opened, recording.sound)
    return Clip(clip_name(recording), recording.sha256, recording.sample_rate, frames, opens)


def _archive(rows: list[BuildRecording]) -> Dataset:
    """A zip of the clips and what is said in them."""
    entries = [_entry(row) for row in rows]
    return Dataset("application/zip", "dataset.zip", size_of(entries), archive(entries))


def _entry(row: BuildRecording) -> Entry:
    sound = blob(row.recording.sound, clip_name(row.recording))
    return Entry(sound.name, row.transcript, sound.size, sound.open)
