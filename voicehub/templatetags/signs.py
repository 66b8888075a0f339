"""Small drawings beside a word: the icon of a page, the tile of a voice, the letters of a person."""

from functools import cache
from uuid import UUID

from django import template
from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

VOICE_COLORS = 8
BARS = 5
# The first path of each icon of Tabler: an empty square.
NO_DRAWING = '<path stroke="none" d="M0 0h24v24H0z" fill="none" />'


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon of Tabler, beside the word that says the same. Empty if bootstrap.py has not copied it."""
    return _read_icon(name)


@cache
def _read_icon(name: str) -> SafeString:
    path = settings.BASE_DIR / "static" / "vendor" / "tabler-icons" / f"{name}.svg"
    drawing = path.read_text(encoding="utf-8").partition(">")[2] if path.is_file() else ""
    drawing = " ".join(drawing.replace(NO_DRAWING, "").split()).replace("> <", "><")
    # The file is part of a package that package-lock.json names with its hash.
    return SafeString(f'<svg class="vh-icon" viewBox="0 0 24 24" aria-hidden="true">{drawing}' if drawing else "")


@register.filter(name="voice_color")
def name_voice_color(voice_id: UUID) -> str:
    """The class that gives a part of a page the color of a voice."""
    return f"v{voice_id.int % VOICE_COLORS + 1}"


@register.simple_tag(name="voice_tile")
def render_voice_tile(voice_id: UUID, size: str = "") -> SafeString:
    """The tile of a voice: a color and five bars, both from its id. `size` is “big”, “small” or empty."""
    heights = [4 + (voice_id.int >> (8 * bar)) % 13 for bar in range(BARS)]
    path = " ".join(f"M{2 + 4 * bar} {10 - height / 2:g}v{height}" for bar, height in enumerate(heights))
    return format_html(
        '<span class="vh-tile {}{}" aria-hidden="true"><svg viewBox="0 0 20 20"><path d="{}"/></svg></span>',
        name_voice_color(voice_id),
        f" is-{size}" if size else "",
        path,
    )


def render_voice_name(voice_id: UUID, lines: SafeString) -> SafeString:
    """The cell of a voice: its tile beside its name, and a second line if there is one."""
    return format_html('<span class="vh-person">{}<span>{}</span></span>', render_voice_tile(voice_id, "small"), lines)


def render_person_name(name: str, lines: SafeString, *, is_repeated: bool = False) -> SafeString:
    """The cell of a person: the face beside the name, and a second line if there is one.

    With `is_repeated`, the row above is of the same person: the face keeps its room, and is hidden.
    """
    css_class = "vh-person is-repeated" if is_repeated else "vh-person"
    return format_html('<span class="{}">{}<span>{}</span></span>', css_class, render_face(name), lines)


@register.simple_tag(name="face")
def render_face(name: str, size: str = "") -> SafeString:
    """The initials of a person: the first letters of the first two names. `size` is “big” or empty."""
    letters = "".join(word[0] for word in name.split()[:2]).upper()
    return format_html('<span class="vh-face{}" aria-hidden="true">{}</span>', f" is-{size}" if size else "", letters)
