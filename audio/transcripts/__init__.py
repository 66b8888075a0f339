"""Reads tables of transcripts and matches their lines with recordings."""
