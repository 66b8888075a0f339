from voices.models.account import Account, AccountCall
from voices.models.build import Build, BuildRecording, Callback, DatasetFetch
from voices.models.bulk_change import BulkChange
from voices.models.choices import (
    AccountMode,
    BuildStatus,
    BulkKind,
    FileKind,
    FindingSeverity,
    InclusionSource,
    PreviewStatus,
    RecordingStatus,
    UploadActivity,
    WorkKind,
)
from voices.models.limits import LimitOverride
from voices.models.offline_proof import OfflineProof
from voices.models.remote import Preview, RemoteFile, RemoteRecording, RemoteVoice
from voices.models.voice import Recording, Voice
from voices.models.work import UploadProgress, WorkSample

__all__ = [
    "Account",
    "AccountCall",
    "Build",
    "BuildRecording",
    "BuildStatus",
    "BulkChange",
    "BulkKind",
    "Callback",
    "DatasetFetch",
    "FileKind",
    "FindingSeverity",
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
    "UploadActivity",
    "UploadProgress",
    "Voice",
    "WorkKind",
    "WorkSample",
]
