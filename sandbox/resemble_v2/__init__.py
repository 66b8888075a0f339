"""Resemble v2 at `/resemble/api/v2/…`, with its synthesis at `/resemble/synthesize`.

PyPI's `resemble` works unchanged with its base URL set. The vendor's page “Create a voice” takes precedence over its
other pages. Where the pages disagree or are silent, `constants` and `sandbox.vendor_defaults` decide.
"""
