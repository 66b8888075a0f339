"""Bars and differences of the page that compares builds."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from voicehub.text import format_minus

register = template.Library()
BAR_WIDTH = 200


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


@register.filter
def format_gap(gap: float) -> str:
    """The distance to the best value: 0.031 → “+0.03”, -0.02 → “−0.02” with a true minus sign."""
    return format_minus(f"{gap:+.2f}")
