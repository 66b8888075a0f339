"""Files with a recording of the statement: what the forms accept and say, and what people do about a refused file."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from django.utils.translation import gettext, gettext_lazy

from audio.findings.findings import Severity
from audio.networks.installed import PART_CHECKS
from consent.models import Take
from consent.services.finding_words import FILE_CODES, LENGTH_CODES, describe_kind
from consent.services.takes import TAKE_LIMITS
from voicehub.talent_languages import SOURCE_LANGUAGE, get_talent_language
from voicehub.upload_limits import TAKE_BYTES

# What phones and recorders make. Some phones know only the file ending, others only the type.
ACCEPTED_FILES = "audio/*,.m4a,.mp4,.mp3,.wav,.opus,.ogg,.oga,.flac,.aac,.amr,.3gp,.caf,.aif,.aiff,.webm,.wma"
DECODER = "M4A and WebM"

NOT_USABLE = gettext_lazy("The recording was saved, but it cannot be used.")
LENGTH_ADVICE = gettext_lazy("Record only the statement.")
TALENT_ADVICE = gettext_lazy("Record it on this page instead, or send another file.")


def describe_files() -> str:
    """What may be sent, for the hint beside the field."""
    if PART_CHECKS[DECODER]():
        text = gettext("MP3, Opus, FLAC or WAV, at most {minutes} minutes and {megabytes} MB.")
    else:
        text = gettext("M4A, MP3, Opus, FLAC, WAV and others, at most {minutes} minutes and {megabytes} MB.")
    return text.format(minutes=f"{TAKE_LIMITS.max_seconds / 60:g}", megabytes=TAKE_BYTES >> 20)


def get_safe_suffix(file_name: str) -> str:
    """The ending of a file name that a sender chose, if it is a known one of audio files, otherwise ".bin"."""
    suffix = PurePath(file_name).suffix.lower()
    return suffix if suffix and suffix in ACCEPTED_FILES.split(",") else ".bin"


def describe_problem(take: Take, *, is_talent: bool) -> str:
    """Why a stored take cannot be used, and what the sender does about it; empty if it can be used."""
    if take.acceptable:
        return ""
    errors = [finding for finding in take.findings if finding["severity"] == Severity.ERROR]
    return " ".join([str(NOT_USABLE), *(_describe_error(one, is_talent=is_talent) for one in errors)])


def _describe_error(finding: Mapping[str, Any], *, is_talent: bool) -> str:
    is_english = get_talent_language() == SOURCE_LANGUAGE
    text = finding["text"] if is_english else describe_kind(finding["code"])
    if finding["code"] in LENGTH_CODES:
        return f"{text} {LENGTH_ADVICE}"
    if is_talent and finding["code"] in FILE_CODES:
        return f"{text} {TALENT_ADVICE}"
    return f"{text} {finding['advice']}" if is_english else str(text)
