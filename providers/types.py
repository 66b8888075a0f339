"""Data types shared by VoiceHub and the adapters. Vendor terms stay inside the adapters."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, BinaryIO

from providers.options import OptionValue, TierOption
from providers.rules import Instructions, RetrainingEffect, Rule, StatedTime

CONSENT_KEY = "consent"
"""The key of the consent's file, beside the keys of the clips."""


class Tier(StrEnum):
    RAPID = "rapid"
    PROFESSIONAL = "professional"


class RemoteStatus(StrEnum):
    """Status of a build at the provider, in VoiceHub's terms. UNKNOWN is stored with the provider's raw status."""

    AWAITING_DATA = "awaiting_data"
    TRAINING = "training"
    READY = "ready"
    DATASET_ISSUE = "dataset_issue"
    CONSENT_REJECTED = "consent_rejected"
    FAILED = "failed"
    UNKNOWN = "unknown"


class ConsentProof(StrEnum):
    """How a provider receives proof of consent."""

    NONE = "none"
    OFFLINE = "offline"
    BASE64_WAV = "base64_wav"
    AUDIO_FILE = "audio_file"


class Handover(StrEnum):
    """How recordings reach a provider. The three SIGNED_PUT values say which file is uploaded to a signed address: an
    archive with transcripts, an archive without transcripts, or one WAV of all recordings."""

    RECORDINGS = "recordings"
    DATASET_URL = "dataset_url"
    SIGNED_PUT_TEXTS = "signed_put_texts"
    SIGNED_PUT_CLIPS = "signed_put_clips"
    SIGNED_PUT_WAV = "signed_put_wav"
    FILE_IDS = "file_ids"
    ONE_FILE = "one_file"


class Encoding(StrEnum):
    """Encoding of one file made of many recordings."""

    WAV = "wav"
    MP3 = "mp3"


class Visibility(StrEnum):
    """Who may use a voice at its provider."""

    PRIVATE = "private"
    PUBLIC = "public"


class StatusUpdates(StrEnum):
    """How a provider reports the end of a build."""

    POLL = "poll"
    CALLBACK = "callback"


