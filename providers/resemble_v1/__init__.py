"""Resemble, first API."""
