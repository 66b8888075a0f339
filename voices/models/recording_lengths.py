"""Which lengths a recording may have, in seconds, and what is made of a long one."""

from audio.levels.inspection import DurationLimits

LONGEST_CLIP = 60.0
"""The most that any provider takes as one clip. A longer recording is usable, with a finding."""
LONGEST_RECORDING = 2 * 3600.0
"""As much as the conversion of other formats reads. Its analysis and its cuts take minutes, not hours."""
RECORDING_LIMITS = DurationLimits(min_seconds=1.0, max_seconds=LONGEST_RECORDING, long_seconds=LONGEST_CLIP)
CLIP_LIMITS = DurationLimits(min_seconds=1.0, max_seconds=LONGEST_CLIP)
"""The limits of a clip that a person cuts. The tiers have narrower ones."""
LONGEST_PROPOSED_CLIP = 20.0
"""A proposal makes no longer clips (`audio.datasets.segment.DEFAULT_LENGTHS`), so a shorter recording needs no cut."""
UNCUTTABLE_CODES = frozenset({"nothing_to_cut", "shorter_than_a_clip"})
