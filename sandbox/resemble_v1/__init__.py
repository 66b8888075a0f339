"""Resemble v1 at `/resemble/api/v1/…`, its object store at `/resemble/storage/…`.

The vendor's page of 2020 decides; what it leaves open is decided in `constants.py` beside this.
"""
