"""The languages of talents' pages and mails, by Django's code, each with its English name. English is the source."""

SOURCE_LANGUAGE = "en"

TALENT_LANGUAGES = {
    SOURCE_LANGUAGE: "English",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "pt-br": "Portuguese (Brazil)",
    "ja": "Japanese",
}
