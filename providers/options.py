"""The fields of a vendor's calls that the studio may set, and the check of their values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

ON, OFF = "yes", "no"


class OptionKind(StrEnum):
    """How a person sets an option: types a text, chooses one of its values, or switches it on."""

    TEXT = "text"
    CHOICE = "choice"
    SWITCH = "switch"


OptionValue = str | bool
"""The value of an option: a text, or whether the switch is on."""


@dataclass(frozen=True, slots=True)
class TierOption:
    """A field of the vendor's calls that the studio may set, with its source.

    `choices` are the values and labels of a CHOICE, or suggestions for a TEXT. `max_length` counts characters.
    """

    name: str
    label: str
    help: str
    kind: OptionKind
    default: OptionValue
    source: str
    checked: str
    max_length: int = 0
    choices: tuple[tuple[str, str], ...] = ()


class OptionInvalid(Exception):
    """A value that an option cannot have. The text is for users."""


def check_option(option: TierOption, value: object) -> OptionValue:
    """The value as it is stored and sent. Raises OptionInvalid."""
    if option.kind is OptionKind.SWITCH:
        return _check_switch(option, value)
    text = " ".join(value.split()) if isinstance(value, str) else None
    if text is None or not text.isprintable():
        raise OptionInvalid(f"{option.label}: enter text on one line.")
    if option.kind is OptionKind.CHOICE and text not in dict(option.choices):
        raise OptionInvalid(f"{option.label}: choose one of the listed values.")
    if option.max_length and len(text) > option.max_length:
        raise OptionInvalid(f"{option.label}: enter at most {option.max_length:,} characters.")
    return text


def _check_switch(option: TierOption, value: object) -> bool:
    if value in (True, ON):
        return True
    if value in (False, OFF):
        return False
    raise OptionInvalid(f"{option.label}: choose yes or no.")


def check_options(options: Sequence[TierOption], values: Mapping[str, object]) -> dict[str, OptionValue]:
    """The value of every option by name, with the default where `values` has none. Raises OptionInvalid."""
    if unknown := set(values) - {option.name for option in options}:
        raise OptionInvalid(f"The provider has no option {', '.join(sorted(unknown))}. Reload the page and try again.")
    return {option.name: check_option(option, values.get(option.name, option.default)) for option in options}
