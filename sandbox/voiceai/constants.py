"""Decisions of the sandbox where Voice.ai's pages are silent or disagree.

These values are ours, not facts about Voice.ai, unless the line names the vendor.
"""

DEFAULT_VISIBILITY = "PUBLIC"
"""Vendor."""

VISIBILITIES = ("PUBLIC", "PRIVATE")
LANGUAGES = ("en", "es", "fr", "de", "it", "pt", "pl", "ru", "nl", "sv", "ca")
DEFAULT_LANGUAGE = "en"
"""Vendor, all three values."""

MAX_BYTES = 7_500_000
"""Vendor: "max 7.5MB", which may also mean 7,864,320 bytes."""

FORMATS = {"wav": "WAV", "mp3": "MP3", "ogg": "OGG", "m4a": "M4A"}
"""Every format in the vendor's lists except PCM, which has no header to recognize it by."""

PCM_TYPES = ("audio/pcm", "audio/x-pcm", "audio/l16")
PCM_NAME_PATTERN = r"(?i).+\.(pcm|raw)"
PCM_RATE = 16_000
"""The vendor's page accepts PCM and does not say how. Here a file of this type or name is 16-bit little-endian mono at
this rate."""

# Vendor: "10-60 seconds recommended", without a hard limit, and "single speaker audio works best". Here a voice is
# FAILED if its file is shorter than the setting `rapid_seconds` (10 by default), longer than MAX_SECONDS, silent, not
# decodable, or spoken by two speakers.
MAX_SECONDS = 60.0

PENDING_SHARE = 0.25
"""Share of the training during which a voice is PENDING; then it is PROCESSING."""

NO_CREDITS_KEY_PREFIX = "broke"
"""A key with this prefix has no credits left: calls that are charged get 402."""

# A third party documents 402 for "insufficient credits or voice slot limit reached". A read-only plan is 403. The
# vendor has the fields `error`, `detail` and `code`; the sandbox sends `error` and `code`, with these codes of ours.
ERROR_CODES = {
    400: "bad_request",
    401: "unauthorized",
    402: "payment_required",
    403: "forbidden",
    404: "not_found",
    409: "voice_not_available",
    413: "file_too_large",
    429: "rate_limit_exceeded",
}
DEFAULT_ERROR_CODE = "internal_error"

# A voice without a name gets DEFAULT_NAME. A failed voice has its reason in `error`, a field that no page documents.
# The list has the account's own voices, oldest first and without pages: the vendor's documentation says "owned by the
# authenticated user", its SDK says that public voices are included. Any account that knows the id of a public voice can
# get it and create speech with it. A deleted voice is 404, but its row and audio stay: the vendor's deletion is soft.
DEFAULT_NAME = "Untitled voice"
MAX_NAME_LENGTH = 256

MAX_TEXT_LENGTH = 5000
"""Characters of one text for speech. `voice_id` is required here, because the sandbox has no voices of its own."""

MAX_TEMPERATURE = 2.0
MAX_TOP_P = 1.0
"""Vendor: temperature is 0 to 2, top_p 0 to 1. Both have no effect here."""

DEFAULT_FORMAT = "mp3"
STREAM_BLOCK_BYTES = 16 * 1024
"""Size of one block of streamed speech."""

# The ledger counts credits; the vendor's prices are not published.
CLONE_CREDITS = 100
CREDITS_PER_CHARACTER = 1
