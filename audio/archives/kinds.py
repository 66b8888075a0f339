"""Tells archives by their first bytes and by their names."""

import tarfile

RECORD = 512
GZIP, BZIP2, XZ = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0"
ZIP_FILE, ZIP_END = b"PK\x03\x04", b"PK\x05\x06"
OTHER_FORMATS = {
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "RAR",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"\x04\x22\x4d\x18": "LZ4",
    b"LZIP": "lzip",
    b"\x5d\x00\x00\x80\x00": "LZMA",
    b"MSCF": "Cabinet",
    b"SIT!": "StuffIt",
    b"StuffIt": "StuffIt",
    b"xar!": "xar",
    b"!<arch>": "ar",
    b"070701": "cpio",
    b"070707": "cpio",
}
"""The first bytes of archives that are not read, and their names for people."""
READ_EXTENSIONS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz", ".tar.xz", ".txz")
OTHER_EXTENSIONS = (
    ".7z",
    ".rar",
    ".zipx",
    ".tar.zst",
    ".tzst",
    ".tar.lz",
    ".cab",
    ".dmg",
    ".sit",
    ".sitx",
    ".arj",
    ".lzh",
)
EXTENSIONS = (*READ_EXTENSIONS, *OTHER_EXTENSIONS)
NESTED_EXTENSIONS = (*EXTENSIONS, ".gz", ".bz2", ".xz", ".zst", ".lz", ".jar")
"""Names of files that are skipped in an archive. A compressed file may be a recording, but is not unpacked."""
SIGNATURES = (GZIP, BZIP2, XZ, ZIP_FILE, b"PK\x01\x02", ZIP_END, b"PK00PK", *OTHER_FORMATS)


def is_archive(name: str, head: bytes) -> bool:
    """Whether a file is an archive, by its name and its first 512 bytes; a file named .wav never is."""
    lower = name.lower()
    return lower.endswith(EXTENSIONS) or (is_archive_header(head) and not lower.endswith(".wav"))


def is_archive_header(head: bytes) -> bool:
    """Whether a file with these first 512 bytes is an archive or a compressed file."""
    return head.startswith(SIGNATURES) or is_tar_header(head)


def is_tar_header(head: bytes) -> bool:
    """Whether these bytes begin with a tar header of any dialect. All have a checksum, only later ones a signature."""
    try:
        tarfile.TarInfo.frombuf(head[:RECORD], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def get_other_format(head: bytes) -> str:
    """The name of an archive format that is not read; "" if these are not the first bytes of one."""
    return next((name for signature, name in OTHER_FORMATS.items() if head.startswith(signature)), "")
