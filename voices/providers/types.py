"""What crosses the border between VoiceHub and an adapter. Vendor words stay on the adapter's side."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, BinaryIO, Protocol


class Tier(StrEnum):
    RAPID = "rapid"
    PROFESSIONAL = "professional"


class RemoteStatus(StrEnum):
    """Where a build stands at the provider, in our words. UNKNOWN keeps its raw text beside it."""

    AWAITING_DATA = "awaiting_data"
    TRAINING = "training"
    READY = "ready"
    DATASET_ISSUE = "dataset_issue"
    CONSENT_REJECTED = "consent_rejected"
    FAILED = "failed"
    UNKNOWN = "unknown"


class ConsentProof(StrEnum):
    """How a provider wants to be shown the consent."""

    NONE = "none"
    OFFLINE = "offline"
    BASE64_WAV = "base64_wav"
    AUDIO_FILE = "audio_file"


class HandoverWay(StrEnum):
    """How audio reaches a provider."""

    SIGNED_PUT = "signed_put"
    DATASET_URL = "dataset_url"
    RECORDINGS = "recordings"
    FILE_IDS = "file_ids"
    ONE_FILE = "one_file"


class News(StrEnum):
    """How a provider tells that a build is over."""

    POLL = "poll"
    CALLBACK = "callback"


class Report(StrEnum):
    """What a provider says of a finished build."""

    VOICE_SCORES = "voice_scores"
    RECORDING_SCORES = "recording_scores"
    DISCARDED_FILES = "discarded_files"


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of a provider with the place that states it, since the vendors' own pages disagree.

    `hard` limits refuse a build; the others are shown as advice.
    """

    value: float
    unit: str
    source: str
    checked: str
    hard: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What one tier of a provider can do and asks for: the data behind the forms, the preflight and the docs table."""

    tier: Tier
    label: str
    summary: str
    handover: tuple[HandoverWay, ...]
    consent_proof: ConsentProof
    news: tuple[News, ...]
    reports: tuple[Report, ...]
    limits: Mapping[str, Limit]
    poll_seconds: float
    transcript_required: bool
    can_find: bool
    can_update: bool
    can_delete: bool
    can_preview: bool
    private_by_default: bool
    cost: str


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that are opened only when they are sent."""

    name: str
    size: int
    open: Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording on its way out. `key` is ours; `remote_id` is empty until the provider has it."""

    key: str
    name: str
    transcript: str
    audio: Blob
    remote_id: str = ""
    sent_transcript: str = ""


@dataclass(frozen=True, slots=True)
class BuildSpec:
    """Everything that an adapter needs for one build; it never sees a model.

    `reference` is the unique name by which a voice whose answer was lost is found again. `surplus` are remote
    recordings that the provider has from an earlier build and that are not part of this one.
    """

    reference: str
    tier: Tier
    language: str
    handover: HandoverWay
    consent: Blob | None
    clips: tuple[Clip, ...]
    callback_url: str = ""
    dataset_url: str = ""
    remote_id: str = ""
    surplus: tuple[str, ...] = ()


class Journal(Protocol):
    """Where an adapter writes what it is about to do and what came of it; each call is committed before it returns.

    Any of them raises voicehub.outbox.LeaseLost when the work is no longer ours: then stop at once.
    """

    def about_to(self, step: str, mark: str = "") -> None:
        """A call that may not be repeated blindly is about to be made; `mark` is how things stood before it."""

    def voice(self, remote_id: str) -> None:
        """The remote voice exists under this id; the step is over."""

    def recording(self, key: str, remote_id: str) -> None:
        """The clip exists at the provider under this id."""

    def progress(self, doing: str, done: int, total: int) -> None:
        """For people who wait."""


@dataclass(frozen=True, slots=True)
class RecordingReport:
    """What a provider says of one recording; None where it says nothing.

    stoi 0..1 and higher is better, pesq -0.5..4.5 and higher is better, si_sdr in dB and higher is better; all three
    are the provider's estimates, as it has no reference signal.
    """

    remote_id: str = ""
    name: str = ""
    transcript: str = ""
    stoi: float | None = None
    pesq: float | None = None
    si_sdr: float | None = None
    sample_score: float | None = None
    is_active: bool | None = None
    is_outlier: bool | None = None
    is_silent: bool | None = None


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a provider says of a build, in our words, with its own beside them.

    `mark` changes whenever the provider changed something of the voice, so two of them tell whether a build began.
    """

    remote_id: str
    status: RemoteStatus
    raw_status: str
    name: str = ""
    mark: str = ""
    issue: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    recordings: tuple[RecordingReport, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict)
