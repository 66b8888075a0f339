"""Choices shared by the models of this app."""

from django.db import models

from providers.types import Handover, RemoteStatus


class AccountMode(models.TextChoices):
    LIVE = "live", "Live (billed)"
    SANDBOX = "sandbox", "Sandbox"


class RecordingStatus(models.TextChoices):
    ACCEPTED = "accepted", "Usable"
    REFUSED = "refused", "Not usable"
    SPLITTING = "splitting", "Splitting"
    SPLIT = "split", "Split"


class InclusionSource(models.TextChoices):
    """Who decided whether a recording is in builds."""

    UNDECIDED = "", "Not decided"
    CHECK = "check", "A check"
    PERSON = "person", "A person"


class FindingSeverity(models.IntegerChoices):
    """The most severe finding of a recording, in an order that tables sort by."""

    NONE = 0, "No finding"
    FIXED = 1, "Fixed"
    WARNING = 2, "Check this"
    ERROR = 3, "Not usable"


HANDOVER_LABELS = {
    Handover.RECORDINGS: "One by one",
    Handover.DATASET_URL: "As one dataset that the provider fetches",
    Handover.SIGNED_PUT_TEXTS: "As an archive with their transcripts",
    Handover.SIGNED_PUT_CLIPS: "As an archive without transcripts",
    Handover.SIGNED_PUT_WAV: "As one long WAV",
    Handover.FILE_IDS: "As files, one by one",
    Handover.ONE_FILE: "As one file, made of the best of them",
}
HANDOVER_CHOICES = [(way.value, label) for way, label in HANDOVER_LABELS.items()]


OBSERVED_STATUS_LABELS = {
    RemoteStatus.AWAITING_DATA: "Waiting for recordings",
    RemoteStatus.TRAINING: "Training",
    RemoteStatus.READY: "Ready",
    RemoteStatus.DATASET_ISSUE: "Not usable because of its recordings",
    RemoteStatus.CONSENT_REJECTED: "Consent rejected",
    RemoteStatus.FAILED: "Training failed",
    RemoteStatus.UNKNOWN: "Not known",
}
OBSERVED_STATUS_CHOICES = [(status.value, label) for status, label in OBSERVED_STATUS_LABELS.items()]


class FileKind(models.TextChoices):
    """What an uploaded file holds."""

    RECORDING = "recording", "Recording"
    CONSENT = "consent", "Consent"


class PreviewStatus(models.TextChoices):
    QUEUED = "queued", "Queued"
    GENERATING = "generating", "Generating"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"


class VoteChoice(models.TextChoices):
    """The answer of a person who listened to previews without names."""

    SAMPLE = "sample", "One is better"
    SAME = "same", "No difference"
    SKIPPED = "skipped", "Not judged"


class BuildStatus(models.TextChoices):
    QUEUED = "queued", "Queued"
    SUBMITTING = "submitting", "Submitting"
    UNCONFIRMED = "unconfirmed", "Unconfirmed"
    TRAINING = "training", "Training"
    READY = "ready", "Ready"
    DATASET_ISSUE = "dataset_issue", "Needs work"
    CONSENT_REJECTED = "consent_rejected", "Consent rejected"
    FAILED = "failed", "Failed"
    CANCELED = "cancelled", "Canceled"
    WITHDRAWN = "withdrawn", "Withdrawn"


class WorkKind(models.TextChoices):
    """Long work whose duration VoiceHub learns."""

    READING = "reading", "Reading an archive"
    ADDING = "adding", "Adding the files of an archive"
    ANALYSIS = "analysis", "Analyzing recordings"
    COMPARISON = "comparison", "Comparing recordings"
    SENDING = "sending", "Sending a build"
    TRAINING = "training", "Training a voice"
    DELETION = "deletion", "Deleting a voice"
    FILES = "files", "Deleting files"


class BulkKind(models.TextChoices):
    """What one action does with many recordings."""

    INCLUDE = "include", "Putting recordings in builds"
    LEAVE_OUT = "leave_out", "Leaving recordings out of builds"
    TRANSCRIPTS = "transcripts", "Setting transcripts from a table"
    DELETION = "deletion", "Deleting recordings"


class DatasetLayout(models.TextChoices):
    """The layouts in which a voice is downloaded (see `audio.datasets.layouts`)."""

    VOICEHUB = "voicehub", "VoiceHub"
    LJSPEECH = "ljspeech", "LJSpeech"
    HUGGING_FACE = "hugging_face", "Hugging Face"
    RESEMBLE = "resemble", "Resemble AI"


class ImportStatus(models.TextChoices):
    OPEN = "open", "Open"
    ADDING = "adding", "Adding"
    ADDED = "added", "Added"
    DISCARDED = "discarded", "Discarded"


class ImportFileStatus(models.TextChoices):
    UPLOADING = "uploading", "Uploading"
    UPLOADED = "uploaded", "Uploaded"
    CHECKED = "checked", "Checked"


class ImportFileKind(models.TextChoices):
    """What a file of an import is, known when it is checked."""

    AUDIO = "audio", "Audio"
    ARCHIVE = "archive", "Archive"
    TEXT = "text", "Table or text"
    SIDE = "side", "File of an editor or a system"
    OTHER = "other", "Other file"


class ImportClipState(models.TextChoices):
    """What becomes of a clip: it is added, or it was."""

    READY = "ready", "Ready to add"
    DUPLICATE = "duplicate", "Duplicate"
    REFUSED = "refused", "Not usable"
    ADDED = "added", "Added"


class ImportTextKind(models.TextChoices):
    """What a text of an import is, by its contents and the names of the clips."""

    UNKNOWN = "", "Not read yet"
    TABLE = "table", "Table of transcripts"
    CLIP_TEXT = "clip_text", "Transcript of one clip"
    OTHER = "other", "No transcripts"


class ImportLineReason(models.TextChoices):
    """Why a line gives no clip its text."""

    ZEROS_LOST = "zeros_lost", "Leading zeros lost"
    UNKNOWN = "unknown", "No file has this name"
    AMBIGUOUS = "ambiguous", "Several files have this name"
    REFUSED = "refused", "The file with this name cannot be used"
    REPEATED = "repeated", "Another line has a different text for the same file"
    EMPTY = "empty", "The text is empty"
    TOO_LONG = "too_long", "The text is too long"
    EARLIER = "earlier", "A recording that the voice already has"
