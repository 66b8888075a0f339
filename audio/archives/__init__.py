"""Reads untrusted zip and tar archives."""
