"""How the words of a finding are written down: one template for each code, in the tables of `audio.findings`."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """REFUSED: the file cannot be used. PUT_RIGHT: we made a corrected copy. LOOK: a person should decide."""

    REFUSED = "refused"
    PUT_RIGHT = "put_right"
    LOOK = "look"


@dataclass(frozen=True, slots=True)
class Template:
    """The words of one code; text and advice may hold {names} that `finding` fills in.

    `threshold` names the field of `Thresholds` that decides, if a number does.
    """

    severity: Severity
    text: str
    advice: str
    threshold: str = ""


EXPORT = "Export it again as WAV, 16-bit PCM, mono."
SEND_AGAIN = "Send it again; if that does not help, export it again."


def refused(text: str, advice: str = EXPORT, threshold: str = "") -> Template:
    return Template(Severity.REFUSED, text, advice, threshold)


def put_right(text: str, advice: str, threshold: str = "") -> Template:
    return Template(Severity.PUT_RIGHT, text, advice, threshold)


def look(text: str, advice: str, threshold: str = "") -> Template:
    return Template(Severity.LOOK, text, advice, threshold)
