"""Resemble v2 at `/resemble/api/v2/…`, its synthesis at `/resemble/synthesize`.

Written so that PyPI's `resemble` works unchanged with its base URL set. The vendor's page on creating a voice
decides; where the vendor's pages disagree or say nothing, see `constants` and `sandbox.vendor_defaults`.
"""
