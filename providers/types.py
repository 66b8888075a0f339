"""What crosses the border between VoiceHub and an adapter. Vendor words stay on the adapter's side."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
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


class Handover(StrEnum):
    """How audio reaches a provider. Behind a signed PUT there are three kinds of dataset: an archive with transcripts,
    one without, and one WAV of everything."""

    RECORDINGS = "recordings"
    DATASET_URL = "dataset_url"
    SIGNED_PUT_TEXTS = "signed_put_texts"
    SIGNED_PUT_CLIPS = "signed_put_clips"
    SIGNED_PUT_WAV = "signed_put_wav"
    FILE_IDS = "file_ids"
    ONE_FILE = "one_file"


class Encoding(StrEnum):
    """What one file made of many recordings is written as."""

    WAV = "wav"
    MP3 = "mp3"


class Visibility(StrEnum):
    """Who may use a voice at its provider."""

    PRIVATE = "private"
    PUBLIC = "public"


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
    """What one tier of a provider can do and asks for: the data behind the forms, the preflight and the docs table.

    `limits` are named shortest_clip, longest_clip, trained_clip (seconds); longest_transcript (characters);
    least_recordings, most_recordings; least_seconds, advised_seconds, advised_seconds_other_languages (than English),
    most_seconds; most_bytes; lowest_rate, highest_rate (Hz); calls_per_second. `trains_again` is True where one voice
    is trained anew with other recordings, and False where each build makes a voice of its own.
    `can_list` is a list of the account's voices; `can_find` that a voice which a look-up does not show was not made.
    `credits` are charged on success. `languages` are primary subtags of BCP 47; none means that none is named.
    `cautions` are what staff should know before they send anybody's voice.
    """

    tier: Tier
    label: str
    summary: str
    handover: tuple[Handover, ...]
    consent_proof: ConsentProof
    news: tuple[News, ...]
    reports: tuple[Report, ...]
    limits: Mapping[str, Limit]
    poll_seconds: float
    transcript_required: bool
    trains_again: bool
    can_find: bool
    can_list: bool
    can_rename: bool
    can_set_visibility: bool
    can_delete: bool
    can_preview: bool
    private_by_default: bool
    cost: str
    credits: int = 0
    encoding: Encoding = Encoding.WAV
    languages: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()

    def speaks(self, language: str) -> bool:
        """Whether a voice in this language, a BCP 47 tag, can be made."""
        return not self.languages or language.replace("_", "-").partition("-")[0].lower() in self.languages


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that are opened only when they are sent."""

    name: str
    size: int
    open: Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class Parcel:
    """One file made of a build's recordings. `chunks` makes it anew each time, and the same bytes each time.

    `md5` is the digest's 16 bytes.
    """

    name: str
    content_type: str
    size: int
    md5: bytes
    chunks: Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class ClipUpload:
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
    recordings that the provider has from an earlier build and that are not part of this one. `clips` are given where
    recordings are handed over one by one (RECORDINGS, FILE_IDS), `parcel` makes the one file where one is handed over
    (SIGNED_PUT_*, ONE_FILE). `kept` is what the journal was last told to keep.
    """

    reference: str
    tier: Tier
    language: str
    handover: Handover
    consent: Blob | None
    clips: tuple[ClipUpload, ...]
    callback_url: str = ""
    dataset_url: str = ""
    remote_id: str = ""
    surplus: tuple[str, ...] = ()
    parcel: Callable[[], Parcel] | None = None
    kept: str = ""


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

    def keep(self, text: str) -> None:
        """What is needed to go on after a crash, such as an address to upload to. Sealed; only the last one is kept."""

    def progress(self, doing: str, done: int, total: int) -> None:
        """For people who wait. Also asks whether the build is still allowed, and keeps the work ours: call it often."""


@dataclass(frozen=True, slots=True)
class RecordingReport:
    """What a provider says of one recording; None where it says nothing.

    stoi 0..1 and higher is better, pesq -0.5..4.5 and higher is better, si_sdr in dB and higher is better; all three
    are the provider's estimates, as it has no reference signal. `discarded` is the reason why it was not used.
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
    discarded: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """A sentence that a provider had its new voice say, and where the sound lies."""

    title: str
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Sound:
    """Audio as a provider sent it."""

    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class ApiLogEntry:
    """One answer as staff may see it, without the key and what was sent. `status` is None where no answer came."""

    at: datetime
    operation: str
    status: int | None
    text: str


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a provider says of a build, in our words, with its own beside them.

    `mark` changes whenever the provider changed something of the voice, so two of them tell whether a build began.
    `visibility` is None where the provider says nothing of it.
    """

    remote_id: str
    status: RemoteStatus
    raw_status: str
    name: str = ""
    mark: str = ""
    issue: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    recordings: tuple[RecordingReport, ...] = ()
    samples: tuple[Sample, ...] = ()
    visibility: Visibility | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)
