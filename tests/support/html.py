"""Pages as tests read them: without the whitespace that a browser ignores."""

import re

from django.http import HttpResponseBase


def read_html(response: HttpResponseBase) -> str:
    """The page as one line, without whitespace between tags."""
    assert hasattr(response, "content")
    return re.sub(r">\s+<", "><", re.sub(r"\s+", " ", response.content.decode()))
