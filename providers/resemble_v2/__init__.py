"""Resemble, second API."""
