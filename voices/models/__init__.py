from voices.models.account import Account, AccountCall, UsageReading
from voices.models.build import Build, BuildRecording, Callback, DatasetFetch
from voices.models.bulk_change import BulkChange
from voices.models.choices import (
    AccountMode,
    BuildStatus,
    BulkKind,
    DatasetLayout,
    FileKind,
    FindingSeverity,
    ImportClipState,
    ImportFileKind,
    ImportFileStatus,
    ImportLineReason,
    ImportStatus,
    ImportTextKind,
    InclusionSource,
    PreviewStatus,
    RecordingStatus,
    VoteChoice,
    WorkKind,
)
from voices.models.cut_proposal import CutProposal
from voices.models.dataset_download import DatasetDownload
from voices.models.import_clips import ImportClip, ImportLine, ImportText
from voices.models.imports import Import, ImportFile, ImportPart
from voices.models.limits import LimitOverride
from voices.models.offline_proof import OfflineProof
from voices.models.remote import Preview, RemoteFile, RemoteRecording, RemoteVoice
from voices.models.voice import Recording, Voice
from voices.models.votes import BlindVote
from voices.models.work import WorkSample

__all__ = [
    "Account",
    "AccountCall",
    "BlindVote",
    "Build",
    "BuildRecording",
    "BuildStatus",
    "BulkChange",
    "BulkKind",
    "Callback",
    "CutProposal",
    "DatasetDownload",
    "DatasetFetch",
    "DatasetLayout",
    "FileKind",
    "FindingSeverity",
    "Import",
    "ImportClip",
    "ImportClipState",
    "ImportFile",
    "ImportFileKind",
    "ImportFileStatus",
    "ImportLine",
    "ImportLineReason",
    "ImportPart",
    "ImportStatus",
    "ImportText",
    "ImportTextKind",
    "InclusionSource",
    "LimitOverride",
    "AccountMode",
    "OfflineProof",
    "Preview",
    "PreviewStatus",
    "Recording",
    "RecordingStatus",
    "RemoteFile",
    "RemoteRecording",
    "RemoteVoice",
    "UsageReading",
    "Voice",
    "VoteChoice",
    "WorkKind",
    "WorkSample",
]
