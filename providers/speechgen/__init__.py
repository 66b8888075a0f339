"""Speechgen."""
