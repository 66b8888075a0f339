"""Repair what is certainly wrong in the text of a transcript, and leave everything that a person must judge."""

import html
import re

from audio.analysis.transcript_lint import LINE_ENDS, decode_garbled, is_invisible

TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>")
ENTITY = re.compile(r"&(?:#\d{1,6}|[A-Za-z]{2,8});")
EMPHASIS = re.compile(r"\*\*|__")

REPAIRABLE_CODES = (
    "transcript_markup",
    "transcript_invisible",
    "transcript_newline",
    "transcript_pipe",
    "transcript_garbled",
)
"""The findings of `lint_transcript` that `repair_transcript` can remove. A web address stays: it may be spoken."""


def repair_transcript(text: str) -> str:
    """The text without tags, marks of emphasis, invisible characters, line ends and “|”, in the right encoding.

    Every word stays as it is, and spaces become single ones.
    """
    text = EMPHASIS.sub("", TAG.sub(" ", decode_garbled(text)))
    text = ENTITY.sub(lambda found: html.unescape(found[0]), text).replace("|", " ")
    spaced = "".join(" " if one in LINE_ENDS else one for one in text)
    visible = "".join(one for index, one in enumerate(spaced) if not is_invisible(spaced, index))
    return " ".join(visible.split())
