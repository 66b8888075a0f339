"""The HTML inside the cells of lists: links, second lines, status marks, dates."""

from datetime import date, datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from voicehub.templatetags.studio import WEEK, ago, exact

# An empty cell stays empty for the eye: rows of dashes hide the values between them.
NOTHING = SafeString('<span class="meta visually-hidden">none</span>')


def render_link(url: str, text: str) -> SafeString:
    return format_html('<a href="{}">{}</a>', url, text)


def render_step(url: str, action: str, subject: str) -> SafeString:
    """A button that leads to what is done next for the subject of the row."""
    label = format_html('{}<span class="visually-hidden">: {}</span>', action, subject)
    return format_html('<a class="btn btn-sm" href="{}">{}</a>', url, label)


def render_lines(first: SafeString | str, second: SafeString | str = "", css_class: str = "") -> SafeString:
    """A second line below the first. `css_class` says on which widths it is shown."""
    if not second:
        return format_html("{}", first)
    return format_html('{}<small class="{}">{}</small>', first, css_class, second)


def render_day(value: date | None, default: str = "") -> SafeString | str:
    """A date as “Nov 3, 2025”."""
    if value is None:
        return default
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), date_format(value, "M j, Y"))


def render_moment(moment: datetime | None) -> SafeString | str:
    """The age within a week, such as “3 minutes ago”, and the date otherwise. The title is the exact time."""
    if moment is None or abs((timezone.now() - moment).total_seconds()) < WEEK:
        return ago(moment)
    local = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        exact(moment),
        date_format(local, "M j, Y"),
    )
