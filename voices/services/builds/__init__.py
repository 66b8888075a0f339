"""Builds: check what is missing, start, submit, poll, and reconcile after a lost response."""
