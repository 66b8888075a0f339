"""The headings of the first page and of the menu of the admin. Each admin class names its `group`."""

PEOPLE, VOICES, ACCOUNTS, WORK, STAFF = GROUPS = (
    "People and consent",
    "Voices and builds",
    "Provider accounts",
    "Background work",
    "Staff and settings",
)
