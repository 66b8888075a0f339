"""What the sandbox decides where a vendor's pages are silent or disagree. All of this is ours.

None of these values is a fact about a provider. Where a value does come from a vendor, the line says so.
"""

# --- every vendor -----------------------------------------------------------------------------------------

TRAINING_SECONDS = 4.0
"""How long a training takes, so that a person sees it move; `--training-seconds` changes it."""

BAD_KEY = "bad"
"""An account key that begins with this is refused with 401; every other key is an account of its own."""

PLAN_KEY = "plan"
"""A key that begins with this may read, but gets 403 where it creates, changes or builds."""

AUTHORIZED_KEY = "authorized"
"""A key that begins with this is an authorised uploader's (vendor's term): its voices need no consent."""

LONGEST_BODY = 64 * 1024 * 1024
"""Bytes of one request's JSON, which may hold a consent as base64."""

# --- callbacks and datasets -------------------------------------------------------------------------------

CALLBACK_TRIES = 4
CALLBACK_PAUSE = 0.5
"""Seconds before the second try; each later pause is twice as long. Any HTTP answer ends the tries."""

CALLBACK_TIMEOUT = 10.0

OVERSIZE = 80_000
"""Bytes that make a callback longer than 64 KiB, which is the most that anybody should take of one."""

DATASET_TIMEOUT = 60.0
"""Seconds in all for one dataset. No redirects are followed."""

DATASET_BYTES = 512 * 1024 * 1024
"""Of the download, and again of all that is unpacked from it."""

DATASET_CLIPS = 5000

# --- judging, pages, refusals: those of Resemble v2, which most vendors share here -------------------------

RAPID_RECORDINGS = 3
PROFESSIONAL_RECORDINGS = 20
"""Vendor's "Create a voice" page; its other pages say 1 and 3. Counted over active recordings."""

RAPID_SECONDS = 10.0
"""Vendor: "as little as 10 seconds of recordings"."""

PROFESSIONAL_SECONDS = 30.0
"""The vendor wants ten minutes. The sandbox asks for half a minute, so that a small sample can build."""

SHORTEST_CONSENT_SPEECH = 2.0
"""Seconds of speech below which nobody can have read the statement."""

CONSENT_STATEMENT = (
    "I am aware that recordings of my voice will be used by {company} to train and create a synthetic version of my"
    " voice by Resemble AI."
)
"""Vendor. The sandbox does not know the company: any words may be said for it."""

INVALID = 422
"""The status of a refused field. Attested for duplicates only; unreadable JSON is 400."""

PAGE_SIZE = 10
LARGEST_PAGE = 1000
"""Vendor's default size; the limit is ours. Voices come newest first, recordings in the order of upload."""

CHARACTERS_PER_SECOND = 15.0
"""How fast the stand-in for synthesis speaks."""

CALLBACK_RECORDINGS = "problematic"
"""Which recordings a dataset_issue callback lists. Vendor: "each problematic recording"; ours: "all"."""
