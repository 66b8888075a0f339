"""Findings for a file whose sandboxed reader process fails.

The process reads archives and sound files, so these findings have a table of their own.
"""

from audio.findings.templates import SEND_AGAIN, make_error

CODES = {
    "took_too_long": make_error(
        "Reading the file took too long, so it was stopped.",
        "Send it in smaller parts; if it is small, export it again.",
    ),
    "needed_too_much_memory": make_error(
        "Reading the file took too much memory, so it was stopped.",
        "Send it in smaller parts; if it is small, export it again.",
    ),
    "no_room_to_write": make_error(
        "The content could not be written: it is too long, or the disk is full.",
        "Send it in smaller parts, or free space on the disk.",
    ),
    "broke_the_reader": make_error("The reader failed on the file ({reason}).", SEND_AGAIN),
    "file_lost": make_error("The file is missing from the storage.", "Upload it again."),
    "file_too_large": make_error("The file is larger than {limit} MB.", "Split it into clips first."),
    "wavs_too_big": make_error(
        "It was not converted: the WAVs of this import would take more than {limit} GB.",
        "Add the import without it, then upload it to another one.",
    ),
}
