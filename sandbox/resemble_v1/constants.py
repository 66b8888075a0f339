"""Decisions of the sandbox where the page of Resemble v1 is silent.

These values are ours, not facts about Resemble, unless the line names the vendor.
"""

INVALID_STATUS = 400
"""Status of a refused field. The vendor's client does not know 422."""

MAX_NAME_LENGTH = 256
MAX_URL_LENGTH = 1000
"""Characters, from the page of v2."""

AUDIO_NAME_PATTERN = r"[A-Za-z0-9]+\.wav"
"""Vendor: "Alpha-numeric with .wav extension", for every audio file, also one uploaded without an archive."""

ARCHIVE_NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]*\.(zip|tar\.gz|tgz|tar)"
"""Vendor: .zip or .tar.gz. The page states no other rule for the name."""

CONTENT_TYPES = {
    "audio/x-wav": "wav",
    "application/gzip": "archive",
    "application/tar": "archive",
    "application/x-tar": "archive",
    "application/zip": "archive",
}
"""Vendor, except the last one: the page accepts .zip, but lists no type for it. The first one is the default."""

DEFAULT_CONTENT_TYPE = "audio/x-wav"

MAX_FILE_BYTES = 512 * 1024 * 1024
"""Limit of the announced `byte_size`."""

UPLOAD_URL_SECONDS = 15 * 60.0
"""Lifetime of a signed upload URL, which can be used repeatedly. Like an object store, it refuses a request with a key.
Errors are XML: 403 for a wrong or expired URL and for headers that differ from the announced ones, 400 for a body that
differs."""

LANGUAGE = "en-US"
"""Language of every voice: the list has a language, but no call sets one."""

# Statuses are those of v2: initializing until the build, running, then finished or dataset_issue. The list has the
# status, the `issue` of a voice with dataset_issue, and the four `scores` of a finished voice. The
# vendor's list is only known to have name, language, id and uuid. The build returns {"success": true}. A voice cannot
# be built again during its training; afterwards it can, and is charged again. A plan that cannot build gets 403, as
# does an account whose consents are not verified. The vendor's limit of ten calls per second is not applied.

# The callback is that of v2, with the scores of a finished voice. It is sent for both outcomes of a training.

MIN_CLIP_SECONDS, MAX_CLIP_SECONDS = 1.5, 20.0
"""Vendor. For clips in an archive; a raw WAV can have any length. The advised 50 clips and 10 minutes are not required;
the setting `professional_seconds` is the minimum of usable audio."""

SEGMENT_SECONDS = 15.0
MAX_SEGMENTS = 80
"""A raw WAV is evaluated in segments. Of a long WAV, MAX_SEGMENTS segments at even intervals are used: 20 minutes."""

MAX_LISTED_NAMES = 10
"""Number of files that an issue names. All further files are only counted."""

BUILD_PRICE_CENTS = 500.0
"""US cents in the ledger for a build; the vendor's price is not known. Creating a voice is free."""
