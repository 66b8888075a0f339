"""Reads zip and tar archives that nobody trusts."""
