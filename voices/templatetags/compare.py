"""Bars and differences, of the page that compares builds and of usage."""

from collections.abc import Sequence

from django import template
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from voicehub.charts import MonthColumn
from voicehub.text import format_minus

register = template.Library()
BAR_WIDTH = 200
COLUMN_STEP, COLUMN_WIDTH, COLUMN_HEIGHT = 24, 18, 32


@register.simple_tag
def meter(value: float, most: float = 1, style: str = "value") -> SafeString:
    """A bar of 0 to `most`. The style “best” is full, and “value” pale: they differ without color."""
    share = max(0.0, min(1.0, value / most)) if most else 0.0
    return format_html(
        '<svg class="vh-meter" viewBox="0 0 {width} 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="{width}" height="8"/><rect class="{style}" width="{share}" height="8"/></svg>',
        width=BAR_WIDTH,
        style=style,
        share=round(share * BAR_WIDTH, 1),
    )


@register.simple_tag
def month_columns(columns: Sequence[MonthColumn]) -> SafeString:
    """A small chart of one column for each month, the newest one full. Its name says all numbers."""
    drawn = [(place, one.share) for place, one in enumerate(columns) if one.share is not None]
    heights = [(place, max(1.0, round(share * COLUMN_HEIGHT, 1))) for place, share in drawn]
    newest = len(columns) - 1
    bars = format_html_join(
        "",
        f'<rect class="{{}}" x="{{}}" y="{{}}" width="{COLUMN_WIDTH}" height="{{}}" rx="1"/>',
        (
            ("best" if place == newest else "value", place * COLUMN_STEP, round(COLUMN_HEIGHT - height, 1), height)
            for place, height in heights
        ),
    )
    return format_html(
        '<svg class="month-columns" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
        newest * COLUMN_STEP + COLUMN_WIDTH,
        COLUMN_HEIGHT,
        ", ".join(f"{date_format(one.month, 'F')} {one.text}" for one in columns),
        bars,
    )


@register.filter
def format_gap(gap: float) -> str:
    """The distance to the best value: 0.031 → “+0.03”, -0.02 → “−0.02” with a true minus sign."""
    return format_minus(f"{gap:+.2f}")
