"""Resemble AI, version 1 of its API."""
