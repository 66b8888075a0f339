"""The languages of talents' pages and mails, by Django's code, each with its English name. English is the source."""

from django.utils.translation import get_language

SOURCE_LANGUAGE = "en"

TALENT_LANGUAGES = {
    SOURCE_LANGUAGE: "English",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "pt-br": "Portuguese (Brazil)",
    "ja": "Japanese",
}


def get_talent_language() -> str:
    """The active language, if talents' pages have it. Otherwise English."""
    language = (get_language() or SOURCE_LANGUAGE).lower()
    return language if language in TALENT_LANGUAGES else SOURCE_LANGUAGE
