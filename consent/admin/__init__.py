"""The admin pages of this app, one module for each group of models."""

from consent.admin import consents, contracts, subjects, talents, texts

__all__ = ["consents", "contracts", "subjects", "talents", "texts"]
