"""Feeds the strict readers with changed files for as many runs as asked for: `python -m tests.fuzz.readers zip 20000`.

Guided by coverage where atheris is installed, else by hypothesis. Ends with a code other than 0 and the input, if a
reader raises anything but a refusal, or says of a file what cannot be.
"""

import contextlib
import importlib.util
import io
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.support.tars import GNU, Part, gz, long_name, pax, tar_of
from tests.support.wav import wav_bytes
from tests.support.zips import STORED, Member, described, extra, zip_of

GUIDED = importlib.util.find_spec("atheris") is not None
if GUIDED:
    import atheris  # type: ignore[import-untyped,import-not-found,unused-ignore]  # no types, not on every system

with atheris.instrument_imports(include=["audio"]) if GUIDED else nullcontext():
    from audio.archives.contents import read_contents, read_transcripts
    from audio.archives.limits import ArchiveLimits, Entry
    from audio.archives.tar_reader import MAGIC, RECORD, is_tar_header
    from audio.findings.findings import Refused
    from audio.levels.inspection import DurationLimits, inspect_file

LONGEST = 6000
SMALL = ArchiveLimits(
    files=40,
    entries=60,
    total_bytes=1 << 20,
    member_bytes=1 << 19,
    member_allowance=1 << 14,
    total_allowance=1 << 18,
    note_bytes=2048,
    list_bytes=4096,
)
SOUND = wav_bytes(data=bytes(range(200)))


def wav(data: bytes) -> None:
    """As it is, and with its outer length put right, since little gets beyond a wrong one."""
    _wav(data)
    _wav(data[:4] + max(0, len(data) - 8).to_bytes(4, "little") + data[8:])


def _wav(data: bytes) -> None:
    """Every file is a refusal, or something that can be told and kept."""
    found = inspect_file(io.BytesIO(data), DurationLimits(0.0, 1e9))
    json.dumps(found.build_row_fields(), allow_nan=False)
    assert found.size == len(data)
    assert found.ok is (found.header is not None)
    assert found.ok or found.findings[0].severity == "refused"


def archive(data: bytes) -> None:
    """Every archive is refused, or holds just what it says under names that are harmless."""
    with contextlib.suppress(Refused):
        found = read_contents(io.BytesIO(data), SMALL)
        for path, entry in found.recordings.items():
            assert path.isprintable() and ".." not in path.split("/") and path[0] != "/" and "\\" not in path
            assert sum(map(len, entry.read())) == entry.size
        assert found.transcripts.keys() <= found.recordings.keys()


def tar(data: bytes) -> None:
    """With the sums of all headers put right, since nothing gets beyond a wrong one."""
    archive(b"".join(_mended(data[place : place + RECORD]) for place in range(0, len(data), RECORD)))


def _mended(record: bytes) -> bytes:
    if len(record) < RECORD or not record[MAGIC].startswith(b"ustar"):
        return record
    blank = record[:148] + b" " * 8 + record[156:]
    return blank[:148] + b"%06o\0 " % sum(blank) + blank[156:]


def packed_tar(data: bytes) -> None:
    archive(gz(data) if is_tar_header(data[:RECORD]) else data)


def text(data: bytes) -> None:
    """The list of transcripts, of an archive with a few recordings."""
    entry = Entry("metadata.csv", len(data), len(data), False, lambda: iter([data]))
    with contextlib.suppress(Refused):
        for path, said in read_transcripts(entry, ["a.wav", "x/b.wav", "y/b.wav"], SMALL).items():
            assert path in ("a.wav", "x/b.wav", "y/b.wav") and said.isprintable() and said


def planted(data: bytes) -> None:
    """A reader with a fault behind two decisions, to see that it is found."""
    if data[:1] != b"R":
        return
    if data[1:2] == b"?":
        raise IndexError


def _zips() -> Iterator[bytes]:
    small = Member(data=SOUND)
    stored, listed = replace(small, method=STORED), Member(b"metadata.csv", b"a|Hello.", STORED)
    yield from (zip_of(small), zip_of(stored), zip_of(described(small)), zip_of(described(stored, signature=b"")))
    yield zip_of(stored, listed, Member(b"x/b.wav", b"", STORED, extra=extra(0x5455, bytes(5))))
    yield zip_of(Member(b"x/", b"", STORED, attributes=0o040755 << 16), Member(b"x/\xc3\xa9", b"z"))


def _tars() -> Iterator[bytes]:
    small = Part(data=SOUND)
    yield from (tar_of(small), tar_of(Part(b"x/", kind=b"5"), small), tar_of(long_name(b"x/" + b"y" * 120), small))
    yield tar_of(pax((b"path", b"b.wav"), (b"size", b"%d" % len(SOUND))), small)
    yield tar_of(pax((b"comment", b"all"), kind=b"g"), replace(small, magic=GNU), Part(b"metadata.csv", b"a|Hello."))


def _wavs() -> Iterator[bytes]:
    yield from (SOUND, wav_bytes(data=b"", rate=48000), wav_bytes(data=bytes(64), fmt_tail=b"\0\0"))
    yield wav_bytes(data=bytes(64), before=[(b"JUNK", b"1")], after=[(b"LIST", b"INFO")])


TARGETS: dict[str, tuple[Callable[[bytes], None], Callable[[], Sequence[bytes]]]] = {
    "wav": (wav, lambda: list(_wavs())),
    "zip": (archive, lambda: list(_zips())),
    "tar": (tar, lambda: list(_tars())),
    "gzip": (packed_tar, lambda: [gz(one) for one in _tars()] + list(_tars())),
    "list": (text, lambda: [b"a.wav|Hello.\n", b"name|text\r\nx/b.wav|One.\n\na|Two.", b"\xef\xbb\xbfa| x \t y \n"]),
    "planted": (planted, lambda: [b"RIFF"]),
}
"""Name: (what to feed, the files that it begins with)."""


def guided(target: Callable[[bytes], None], seeds: Sequence[bytes], runs: int) -> None:
    """Does not come back: libFuzzer ends the process when it is done, with 0 or with the fault that it found."""
    with tempfile.TemporaryDirectory(prefix="voicehub-fuzz-") as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        for number, seed in enumerate(seeds):
            (corpus / str(number)).write_bytes(seed)
        options = ["-seed=1", f"-runs={runs}", f"-max_len={LONGEST}", "-timeout=30", "-rss_limit_mb=1024"]
        instrumented = atheris.instrument_func(target)
        atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={folder}/", str(corpus)], instrumented)
        atheris.Fuzz()


def unguided(target: Callable[[bytes], None], seeds: Sequence[bytes], runs: int) -> None:
    from hypothesis import given, seed, settings
    from hypothesis import strategies as st

    edit = st.tuples(st.integers(0, LONGEST), st.integers(0, 8), st.binary(max_size=8))

    @seed(1)
    @settings(max_examples=runs, deadline=None, database=None)
    @given(st.sampled_from(list(seeds)), st.lists(edit, max_size=6))
    def one(data: bytes, edits: list[tuple[int, int, bytes]]) -> None:
        for place, gone, put in edits:
            at = place % (len(data) + 1)
            data = data[:at] + put + data[at + gone :]
        target(data)

    one()


def main(name: str, runs: str, *options: Any) -> None:
    target, seeds = TARGETS[name]
    (guided if GUIDED and "--unguided" not in options else unguided)(target, seeds(), int(runs))


if __name__ == "__main__":
    main(*sys.argv[1:])
