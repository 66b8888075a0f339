"""Resemble AI, version 2 of its API."""
