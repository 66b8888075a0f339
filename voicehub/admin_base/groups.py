"""The headings of the first page and of the menu of the admin. Each admin class names its `group`."""

from collections.abc import Mapping
from typing import Any

# Lookups of rows that need a person, the words for one row and for many, and the tone of the mark.
Attention = tuple[Mapping[str, Any], str, str, str]

# Which rows the first page counts, and a word behind their number.
Counted = tuple[Mapping[str, Any], str]

PEOPLE, VOICES, ACCOUNTS, STAFF, WORK = GROUPS = (
    "People and consent",
    "Voices and builds",
    "Provider accounts",
    "Staff and settings",
    "Background work",
)
