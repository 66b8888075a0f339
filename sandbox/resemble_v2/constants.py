"""What the sandbox decides where the pages of Resemble v2 are silent or disagree. All of this is ours.

None of these values is a fact about Resemble, unless the line says that it is the vendor's.
"""

DEFAULT_VOICE_TYPE = "professional"
"""Vendor: "If not provided defaults to professional"."""

# Of the vendor's two words for a build that was accepted, "pending" and "running", the sandbox says "running" at
# once. A new voice is "initializing"; one that trains by itself stays so until its training has begun.

SHORTEST_RECORDING = 1.0
LONGEST_RECORDING = 60.0
"""Seconds that a recording may last to be accepted (one vendor page: "typically 1-60 s")."""

LONGEST_TRAINED = 12.0
"""Vendor: recordings longer than this are ignored in training."""

LONGEST_DATASET_CLIP = 20.0
"""Vendor's v1 page, the only one on archives: clips of 1.5 to 20 seconds. Longer ones are ignored."""

# One vendor page wants recordings "not silent", yet the callback has `is_silent`. So a silent recording is
# accepted when it is uploaded and flagged at the build.

SYNTHESIS_CHARACTERS = 3000
"""Vendor pages say 2,000 and 3,000."""

SCORES_KEY = "scores"
"""Where a finished voice carries voice_similarity, fluency, pauses and resemble_score.

The scores stand on the vendor's v1 page; no page says where v2 returns them.
"""

WEAK_SAMPLE_SCORE = 0.5
"""Below this resemble_sample_score a recording is listed as problematic; it alone is no dataset issue."""

# Billing, in US cents. A third party's price list of May 2026, not the vendor's.
RAPID_PRICE = 200.0
PROFESSIONAL_PRICE = 500.0
SYNTHESIS_PRICE_PER_SECOND = 0.05
