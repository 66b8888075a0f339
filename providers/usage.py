"""What providers report about the use of an account: a plan, what was used, what is left, and a limit of voices."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Usage:
    """A value that the provider does not report is None, or empty. `used` and `remaining` are counted in `unit`.

    `since` is the first day on which `used` is counted.
    """

    plan: str = ""
    unit: str = ""
    used: float | None = None
    remaining: float | None = None
    since: date | None = None
    voices: int | None = None
    voice_limit: int | None = None
