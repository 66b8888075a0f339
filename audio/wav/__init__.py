"""Reads, decodes, converts and writes WAV."""
