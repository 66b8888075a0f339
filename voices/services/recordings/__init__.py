"""Recordings: upload, analysis, segments."""
