"""What is said when the limited child that reads a file does not come to its end.

It reads archives and sound files alike, so this belongs to none of their tables.
"""

from audio.findings.templates import SEND_AGAIN, make_error

CODES = {
    "took_too_long": make_error(
        "Reading it took longer than any honest file takes, so it was stopped.",
        "Send it in smaller parts; if it is small, export it again.",
    ),
    "needed_too_much_memory": make_error(
        "Reading it took more memory than any honest file takes, so it was stopped.",
        "Send it in smaller parts; if it is small, export it again.",
    ),
    "no_room_to_write": make_error(
        "What is in it could not be written: it is too long, or the disk is full.",
        "Send it in smaller parts, or make room on the disk.",
    ),
    "broke_the_reader": make_error("The reader broke off on it ({reason}).", SEND_AGAIN),
}
