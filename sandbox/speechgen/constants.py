"""What the sandbox decides where Speechgen's pages are silent or disagree. All of this is ours.

None of these values is a fact about Speechgen, unless the line says that it is the vendor's.
"""

SHORTEST = 10.0
LONGEST = 300.0
"""Seconds. Vendor: "10 seconds to 5 minutes". The sandbox measures them in what it has decoded."""

LARGEST = 10_000_000
"""Bytes. Vendor: "Maximum 10MB", which may also mean 10,485,760."""

FORMATS = {"MP3": "MP3", "WAV": "WAV", "MP4": "M4A", "FLAC": "FLAC", "OGG": "OGG"}
"""Vendor's formats, by what the decoder calls them. M4A needs PyAV; without it, it is refused in plain words."""

LONGEST_NAME = 100
LONGEST_DESCRIPTION = 500
"""Characters. The page's table of parameters is lost. `audio` and `name` are required, the others are not."""

# Codes of errors. Vendor's: missing_api_key, invalid_api_key, invalid_voice. The others, and every status, are ours:
# 401 for keys, 400 for what was sent, 404 for what is not there, 413 for too many bytes.
CODES = {
    400: "invalid_request",
    401: "invalid_api_key",
    403: "plan_required",
    404: "not_found",
    413: "file_too_large",
    429: "rate_limit_exceeded",
}
OTHER_CODE = "internal_error"

# A model has `voice_id` only once it is ready, and `failure_reason`, a name of ours, once it has failed.
# GET /models answers {"models": […]}, oldest first and all at once. GET /voices answers {"voices": […]}: one stock
# voice, which cannot speak here, and the account's own. A model that is deleted takes its sample with it.

SAMPLE_TITLE = "Default Sample"
SAMPLE_TEXT = "This is a demonstration of the voice clone, made of the recording that was sent."
"""Vendor's title and the beginning of its text. There is no sound behind the address until the model is ready."""

LONGEST_TEXT = 5000
"""Characters of one text to be spoken."""

SLOWEST, FASTEST = 0.5, 2.0
DEFAULT_FORMAT = "mp3"

CLONE_CHARACTERS = 1000
"""The ledger counts characters, as the vendor's X-Characters-Used does; a clone is counted as this many."""
