"""What must not reach a log: the secret part of links that open without a sign-in."""

import logging
import re

SECRET_LINK = re.compile(r"(/(?:i|datasets|hooks/[\w-]+)/)[\w-]{20,}")


def hide_links(line: str) -> str:
    """`line` with the token of each private link replaced by an ellipsis."""
    return SECRET_LINK.sub(r"\1…", line)


class HideLinks(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = hide_links(record.getMessage()), None
        return True
