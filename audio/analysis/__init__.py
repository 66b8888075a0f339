"""Analyze recordings and sets of recordings: spectrum, pitch, fingerprints, transcripts."""
