"""Removal of the account's key from provider responses, before they are stored or shown."""

import json
from typing import Any

from providers.parsing import make_storable, map_texts, shorten_urls

MIN_KEY_LENGTH = 8  # characters
REPLACEMENT = "[key]"


class Redactor:
    """Replaces one key wherever it occurs."""

    def __init__(self, key: str) -> None:
        self._key = key

    def redact_json(self, value: Any) -> Any:
        """The JSON without the key. A very short key is not a real one and occurs in many words, so it is kept."""
        if len(self._key) < MIN_KEY_LENGTH:
            return value
        return map_texts(value, lambda text: text.replace(self._key, REPLACEMENT))

    def redact_text(self, text: str) -> str:
        """The text without the key, also in its JSON form, and with every URL shortened to its host."""
        text = text.replace(self._key, REPLACEMENT).replace(json.dumps(self._key)[1:-1], REPLACEMENT)
        return str(make_storable(shorten_urls(text)))
