"""The files of a recording: what they are called, and how a converted or split one was made."""

from uuid import UUID

from voicehub.json_fields import NUMBER, Fields, ListOf, Maybe

WAV_SUFFIX, OTHER_SUFFIX, CONVERTED_SUFFIX = RECORDING_SUFFIXES = (".wav", ".bin", ".made.wav")
STEP = Fields({"step": str, "start_frame": Maybe(NUMBER), "end_frame": Maybe(NUMBER)})
RECIPE = Fields({"steps": Maybe(ListOf(STEP)), "cut_by": Maybe(int)})


def format_recording_path(voice_id: UUID, recording_id: UUID, suffix: str) -> str:
    """A path made of ids. The file name from the browser is only displayed."""
    return f"recordings/{voice_id}/{recording_id}{suffix}"
