"""The admin pages of this app, one module for each group of models."""

from consent.admin import consents, contracts, talents, texts

__all__ = ["consents", "contracts", "talents", "texts"]
