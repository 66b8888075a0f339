"""The translations in locale/: their fingerprints, and the texts of the scripts.

`python -m tests.support.messages` writes them. English needs none: it is in the code.
"""

import gettext
import hashlib
from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils.translation import to_locale

DOMAINS = ("django", "djangojs")


def get_catalog_path(language: str, domain: str, suffix: str = ".mo") -> Path:
    return Path(settings.LOCALE_PATHS[0]) / to_locale(language) / "LC_MESSAGES" / f"{domain}{suffix}"


@cache
def hash_catalog(language: str) -> str:
    """The SHA-256 of all translations into this language that VoiceHub has."""
    digest = hashlib.sha256()
    for domain in DOMAINS:
        digest.update(get_catalog_path(language, domain).read_bytes())
    return digest.hexdigest()


@cache
def load_script_texts(language: str) -> dict[str, str]:
    """The translations of the texts in static/js, by the English text. Empty for English."""
    path = get_catalog_path(language, "djangojs")
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        texts = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]  # the only list of its texts
    return {text: translated for text, translated in texts.items() if text}
