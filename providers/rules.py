"""Rules of a vendor that are not numbers, each with its source and its date."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetrainingEffect:
    """What happens to a voice while it is trained again, and if that training fails, with the source and its date.

    What the vendor does not document is called not known. `earlier_training` is said after a training that failed.
    """

    meanwhile: str
    after_failure: str
    earlier_training: str
    source: str
    checked: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a vendor, with its source and its date."""

    text: str
    source: str
    checked: str
