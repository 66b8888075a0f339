"""What the sandbox decides where Voice.ai's pages are silent or disagree. All of this is ours.

None of these values is a fact about Voice.ai, unless the line says that it is the vendor's.
"""

DEFAULT_VISIBILITY = "PUBLIC"
"""Vendor."""

VISIBILITIES = ("PUBLIC", "PRIVATE")
LANGUAGES = ("en", "es", "fr", "de", "it", "pt", "pl", "ru", "nl", "sv", "ca")
DEFAULT_LANGUAGE = "en"
"""Vendor, all three."""

LARGEST = 7_500_000
"""Bytes. Vendor: "max 7.5MB", which may also mean 7,864,320."""

FORMATS = {"wav": "WAV", "mp3": "MP3", "ogg": "OGG", "m4a": "M4A"}
"""What any of the vendor's lists has, but for PCM: bare samples do not say at what rate they are."""

# Vendor: "10-60 seconds recommended". Less speech than the house's `rapid_seconds` (10 at the start) and more than
# LONGEST make a voice FAILED here, as do silence and what cannot be decoded. The vendor states no hard limit.
LONGEST = 60.0

PENDING_SHARE = 0.25
"""Of the training a voice is PENDING, of the rest PROCESSING."""

BROKE_KEY = "broke"
"""A key that begins with this has no credits left: 402 where something would be charged for."""

# A third party says 402 for "insufficient credits or voice slot limit reached". A plan that may not change anything is
# 403. The vendor's three fields `error`, `detail` and `code`: here all but `detail`, with these codes of ours.
CODES = {
    400: "bad_request",
    401: "unauthorized",
    402: "payment_required",
    403: "forbidden",
    404: "not_found",
    409: "voice_not_available",
    413: "file_too_large",
    429: "rate_limit_exceeded",
}
OTHER_CODE = "internal_error"

# A voice without a name is called UNNAMED. A failed one says why in `error`, a field that no page shows. The list has
# the account's own voices, oldest first and all at once: the vendor's page says "owned by the authenticated user", its
# SDK says that public ones are among them. Whoever knows the id of a public voice may look at it and speak with it.
# What is deleted is 404 from then on, though its row and its audio stay: the vendor's deletion is soft.
UNNAMED = "Untitled voice"
LONGEST_NAME = 256

LONGEST_TEXT = 5000
"""Characters of one text to be spoken. A voice_id is required here, as the sandbox has no voices of its own."""

HOTTEST = 2.0
MOST_TOP_P = 1.0
"""Vendor: temperature is 0 to 2, top_p 0 to 1. Both change nothing here."""

DEFAULT_FORMAT = "mp3"
STREAM_BLOCK = 16 * 1024
"""Bytes of one piece of streamed speech."""

# The ledger counts credits; the vendor's prices are not published.
CLONE_CREDITS = 100
CREDITS_PER_CHARACTER = 1