class ReportContent(StrEnum):
    """What a provider reports about a finished build."""

    VOICE_SCORES = "voice_scores"
    RECORDING_SCORES = "recording_scores"
    DISCARDED_FILES = "discarded_files"


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of a provider with its source, since the vendors' own pages disagree.

    A build that exceeds a `hard` limit is refused; other limits are shown as advice.
    """

    value: float
    unit: str
    source: str
    checked: str
    hard: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Abilities and requirements of one tier of a provider: the data for the forms, the preflight and the docs table.

    `limits` are named shortest_clip, longest_clip, trained_clip (seconds); longest_transcript (characters);
    least_recordings, most_recordings; least_seconds, advised_seconds, advised_seconds_other_languages (than English),
    most_seconds; most_bytes; lowest_rate, highest_rate (Hz); calls_per_second; longest_preview (characters of a text
    to speak). `can_retrain` is True if one voice
    can be trained again with other recordings, and False if each build makes a new voice.
    `can_delete_files`: recordings are uploaded as files with ids of their own, and these can be deleted.
    `manual_deletion` says how a person deletes a voice, where `can_delete` is False.
    `outlier_rule` says that the provider never uses a recording that it reported as an outlier.
    `retraining_effect` says what a new training does to the voice, where `can_retrain` is True.
    `can_list`: the account's voices can be listed. `can_find`: if a lookup does not find a voice, it was not created.
    `expected_training` is what the vendor says about the time of a training.
    `credits` are charged on success. `languages` are primary subtags of BCP 47, empty if the vendor names no languages.
    `cautions` are what staff should know before they send a voice. `options` are set for each build, and `emotion` for
    each recording. `consent_exemption` says which accounts need no proof of consent; empty if the vendor names none.
    """

    tier: Tier
    label: str
    summary: str
    handover: tuple[Handover, ...]
    consent_proof: ConsentProof
    status_updates: tuple[StatusUpdates, ...]
    report_contents: tuple[ReportContent, ...]
    limits: Mapping[str, Limit]
    poll_seconds: float
    requires_transcript: bool
    can_retrain: bool
    can_find: bool
    can_list: bool
    can_rename: bool
    can_set_visibility: bool
    can_delete: bool
    can_preview: bool
    is_private_by_default: bool
    cost: str
    credits: int = 0
    encoding: Encoding = Encoding.WAV
    languages: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    can_delete_files: bool = False
    can_report_usage: bool = False
    manual_deletion: Instructions | None = None
    expected_training: StatedTime | None = None
    options: tuple[TierOption, ...] = ()
    emotion: TierOption | None = None
    consent_exemption: str = ""
    retraining_effect: RetrainingEffect | None = None
    outlier_rule: Rule | None = None

    def supports_language(self, language: str) -> bool:
        """Whether a voice in this language (a BCP 47 tag) can be created."""
        return not self.languages or language.replace("_", "-").partition("-")[0].lower() in self.languages


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file that is opened only when it is sent."""

    name: str
    size: int
    open: Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class UploadFile:
    """One file made of a build's recordings. Each call of `chunks` yields the same bytes again.

    `md5` is the digest's 16 bytes.
    """

    name: str
    content_type: str
    size: int
    md5: bytes
    chunks: Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class ClipUpload:
    """A recording to send. `key` is VoiceHub's id of the recording, `remote_id` the provider's.

    `remote_id` and `sent_transcript` are empty until the provider has the recording. Without an `emotion`, the default
    of the tier is sent.
    """

    key: str
    name: str
    transcript: str
    audio: FileRef
    remote_id: str = ""
    sent_transcript: str = ""
    emotion: str = ""


@dataclass(frozen=True, slots=True)
class BuildSpec:
    """Everything that an adapter needs for one build, because an adapter never uses a database model.

    `reference` is the unique name by which a voice is found if the response that created it was lost.
    `stale_recordings` are the provider's ids of recordings from an earlier build that are not part of this build.
    `clips` is set if recordings are sent one by one (RECORDINGS, FILE_IDS). `pack_file` packs all recordings into one
    file, if one file is sent (SIGNED_PUT_*, ONE_FILE). `resume_state` is the last state that the journal saved.
    `options` are values of the tier's options by name; an option without a value has its default.
    """

    reference: str
    tier: Tier
    language: str
    handover: Handover
    consent: FileRef | None
    clips: tuple[ClipUpload, ...]
    callback_url: str = ""
    dataset_url: str = ""
    remote_id: str = ""
    stale_recordings: tuple[str, ...] = ()
    pack_file: Callable[[], UploadFile] | None = None
    resume_state: str = ""
    options: Mapping[str, OptionValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordingReport:
    """What a provider reports about one recording. A value that it does not report is None.

    stoi is 0..1, pesq is -0.5..4.5, si_sdr is in dB; higher is better. All three are the provider's estimates, as it
    has no reference signal. signal_to_noise_ratio is in dB, higher is better, and loudness_grade is a letter,
    “A” being the best. `discard_reason` says why the recording was not used.
    """

    remote_id: str = ""
    name: str = ""
    transcript: str = ""
    stoi: float | None = None
    pesq: float | None = None
    si_sdr: float | None = None
    sample_score: float | None = None
    signal_to_noise_ratio: float | None = None
    loudness_grade: str = ""
    is_active: bool | None = None
    is_outlier: bool | None = None
    is_silent: bool | None = None
    discard_reason: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """A sentence that a provider generated with its new voice, and the address of the sound."""

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
    """One response as staff may see it, without the key and the request. `status` is None if there was no response."""

    at: datetime
    operation: str
    status: int | None
    text: str


@dataclass(frozen=True, slots=True)
class BuildReport:
    """A provider's report on a build, in VoiceHub's terms and as raw data.

    `version` changes whenever the provider changes the voice, so comparing two versions shows whether a build began.
    `visibility` is None if the provider does not report it. So are `created_at`, `expected_at`, when the training
    should end, and `usage_count`, how often the voice has spoken. A locked voice cannot be used. `components` are the
    abilities of the voice with the status of each.
    """

    remote_id: str
    status: RemoteStatus
    raw_status: str
    name: str = ""
    version: str = ""
    issue: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    recordings: tuple[RecordingReport, ...] = ()
    samples: tuple[Sample, ...] = ()
    visibility: Visibility | None = None
    created_at: datetime | None = None
    expected_at: datetime | None = None
    usage_count: int | None = None
    is_locked: bool = False
    components: Mapping[str, str] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)
