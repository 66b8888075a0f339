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
class DataUse:
    """Where a vendor works and what becomes of recordings there, as its pages say, with their source and its date.

    `countries` are ISO 3166-1 codes, empty if no page that was read names one. `may_train` is whether the vendor may
    train its own models with the recordings of customers; None if no page says. `deletion_limits` is what a deletion
    may leave behind, and stands among the cautions too.
    """

    countries: tuple[str, ...]
    may_train: bool | None
    deletion_limits: str
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

    website: str
    steps: tuple[str, ...]
    source: str
    checked: str
