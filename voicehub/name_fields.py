"""Names of people and companies: what a name may contain, as a rule for forms and as a field of models.

A name stands in sentences, mails and statements. Bidi controls turn the text around it, so they are removed. A name of
which nothing can be seen is refused. Letters of every script, and the joiners inside words that some need, stay.
"""

import re
import unicodedata
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models

if TYPE_CHECKING:  # CharField is generic in the stubs only, not at run time
    CharFieldOfName = models.CharField[str, str]
else:
    CharFieldOfName = models.CharField

# ALM, LRM, RLM, the embeddings, overrides and isolates, and what ends them (Unicode Standard Annex 9).
BIDI_CONTROLS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# Letters and symbols that show nothing: fillers of Hangul, and the empty pattern of Braille.
BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
# Controls, formats, surrogates, private use, not assigned, marks without a letter, spaces and line ends.
INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me", "Zs", "Zl", "Zp"})
UNREADABLE = "This name has no visible letters. Enter the name as it is written."
STAND_IN = "(name not readable)"


def remove_bidi_controls(text: str) -> str:
    return BIDI_CONTROLS.sub("", text)


def is_visible(text: str) -> bool:
    """Whether the text has a character that can be seen."""
    return any(
        character not in BLANK_LETTERS and unicodedata.category(character) not in INVISIBLE_CATEGORIES
        for character in text
    )


def clean_name(text: str) -> str:
    """The name on one line, without bidi controls. Raises ValidationError if nothing of it can be seen."""
    name = " ".join(remove_bidi_controls(text).split())
    if text and not is_visible(name):
        raise ValidationError(UNREADABLE)
    return name


class NameField(CharFieldOfName):
    """A CharField for a name. Forms and the admin refuse an unreadable one. Rows that have one show a stand-in.

    Migrations see a plain CharField, because the rule is no part of the column.
    """

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        return super().clean(clean_name(value) if isinstance(value, str) else value, model_instance)

    def from_db_value(self, value: str | None, _expression: Any, _connection: Any) -> str | None:
        """A name of an earlier version as pages may show it."""
        if not value or value.isascii():
            return value
        name = remove_bidi_controls(value)
        return name if is_visible(name) else STAND_IN

    def get_prep_value(self, value: Any) -> Any:
        prepared = super().get_prep_value(value)
        return remove_bidi_controls(prepared) if isinstance(prepared, str) else prepared
