"""Taking the account's key out of what a provider answers, before it is kept or shown."""

import json
from typing import Any

from providers.parsing import in_texts, storable, without_addresses

REAL_KEY = 8  # characters
REPLACEMENT = "[key]"


class Redactor:
    """Takes one key out, wherever it stands."""

    def __init__(self, key: str) -> None:
        self._key = key

    def redact_json(self, value: Any) -> Any:
        """A key of a few letters is part of many words, and not a real one: it stays."""
        if len(self._key) < REAL_KEY:
            return value
        return in_texts(value, lambda text: text.replace(self._key, REPLACEMENT))

    def redact_text(self, text: str) -> str:
        """Without the key, also as it stands in JSON, and with no more of an address than its host."""
        text = text.replace(self._key, REPLACEMENT).replace(json.dumps(self._key)[1:-1], REPLACEMENT)
        return str(storable(without_addresses(text)))
