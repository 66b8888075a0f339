"""Resemble v1 at `/resemble/api/v1/…`, with its object store at `/resemble/storage/…`.

It follows the vendor's page of 2020; `constants.py` decides what the page does not say.
"""
