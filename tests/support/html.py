"""Reads pages without the whitespace that a browser ignores."""

import re

from django.http import HttpResponseBase

BLOCK = r"(?:td|th|p|li|dd|dt|h[1-6]|div)"


def read_html(response: HttpResponseBase) -> str:
    """Return the page as one line, without whitespace between tags or at the edges of block elements."""
    assert hasattr(response, "content")
    return collapse_whitespace(response.content.decode())


def collapse_whitespace(html: str) -> str:
    text = re.sub(r">\s+<", "><", re.sub(r"\s+", " ", html))
    return re.sub(rf"(<{BLOCK}\b[^>]*>) ", r"\1", re.sub(rf" (</{BLOCK}>)", r"\1", text))


def read_hidden_value(html: str, name: str, tag: str = "input") -> str:
    """The value of the first `tag` with this name."""
    field = next(field for field in re.findall(rf"<{tag}\b[^>]*>", html) if f'name="{name}"' in field)
    match = re.search(r'value="([^"]*)"', field)
    assert match, field
    return match[1]
