"""Archives with a metadata.csv: hostile archives with their finding code, good archives with their transcripts."""

from collections.abc import Callable

from tests.support.zips import STORED, ZipMember, build_zip, build_zip_with_list

MakeArchive = Callable[[], bytes]


def pack_list(text: str | bytes, *names: str) -> MakeArchive:
    return lambda: build_zip_with_list(text, *names)


HOSTILE_METADATA_LISTS: dict[str, tuple[MakeArchive, str]] = {
    "UTF-16": (pack_list("a.wav|Hello.".encode("utf-16")), "metadata_not_utf8"),
    "Latin 1": (pack_list("a.wav|Grüße.".encode("latin-1")), "metadata_not_utf8"),
    "surrogates": (pack_list(b"a.wav|\xed\xa0\x80"), "metadata_not_utf8"),
    "NUL": (pack_list("a.wav|Hel\0lo."), "metadata_control"),
    "terminal escape": (pack_list("a.wav|Hel\x1b[2Jlo."), "metadata_control"),
    "right-to-left override": (pack_list("a.wav|Hel\u202elo."), "metadata_control"),
    "line ends of old Macs": (pack_list("a.wav|Hello.\rb.wav|Hello.\r", "a.wav", "b.wav"), "metadata_control"),
    "one column": (pack_list("a.wav\n"), "metadata_columns"),
    "three columns": (pack_list("a.wav|Hello.|hello\n"), "metadata_columns"),
    "commas": (pack_list("a.wav,Hello.\n"), "metadata_columns"),
    "empty name": (pack_list("|Hello.\n"), "metadata_columns"),
    "empty text": (pack_list("a.wav|\n"), "metadata_no_text"),
    "text of spaces only": (pack_list("a.wav|  \t \n"), "metadata_no_text"),
    "text of 1,001 characters": (pack_list("a.wav|" + "a" * 1001), "metadata_text_long"),
    "missing file": (pack_list("a.wav|Hello.\nb.wav|Hello.\n"), "metadata_unknown"),
    "header in the second line": (pack_list("a.wav|Hello.\nname|text\n"), "metadata_unknown"),
    "absolute path": (pack_list("/etc/passwd|Hello.\n"), "metadata_unknown"),
    "name that matches two files": (pack_list("a|Hello.\n", "one/a.wav", "two/a.wav"), "metadata_ambiguous"),
    "file twice": (pack_list("a.wav|Hello.\na.wav|Bye.\n"), "metadata_twice"),
    "file twice, once without its extension": (pack_list("a.wav|Hello.\na|Bye.\n"), "metadata_twice"),
    "list of 9 MB": (
        lambda: build_zip(ZipMember(b"metadata.csv", b"a.wav|Hello.\n" * 700_000, STORED), ZipMember()),
        "metadata_long",
    ),
    "list twice": (
        lambda: build_zip(ZipMember(b"metadata.csv", b"a|b"), ZipMember(b"Metadata.CSV", b"a|c"), ZipMember()),
        "names_collide",
    ),
    "list with a wrong checksum": (
        lambda: build_zip(ZipMember(b"metadata.csv", b"a|b", crc=1), ZipMember()),
        "member_checksum",
    ),
}

GOOD_METADATA_LISTS: dict[str, tuple[MakeArchive, dict[str, str]]] = {
    "no list": (build_zip, {"a.wav": ""}),
    "plain": (pack_list("a.wav|Hello there.\n"), {"a.wav": "Hello there."}),
    "with a UTF-8 byte order mark": (pack_list(b"\xef\xbb\xbfa.wav|Gr\xc3\xbc\xc3\x9fe.\n"), {"a.wav": "Grüße."}),
    "Windows line ends, empty lines, no final line end": (
        pack_list("a.wav|One.\r\n\r\n\nb.wav|Two.", "a.wav", "b.wav"),
        {"a.wav": "One.", "b.wav": "Two."},
    ),
    "without the extension": (pack_list("a|Hello.\n"), {"a.wav": "Hello."}),
    "with a header": (pack_list("file|text\na|Hello.\n"), {"a.wav": "Hello."}),
    "surrounding spaces": (pack_list(" a.wav |  Hello \t there. \n"), {"a.wav": "Hello there."}),
    "recordings in a folder": (
        pack_list("a|One.\nwavs/b.wav|Two.\n", "wavs/a.wav", "wavs/b.wav"),
        {"wavs/a.wav": "One.", "wavs/b.wav": "Two."},
    ),
    "missing lines": (pack_list("b.wav|Two.\n", "a.wav", "b.wav"), {"a.wav": "", "b.wav": "Two."}),
    "empty list": (pack_list(""), {"a.wav": ""}),
    "list name in upper case": (lambda: build_zip_with_list("a|Hello.", name=b"METADATA.csv"), {"a.wav": "Hello."}),
    "text of 1,000 characters": (pack_list("a.wav|" + "a" * 1000), {"a.wav": "a" * 1000}),
}
