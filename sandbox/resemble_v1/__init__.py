"""Resemble v1 at `/resemble/api/v1/…`, with its object store at `/resemble/storage/…`.

It follows the vendor's documentation of 2020; where the documentation is silent, `constants.py` decides.
"""
