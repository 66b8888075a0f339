"""Levels of a WAV file: peaks, loudness, clipping, pauses."""
