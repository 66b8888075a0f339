"""Archives by the metadata.csv in them: hostile ones with their code, good ones with the texts that come out."""

from collections.abc import Callable

from tests.support.zips import STORED, Member, listed, zip_of

Recipe = Callable[[], bytes]


def of(text: str | bytes, *names: str) -> Recipe:
    return lambda: listed(text, *names)


HOSTILE_LISTS: dict[str, tuple[Recipe, str]] = {
    "UTF-16": (of("a.wav|Hello.".encode("utf-16")), "metadata_not_utf8"),
    "Latin 1": (of("a.wav|Grüße.".encode("latin-1")), "metadata_not_utf8"),
    "surrogates": (of(b"a.wav|\xed\xa0\x80"), "metadata_not_utf8"),
    "NUL": (of("a.wav|Hel\0lo."), "metadata_control"),
    "escape": (of("a.wav|Hel\x1b[2Jlo."), "metadata_control"),
    "written backwards": (of("a.wav|Hel\u202elo."), "metadata_control"),
    "lines of old Macs": (of("a.wav|Hello.\rb.wav|Hello.\r", "a.wav", "b.wav"), "metadata_control"),
    "one column": (of("a.wav\n"), "metadata_columns"),
    "three columns": (of("a.wav|Hello.|hello\n"), "metadata_columns"),
    "commas": (of("a.wav,Hello.\n"), "metadata_columns"),
    "no name": (of("|Hello.\n"), "metadata_columns"),
    "no text": (of("a.wav|\n"), "metadata_no_text"),
    "only spaces for a text": (of("a.wav|  \t \n"), "metadata_no_text"),
    "text of 1,001 letters": (of("a.wav|" + "a" * 1001), "metadata_text_long"),
    "file that is not there": (of("a.wav|Hello.\nb.wav|Hello.\n"), "metadata_unknown"),
    "title in the second line": (of("a.wav|Hello.\nname|text\n"), "metadata_unknown"),
    "place on the disk": (of("/etc/passwd|Hello.\n"), "metadata_unknown"),
    "name that fits two": (of("a|Hello.\n", "one/a.wav", "two/a.wav"), "metadata_ambiguous"),
    "file twice": (of("a.wav|Hello.\na.wav|Bye.\n"), "metadata_twice"),
    "file twice, once without its ending": (of("a.wav|Hello.\na|Bye.\n"), "metadata_twice"),
    "9 MB": (
        lambda: zip_of(Member(b"metadata.csv", b"a.wav|Hello.\n" * 700_000, STORED), Member()),
        "metadata_long",
    ),
    "list twice": (
        lambda: zip_of(Member(b"metadata.csv", b"a|b"), Member(b"Metadata.CSV", b"a|c"), Member()),
        "names_collide",
    ),
    "list with a wrong checksum": (lambda: zip_of(Member(b"metadata.csv", b"a|b", crc=1), Member()), "member_checksum"),
}

GOOD_LISTS: dict[str, tuple[Recipe, dict[str, str]]] = {
    "none": (zip_of, {"a.wav": ""}),
    "plain": (of("a.wav|Hello there.\n"), {"a.wav": "Hello there."}),
    "with a mark of UTF-8": (of(b"\xef\xbb\xbfa.wav|Gr\xc3\xbc\xc3\x9fe.\n"), {"a.wav": "Grüße."}),
    "lines of Windows, empty lines, no last one": (
        of("a.wav|One.\r\n\r\n\nb.wav|Two.", "a.wav", "b.wav"),
        {"a.wav": "One.", "b.wav": "Two."},
    ),
    "without the ending": (of("a|Hello.\n"), {"a.wav": "Hello."}),
    "with a title": (of("file|text\na|Hello.\n"), {"a.wav": "Hello."}),
    "spaces around": (of(" a.wav |  Hello \t there. \n"), {"a.wav": "Hello there."}),
    "recordings in a folder": (
        of("a|One.\nwavs/b.wav|Two.\n", "wavs/a.wav", "wavs/b.wav"),
        {"wavs/a.wav": "One.", "wavs/b.wav": "Two."},
    ),
    "some lines only": (of("b.wav|Two.\n", "a.wav", "b.wav"), {"a.wav": "", "b.wav": "Two."}),
    "no lines": (of(""), {"a.wav": ""}),
    "list by another name": (lambda: listed("a|Hello.", name=b"METADATA.csv"), {"a.wav": "Hello."}),
    "text of 1,000 letters": (of("a.wav|" + "a" * 1000), {"a.wav": "a" * 1000}),
}
