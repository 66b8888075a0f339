"""Decisions of the sandbox where the vendors' pages are silent or disagree.

These values are ours, not facts about a provider, unless the line names the vendor.
"""

# --- every vendor -----------------------------------------------------------------------------------------

TRAINING_SECONDS = 4.0
"""Duration of a training, long enough to see it progress; `--training-seconds` changes it."""

BAD_KEY_PREFIX = "bad"
"""A key with this prefix is refused with 401. Every other key has its own account."""

READ_ONLY_KEY_PREFIX = "plan"
"""A key with this prefix can read, but gets 403 for creating, changing or building."""

AUTHORIZED_KEY_PREFIX = "authorized"
"""A key with this prefix belongs to an authorized uploader (vendor's term): its voices need no consent."""

RESEMBLE_V1_CALLS_PER_SECOND = 10.0
RESEMBLE_V2_CALLS_PER_SECOND = 40.0
"""Vendor, for all calls of one account. A setting of 0 ends the limit. The other vendors state none."""

TOO_MANY_CALLS_STATUS = 429

RESEMBLE_V2_VOICE_LIMIT = 50
"""Vendor's example. It is reported, and not kept: no page says what a call above it is answered."""

MAX_BODY_BYTES = 64 * 1024 * 1024
"""Limit of a JSON body, which can contain a consent as base64."""

# --- callbacks and datasets -------------------------------------------------------------------------------

CALLBACK_ATTEMPTS = 4
CALLBACK_RETRY_SECONDS = 0.5
"""Delay before the second attempt, doubled for each later one. Any HTTP response ends the attempts."""

CALLBACK_TIMEOUT_SECONDS = 10.0

OVERSIZE_BYTES = 80_000
"""Padding that makes a callback larger than 64 KiB, the most that a client should accept."""

DATASET_TIMEOUT_SECONDS = 60.0
"""Total time for one dataset. Redirects are not followed."""

MAX_DATASET_BYTES = 512 * 1024 * 1024
"""Limit of the download, and the same limit of all unpacked files together."""

MAX_DATASET_FILES = 5000

# --- evaluation, pages, refusals: values of Resemble v2, which most vendors share in the sandbox ----------

RAPID_RECORDINGS = 3
PROFESSIONAL_RECORDINGS = 20
"""Vendor's "Create a voice" page; its other pages say 1 and 3. Only active recordings count."""

RAPID_SECONDS = 10.0
"""Vendor: "as little as 10 seconds of recordings"."""

PROFESSIONAL_SECONDS = 30.0
"""The vendor requires 10 minutes. The sandbox requires less, so that a small sample can be built."""

MIN_CONSENT_SPEECH_SECONDS = 2.0
"""Speech shorter than this cannot contain the statement."""

CONSENT_STATEMENT = (
    "I am aware that recordings of my voice will be used by {company} to train and create a synthetic version of my"
    " voice by Resemble AI."
)
"""Vendor. The sandbox does not know the company, so it accepts any words in its place."""

INVALID_STATUS = 422
"""Status of a refused field. The vendor documents it for duplicates only. Invalid JSON is 400."""

PAGE_SIZE = 10
MAX_PAGE_SIZE = 1000
"""The default is the vendor's, the maximum is ours. Voices are listed newest first, recordings in upload order."""

CHARACTERS_PER_SECOND = 15.0
"""Speed of simulated speech."""

CALLBACK_RECORDINGS = "problematic"
"""Recordings that a dataset_issue callback lists. Vendor: "each problematic recording". The value "all" is ours."""
