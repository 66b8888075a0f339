"""AudioStack at `/audiostack/…`: its files, its voice cloning, its voices, and a preview of them.

Written so that PyPI's `audiostack` works unchanged with its `api_base` set, as far as it goes: it has no class for
cloning, only the requests that one can be made with. What the vendor's page leaves open is in `constants`.
"""
