"""Numbers of charts: for the script, and for readers of the table."""

from django import template

from voicehub.text import format_minus

register = template.Library()


@register.filter
def write_number(value: str | float | None) -> str:
    """A value as the script reads it: 0.5 → "0.5", None → "". A label stays as it is."""
    return "" if value is None else value if isinstance(value, str) else repr(value)


@register.filter
def show_value(value: str | float | None) -> str:
    """A value as the table shows it: 0.8712 → "0.87", -3.5 → "−3.5", 12 → "12", None → "–". A label stays as it is."""
    if value is None or isinstance(value, str):
        return value or "–"
    return format_minus(f"{round(value, 2):z,.10g}")
