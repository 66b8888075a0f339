"""AudioStack at `/audiostack/…`: files, voice cloning, voices and previews.

PyPI's `audiostack` works unchanged with its `api_base` set. It has no class for cloning, only a generic request
function. Where the vendor's documentation is silent, `constants` decides.
"""
