"""Imports: files are uploaded, shown in a preview, and then added to a voice or discarded."""
