"""The admin pages of this app, one module for each group of models."""

from consent.admin import consents, contracts, languages, subjects, talents, texts

__all__ = ["consents", "contracts", "languages", "subjects", "talents", "texts"]
