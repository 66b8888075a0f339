"""Archives with transcripts: refused ones with their code, taken ones with their texts, some with findings."""

from collections.abc import Callable

from tests.support.zips import STORED, ZipMember, build_zip, build_zip_with_list

MakeArchive = Callable[[], bytes]


def pack_list(text: str | bytes, *names: str) -> MakeArchive:
    return lambda: build_zip_with_list(text, *names)


HOSTILE_METADATA_LISTS: dict[str, tuple[MakeArchive, str]] = {
    "list twice": (
        lambda: build_zip(ZipMember(b"metadata.csv", b"a|b"), ZipMember(b"Metadata.CSV", b"a|c"), ZipMember()),
        "names_collide",
    ),
    "list without recordings": (lambda: build_zip(ZipMember(b"metadata.csv", b"a|b")), "archive_without_audio"),
}


def pack_texts(**texts: bytes) -> MakeArchive:
    """Two recordings, a.wav and b.wav, and these files. `__` in a name stands for its dot."""
    files = [ZipMember(name.replace("__", ".").encode(), data) for name, data in texts.items()]
    return lambda: build_zip(*files, ZipMember(), ZipMember(b"b.wav"))


# The archive is taken, with these texts by recording, and these findings.
DOUBTFUL_METADATA_LISTS: dict[str, tuple[MakeArchive, dict[str, str], list[str]]] = {
    "surrogates": (pack_list(b"a.wav|\xed\xa0\x81"), {"a.wav": ""}, ["table_unread"]),
    "NUL": (pack_list("a.wav|Hel\0lo."), {"a.wav": ""}, ["table_unread"]),
    "terminal escape": (pack_list("a.wav|Hel\x1b[2Jlo."), {"a.wav": ""}, ["table_unread"]),
    "right-to-left override": (pack_list("a.wav|Hel\u202elo."), {"a.wav": "Hello."}, ["table_cleaned"]),
    "one column": (pack_list("a.wav\n"), {"a.wav": ""}, ["table_unread"]),
    "speakers only": (pack_list("a|m1\nb|m1\n", "a.wav", "b.wav"), {"a.wav": "", "b.wav": ""}, ["table_unread"]),
    "empty": (pack_list(""), {"a.wav": ""}, ["table_unread"]),
    "empty name": (
        pack_list("|Hello.\na|One.\n"), {"a.wav": "One."}, ["table_lines_unknown"]
    ),
    "empty text": (
        pack_list("a.wav|\nb.wav|Two.", "a.wav", "b.wav"),
        {"a.wav": "", "b.wav": "Two."},
        ["table_lines_empty", "metadata_missing"],
    ),
    "text of 1,001 characters": (
        pack_list("a.wav|" + "a" * 2001), {"a.wav": ""}, ["table_texts_long", "metadata_missing"]
    ),
    "missing file": (pack_list("a.wav|Hello.\nb.wav|Hello.\n"), {"a.wav": "Hello."}, ["table_lines_unknown"]),
    "header in the second line": (pack_list("a.wav|Hello.\nname|text\n"), {"a.wav": "Hello."}, ["table_lines_unknown"]),
    "absolute path": (pack_list("/etc/passwd|Hello.\na|Hi."), {"a.wav": "Hi."}, ["table_lines_unknown"]),
    "name that matches two files": (
        pack_list("a|Hello.\none/a.wav|First.\n", "one/a.wav", "two/a.wav"),
        {"one/a.wav": "First.", "two/a.wav": ""},
        ["table_lines_ambiguous", "metadata_missing"],
    ),
    "file twice, once without its extension": (
        pack_list("a.wav|Hello.\na|Bye.\nb|Two.", "a.wav", "b.wav"),
        {"a.wav": "", "b.wav": "Two."},
        ["table_lines_repeated", "metadata_missing"],
    ),
    "lost zeros": (
        pack_list("1|One.\n2|Two.\n", "0001.wav", "0002.wav"),
        {"0001.wav": "", "0002.wav": ""},
        ["table_lines_unknown", "table_zeros_lost", "metadata_missing"],
    ),
    "column in doubt": (
        pack_list("a|m1|Yes\nb|f1|No\n", "a.wav", "b.wav"), {"a.wav": "m1", "b.wav": "f1"}, ["table_in_doubt"]
    ),
    "list of 9 MB": (
        lambda: build_zip(ZipMember(b"metadata.csv", b"a.wav|Hello.\n" * 700_000, STORED), ZipMember()),
        {"a.wav": ""},
        ["table_unread"],
    ),
    "two tables that differ": (
        pack_texts(one__csv=b"a|Hello.\nb|Two.\n", two__tsv=b"a\tBye.\nb\tTwo.\n"),
        {"a.wav": "", "b.wav": "Two."},
        ["texts_differ", "metadata_missing"],
    ),
    "list with a wrong checksum": (
        lambda: build_zip(ZipMember(b"metadata.csv", b"a|b", crc=1), ZipMember()), {"a.wav": ""}, ["table_unread"]
    ),
    "text of a clip with a wrong checksum": (
        lambda: build_zip(ZipMember(b"a.txt", b"Hello.", crc=1), ZipMember()), {"a.wav": ""}, ["table_unread"]
    ),
    "texts of clips": (
        pack_texts(a__txt=b"Hello.\r\n", b__txt="Grüße.".encode("cp1252")), {"a.wav": "Hello.", "b.wav": "Grüße."}, []
    ),
    "a text of a clip that is no text": (
        pack_texts(a__txt=b"\0\1", b__txt=b"Two."),
        {"a.wav": "", "b.wav": "Two."},
        ["table_unread", "metadata_missing"],
    ),
    "a long text of a clip": (
        pack_texts(a__txt=b"a" * 2001), {"a.wav": "", "b.wav": ""}, ["table_texts_long", "metadata_missing"]
    ),
    "side files": (
        pack_texts(a__pkf=b"x", a__wav__reapeaks=b"x", session__aup3=b"x", a__asd=b"x", thumbs__db=b"x"),
        {"a.wav": "", "b.wav": ""},
        ["side_files"],
    ),
    "other files": (
        pack_texts(readme__txt=b"Recorded, in May.\n", cover__jpg=b"\xff\xd8", take=b"no sound"),
        {"a.wav": "", "b.wav": ""},
        ["other_files"],
    ),
    "archive named as a text file": (
        pack_texts(more__txt=b"PK\x05\x06" + bytes(18)), {"a.wav": "", "b.wav": ""}, ["other_files"]
    ),
    "transcript.txt of Azure": (
        pack_texts(transcript__txt=b"a\tHello there.\nb\tTwo.\n"), {"a.wav": "Hello there.", "b.wav": "Two."}, []
    ),
}  # fmt: skip

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
    "three columns": (pack_list("a.wav|Hello you.|hello you\n"), {"a.wav": "Hello you."}),
    "commas": (pack_list("a.wav,Hello.\n"), {"a.wav": "Hello."}),
    "line ends of old Macs": (
        pack_list("a.wav|One.\rb.wav|Two.\r", "a.wav", "b.wav"),
        {"a.wav": "One.", "b.wav": "Two."},
    ),
    "UTF-16": (pack_list("a.wav|Hello.".encode("utf-16")), {"a.wav": "Hello."}),
    "Latin 1": (pack_list("a.wav|Grüße.".encode("latin-1")), {"a.wav": "Grüße."}),
    "list name in upper case": (lambda: build_zip_with_list("a|Hello.", name=b"METADATA.csv"), {"a.wav": "Hello."}),
    "text of 2,000 characters": (pack_list("a.wav|" + "a" * 2000), {"a.wav": "a" * 2000}),
}
