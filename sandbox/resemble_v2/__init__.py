"""Resemble v2 at `/resemble/api/v2/…`, with its synthesis at `/resemble/synthesize`.

PyPI's `resemble` works unchanged with its base URL set. The vendor's documentation of creating a voice takes
precedence; where it disagrees with itself or is silent, `constants` and `sandbox.vendor_defaults` decide.
"""
