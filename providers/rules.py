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


@dataclass(frozen=True, slots=True)
class StatedTime:
    """How long a vendor says that something takes, in its own words, with the source and its date.

    `seconds` is None if the vendor gives no figure.
    """

    words: str
    seconds: float | None
    source: str
    checked: str


@dataclass(frozen=True, slots=True)
class Instructions:
    """What a person does on a vendor's website, with the source and its date."""

    steps: tuple[str, ...]
    source: str
    checked: str
