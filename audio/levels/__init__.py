"""Levels of a WAV file: peaks, loudness, clipping and pauses."""
