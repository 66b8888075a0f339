"""Text without case and accents, in Python and in the database: "zoe" finds "Zoë" on SQLite and PostgreSQL alike."""

import unicodedata
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.models import CharField, TextField, Transform

ACCENTS = range(0x300, 0x370)  # the combining marks that NFKD parts from Latin, Greek and Cyrillic letters
# Letters that Unicode does not take apart: those for one letter, and those for two. The capitals are for a PostgreSQL
# database with the locale C, whose lower() knows only ASCII.
SINGLE_LETTERS = {
    "ø": "o", "đ": "d", "ł": "l", "ð": "d", "ı": "i", "ς": "σ", "Ø": "o", "Đ": "d", "Ł": "l", "Ð": "d",
}  # fmt: skip
DOUBLE_LETTERS = {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th", "ẞ": "ss", "Æ": "ae", "Œ": "oe", "Þ": "th"}
FOLDED: dict[int, str | None] = {
    **dict.fromkeys(ACCENTS),
    **{ord(letter): letters for letter, letters in (SINGLE_LETTERS | DOUBLE_LETTERS).items()},
}
SQLITE_FUNCTION = "voicehub_fold"


def fold(text: str) -> str:
    """“Zoë Łęcka-Strauß” → “zoe lecka-strauss”."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFKD", text).lower().translate(FOLDED)


def _make_postgres_template() -> str:
    text = "lower(normalize(%(expressions)s, NFKD))"
    for letter, pair in DOUBLE_LETTERS.items():
        text = f"replace({text}, '{letter}', '{pair}')"
    letters, plain_letters = ("".join(part) for part in (SINGLE_LETTERS, SINGLE_LETTERS.values()))
    # translate() with every accent in its list takes ten times as long.
    accents = f"[{chr(ACCENTS.start)}-{chr(ACCENTS.stop - 1)}]"
    return f"translate(regexp_replace({text}, '{accents}', '', 'g'), '{letters}', '{plain_letters}')"


POSTGRES_TEMPLATE = _make_postgres_template()


@CharField.register_lookup
@TextField.register_lookup
class Fold(Transform):
    """`name__fold__contains=fold("Zoë")`."""

    lookup_name = "fold"
    function = SQLITE_FUNCTION
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template=POSTGRES_TEMPLATE, **context)


def _add_sqlite_function(connection: BaseDatabaseWrapper, **_sent: Any) -> None:
    if connection.vendor == "sqlite":
        connection.connection.create_function(
            SQLITE_FUNCTION, 1, lambda text: None if text is None else fold(text), deterministic=True
        )


def connect_folding() -> None:
    """Give every connection to SQLite the function `fold`, which SQL lacks there."""
    connection_created.connect(_add_sqlite_function, dispatch_uid="voicehub.folding")
