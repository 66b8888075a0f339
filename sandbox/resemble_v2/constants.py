"""Decisions of the sandbox where the pages of Resemble v2 are silent or disagree.

These values are ours, not facts about Resemble, unless the line names the vendor.
"""

DEFAULT_VOICE_TYPE = "professional"
"""Vendor: "If not provided defaults to professional"."""

# The vendor has two statuses for an accepted build, "pending" and "running"; the sandbox uses only "running". A new
# voice is "initializing"; a voice that trains automatically keeps this status until its training starts.

MIN_RECORDING_SECONDS = 1.0
MAX_RECORDING_SECONDS = 60.0
"""Accepted length of a recording (one vendor page: "typically 1-60 s")."""

MAX_TRAINED_SECONDS = 12.0
"""Vendor: recordings longer than this are ignored in training."""

MAX_DATASET_CLIP_SECONDS = 20.0
"""Vendor's v1 page, the only one about archives: clips of 1.5 to 20 seconds. Longer ones are ignored."""

# One vendor page requires recordings to be "not silent", but the callback has `is_silent`. So a silent recording is
# accepted at its upload and flagged at the build.

MAX_SYNTHESIS_CHARACTERS = 3000
"""Vendor pages say 2,000 and 3,000."""

PLAN = "Sandbox"
"""Vendor: a name such as "Business"."""

SCORES_KEY = "scores"
"""The key of a finished voice's voice_similarity, fluency, pauses and resemble_score.

The scores are on the vendor's v1 page; no page says where v2 returns them.
"""

WEAK_SAMPLE_SCORE = 0.5
"""A recording with a lower resemble_sample_score is listed as problematic, but does not cause a dataset issue."""

# Billing in US cents, from a third party's price list of May 2026, not the vendor's.
RAPID_PRICE_CENTS = 200.0
PROFESSIONAL_PRICE_CENTS = 500.0
SYNTHESIS_CENTS_PER_SECOND = 0.05
