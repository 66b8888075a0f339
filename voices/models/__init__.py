from voices.models.account import Account, LimitOverride, RemoteRecording, RemoteVoice
from voices.models.build import Build, BuildRecording, Callback, DatasetFetch
from voices.models.voice import Recording, Voice
from voices.models.words import BuildStatus, Handover, Mode, RecordingStatus

__all__ = [
    "Account",
    "Build",
    "BuildRecording",
    "BuildStatus",
    "Callback",
    "DatasetFetch",
    "Handover",
    "LimitOverride",
    "Mode",
    "Recording",
    "RecordingStatus",
    "RemoteRecording",
    "RemoteVoice",
    "Voice",
]
