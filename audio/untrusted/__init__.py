"""Runs one job on an untrusted file in a limited child process."""
