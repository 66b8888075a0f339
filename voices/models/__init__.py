from voices.models.account import Account, AccountCall
from voices.models.build import Build, BuildRecording, Callback, DatasetFetch
from voices.models.choices import BuildStatus, Mode, PreviewStatus, RecordingStatus
from voices.models.limits import LimitOverride
from voices.models.remote import Preview, RemoteRecording, RemoteVoice
from voices.models.voice import Recording, Voice

__all__ = [
    "Account",
    "AccountCall",
    "Build",
    "BuildRecording",
    "BuildStatus",
    "Callback",
    "DatasetFetch",
    "LimitOverride",
    "Mode",
    "Preview",
    "PreviewStatus",
    "Recording",
    "RecordingStatus",
    "RemoteRecording",
    "RemoteVoice",
    "Voice",
]
