"""Decisions of the sandbox where Speechgen's pages are silent or disagree.

These values are ours, not facts about Speechgen, unless the line names the vendor.
"""

MIN_SECONDS = 10.0
MAX_SECONDS = 300.0
"""Vendor: "10 seconds to 5 minutes". The sandbox measures the decoded audio."""

MAX_BYTES = 10_000_000
"""Vendor: "Maximum 10MB", which may also mean 10,485,760 bytes."""

FORMATS = {"MP3": "MP3", "WAV": "WAV", "MP4": "M4A", "FLAC": "FLAC", "OGG": "OGG"}
"""Vendor's formats by the decoder's names. M4A needs PyAV and is refused without it."""

MAX_NAME_LENGTH = 100
MAX_DESCRIPTION_LENGTH = 500
"""Characters. The vendor's table of parameters is not available. Only `audio` and `name` are required here."""

# Error codes. Vendor's: missing_api_key, invalid_api_key, invalid_voice. All other codes, and every status, are ours:
# 401 for keys, 400 for an invalid request, 404 for an unknown object, 413 for a file that is too large.
ERROR_CODES = {
    400: "invalid_request",
    401: "invalid_api_key",
    403: "plan_required",
    404: "not_found",
    413: "file_too_large",
    429: "rate_limit_exceeded",
}
DEFAULT_ERROR_CODE = "internal_error"

# A ready model has `voice_id`. A failed model has `failure_reason`, a name of ours. GET /models returns
# {"models": […]}, oldest first and without pages. GET /voices returns {"voices": […]}: one stock voice, which cannot
# speak in the sandbox, and the account's own voices. Deleting a model also deletes its sample.

SAMPLE_TITLE = "Default Sample"
SAMPLE_TEXT = "This is a demonstration of the voice clone, made of the recording that was sent."
"""Vendor's title and the start of its text. The sample URL has no audio until the model is ready."""

MAX_TEXT_LENGTH = 5000
"""Characters of one text for speech."""

MIN_SPEED, MAX_SPEED = 0.5, 2.0
DEFAULT_FORMAT = "mp3"

CLONE_CHARACTERS = 1000
"""Charge of a clone. The ledger counts characters, like the vendor's X-Characters-Used."""
