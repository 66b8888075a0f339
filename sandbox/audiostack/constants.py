"""Decisions of the sandbox where AudioStack's pages are silent.

These values are ours, not facts about AudioStack, unless the line names the vendor.
"""

# --- files ------------------------------------------------------------------------------------------------

UPLOAD_URL_SECONDS = 7 * 24 * 3600.0
"""Vendor: an upload URL is valid for seven days."""

PENDING, UPLOADED = "pending", "uploaded"
"""Only "uploaded" is the vendor's status. A file is not processed here: it is "uploaded" as soon as it is received."""

MAX_FILE_NAME_LENGTH = 255
MAX_UPLOAD_BYTES = 500_000_000
"""Limit of one file. The vendor limits only all files of a voice together; that limit is used here."""

MIME_TYPES = {
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".m4a": "audio/mp4",
}
DEFAULT_MIME_TYPE = "application/octet-stream"
"""The `mimeType` by file extension. Any file is accepted; cloning discards files that are not audio."""

ACCESS_LEVELS = ("public", "private")
"""Vendor's values. A new file is "public": the whole organization can see it (vendor). One key is one organization."""

# An upload must have the Content-Type that `create_file` returned, and can be repeated until the URL expires. An
# invalid or expired URL gets 403, as in an object store. File names are not checked.

# --- cloning ----------------------------------------------------------------------------------------------

MAX_GENDER_LENGTH = 32
"""`metadata.gender` is in the vendor's example, "female"; its other values are not documented. Any text is accepted."""

STANDARD, INSTANT = "voice_engine_2", "voice_engine_3"
MAX_FILES = {STANDARD: 500, INSTANT: 25}
MAX_BYTES = {STANDARD: 500_000_000, INSTANT: 10_000_000}
CLONE_CREDITS = {STANDARD: 1200.0, INSTANT: 300.0}
"""Vendor, all three; "MB" may mean powers of two. Credits are charged when the voice succeeds (vendor)."""

MIN_FILE_SECONDS = 1.5
"""Vendor. A shorter file is discarded with the reason, and does not fail the voice."""

MIN_INSTANT_SECONDS = 1.5
"""Vendor's minimum for voice_engine_3. For voice_engine_2 the vendor requires 20 minutes; the sandbox requires the
setting `professional_seconds`, so that a small sample can be built."""

# voice_engine_2: the last of `fileIds` is the consent file, in which the speaker agrees to be cloned; the vendor does
# not say where this file goes. It does not count toward MAX_FILES and is not used for training. There is no fixed
# wording: any speech passes.
MIN_CONSENT_SPEECH_SECONDS = 2.0
"""Speech shorter than this cannot contain a consent."""

MAX_ALIAS_LENGTH = 128

# An invalid request is 400 (the vendor's list of codes has no 422), an unknown file 404, an alias that any account uses
# 409. An alias stays in use after its cloning fails.

PROCESSING, SUCCEEDED, FAILED = "processing", "succeeded", "failed"
"""Only "succeeded" is the vendor's status."""

TOO_SHORT = "The file is shorter than 1.5 seconds."
UNREADABLE = "The file is not readable as audio."
SILENT = "There is no speech in the file."
OUTLIER = "The file sounds unlike the others: another speaker, or much louder or quieter."
"""Reasons in `discardedFiles`, a list of {"fileId", "reason"}. A failed voice has its reason in `message`."""

# --- voices -----------------------------------------------------------------------------------------------

STOCK_VOICE = {"provider": "audiostack", "alias": "sandbox-stock", "language": "english"}
"""The catalog has this voice, which has no previews here, and the account's successful voices. Filters are ignored."""

MAX_TEXT_LENGTH = 1000
PREVIEW_CREDITS = 1.0
"""A preview is a WAV. The vendor documents neither its format nor its price."""

GRANTED_CREDITS = 100_000.0
"""`creditsRemaining` of every response. Only the responses that list voices subtract the charges."""
