"""The headings of the first page and of the menu of the admin. Each admin class names its `group`."""

from collections.abc import Mapping
from typing import Any

# Lookups of rows that need a person, and the words for one row and for many.
Attention = tuple[Mapping[str, Any], str, str]

PEOPLE, VOICES, ACCOUNTS, WORK, STAFF = GROUPS = (
    "People and consent",
    "Voices and builds",
    "Provider accounts",
    "Background work",
    "Staff and settings",
)
