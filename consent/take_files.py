"""Files with a recording of the statement: what the forms accept and say, and what people do about a refused file."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from audio.findings import catalog_child, catalog_convert, catalog_wav
from audio.findings.findings import Severity
from audio.networks.installed import PART_CHECKS
from consent.models import Take
from consent.services.takes import EMPTY_TAKE_CODES, TAKE_LIMITS
from voicehub.upload_limits import TAKE_BYTES

# What phones and recorders make. Some phones know only the file ending, others only the type.
ACCEPTED_FILES = "audio/*,.m4a,.mp4,.mp3,.wav,.opus,.ogg,.oga,.flac,.aac,.amr,.3gp,.caf,.aif,.aiff,.webm,.wma"
DECODER = "M4A and WebM"

NOT_USABLE = "The recording was saved, but it cannot be used."
LENGTH_ADVICE = "Record only the statement."
TALENT_ADVICE = "Record it on this page instead, or send another file."
LENGTH_CODES = frozenset({"too_long", "too_long_to_convert"})
# The advice in these catalogs is for people with an audio editor and an administrator, which a talent's phone lacks.
FILE_CODES = frozenset(
    {*catalog_wav.NOT_A_WAV, *catalog_wav.DAMAGED, *catalog_wav.WRONG_FORMAT}
    | {*catalog_convert.CONVERSION_ERRORS, *catalog_child.CODES}
).difference(EMPTY_TAKE_CODES, LENGTH_CODES)


def describe_files() -> str:
    """What may be sent, for the hint beside the field."""
    kinds = "MP3, Opus, FLAC or WAV" if PART_CHECKS[DECODER]() else "M4A, MP3, Opus, FLAC, WAV and others"
    return f"{kinds}, at most {TAKE_LIMITS.max_seconds / 60:g} minutes and {TAKE_BYTES >> 20} MB."


def get_safe_suffix(file_name: str) -> str:
    """The ending of a file name that a sender chose, if it is a known one of audio files, otherwise ".bin"."""
    suffix = PurePath(file_name).suffix.lower()
    return suffix if suffix and suffix in ACCEPTED_FILES.split(",") else ".bin"


def describe_problem(take: Take, *, is_talent: bool) -> str:
    """Why a stored take cannot be used, and what the sender does about it; empty if it can be used."""
    if take.acceptable:
        return ""
    errors = [finding for finding in take.findings if finding["severity"] == Severity.ERROR]
    return " ".join([NOT_USABLE, *(f"{one['text']} {_choose_advice(one, is_talent=is_talent)}" for one in errors)])


def _choose_advice(finding: Mapping[str, Any], *, is_talent: bool) -> str:
    if finding["code"] in LENGTH_CODES:
        return LENGTH_ADVICE
    return TALENT_ADVICE if is_talent and finding["code"] in FILE_CODES else str(finding["advice"])
