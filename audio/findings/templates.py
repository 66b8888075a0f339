"""Templates for finding texts: one for each code, in the tables of `audio.findings`."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """ERROR: the file cannot be used. FIXED: a corrected copy was made. WARNING: a person should decide."""

    ERROR = "refused"
    FIXED = "put_right"
    WARNING = "look"


@dataclass(frozen=True, slots=True)
class Template:
    """Text and advice of one code; `make_finding` fills in their {names}.

    `threshold` names the field of `Thresholds` that decides whether the finding is made; "" if no number does.
    `exclusion` says why a recording with this finding is left out of builds unless a person decides otherwise; "" if
    the finding leaves nothing out.
    """

    severity: Severity
    text: str
    advice: str
    threshold: str = ""
    exclusion: str = ""


EXPORT = "Export it again as WAV, 16-bit PCM, mono."
SEND_AGAIN = "Send it again; if that does not help, export it again."


def make_error(text: str, advice: str = EXPORT, threshold: str = "") -> Template:
    return Template(Severity.ERROR, text, advice, threshold)


def make_fix(text: str, advice: str, threshold: str = "") -> Template:
    return Template(Severity.FIXED, text, advice, threshold)


def make_warning(text: str, advice: str, threshold: str = "", exclusion: str = "") -> Template:
    return Template(Severity.WARNING, text, advice, threshold, exclusion)
