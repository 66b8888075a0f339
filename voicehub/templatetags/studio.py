"""Template tags for all pages: times, durations, status badges, form fields, page links."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from email.utils import parseaddr
from typing import Any

from django import template
from django.conf import settings
from django.core.paginator import Page
from django.db.models import Model
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect, Select
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from voicehub.browser_names import name_browser
from voicehub.edit_versions import make_version
from voicehub.json_fields import list_damaged_fields
from voicehub.lists.filters import make_query
from voicehub.lists.pages import PageLink, list_page_links
from voicehub.name_fields import remove_bidi_controls
from voicehub.rail_counts import read_counts
from voicehub.status_marks import get_tone
from voicehub.storage import list_base_styles
from voicehub.studio_logo import make_logo_url
from voicehub.text import describe_time, format_clock, format_date, format_duration, format_time, join_date_and_time

register = template.Library()

MINUTE, HOUR, DAY = 60, 3600, 86400
UNITS = ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"))
WEEK = 7 * DAY

register.filter(format_duration)
register.filter("clock", format_clock)
register.filter("date_text", format_date)
register.filter("time_text", format_time)
register.filter("browser_name", name_browser)


@register.inclusion_tag("studio/damage_note.html")
def damage_note(*rows: Model | None) -> dict[str, list[str]]:
    """Name the parts of these rows that were changed or lost, if any, so that the page does not show them."""
    return {"damaged": [name for row in rows if row is not None for name in list_damaged_fields(row)]}


@register.simple_tag
def base_styles() -> SafeString:
    """The styles of every staff page: one file where static files are collected."""
    links = ((static(name),) for name in list_base_styles())
    return format_html_join("\n    ", '<link rel="stylesheet" href="{}">', links)


@register.simple_tag
def mail_folder() -> str:
    """The folder into which mails are written, if the studio has no mail server."""
    return "" if settings.MAIL else str(settings.EMAIL_FILE_PATH)


@register.filter
def percent(share: float | None) -> str:
    """A share of 0..1: 0.1234 → "12%", None → "–"."""
    return "–" if share is None else f"{share:.0%}"


def describe_moment(moment: datetime, now: datetime, pattern: str = "") -> str:
    """A time within a week of `now` is described as relative, any other time as a date, written as in `pattern`."""
    away = (now - moment).total_seconds()
    if abs(away) < MINUTE:
        return "just now" if away >= 0 else "in a moment"
    if abs(away) >= WEEK:
        return date_format(timezone.localtime(moment), pattern) if pattern else format_date(moment)
    size, unit = next((size, unit) for size, unit in UNITS if abs(away) >= size)
    count = int(abs(away) // size)
    distance = f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{distance} ago" if away > 0 else f"in {distance}"


@register.filter
def ago(moment: datetime | None, pattern: str = "") -> SafeString | str:
    """A <time> with "3 minutes ago" or "in 2 days", or the date from a week away. Its title is the exact time.

    `pattern` is how Django writes the date, such as "M j".
    """
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        exact(moment),
        describe_moment(moment, timezone.now(), pattern),
    )


@register.filter
def exact(moment: datetime | None) -> str:
    """Date and time to the second, with the time zone."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    return f"{join_date_and_time(format_date(local), date_format(local, 'H:i:s'))} {local.tzname()}"


@register.filter
def moment(value: datetime) -> SafeString:
    """A <time> with “July 4, 2026 at 3:32 AM” for talents, or as in the active language."""
    local = timezone.localtime(value)
    return format_html('<time datetime="{}">{}</time>', local.isoformat(timespec="seconds"), describe_time(value))


@register.filter
def day(value: date | None) -> SafeString | str:
    """A date as "November 3, 2025" inside a <time>."""
    if value is None:
        return ""
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), format_date(value))


@register.simple_tag
def status_badge(row: Any) -> SafeString:
    """The status of a row, with the label from its choices and a color."""
    return format_html('<span class="state state-{}">{}</span>', get_tone(row.status), row.get_status_display())


@register.inclusion_tag("studio/field.html")
def field(bound: BoundField, **attrs: Any) -> dict[str, Any]:
    """One form field with its label, help text and errors. Other arguments become HTML attributes."""
    widget = bound.field.widget
    many = isinstance(widget, CheckboxSelectMultiple | RadioSelect)
    single = isinstance(widget, CheckboxInput)
    if not many:
        style = "form-check-input" if single else "form-select" if isinstance(widget, Select) else "form-control"
        attrs["class"] = f"{style} is-invalid" if bound.errors else style
    names = {name.replace("_", "-"): value for name, value in attrs.items()}
    return {"field": bound, "widget": bound.as_widget(attrs=names), "many": many, "single": single}


register.filter("version", make_version)


@register.inclusion_tag("studio/part_pages.html", takes_context=True)
def pages(context: template.Context, page: "Page[Any]", anchor: str = "") -> dict[str, Any]:
    """Links to the pages of the one list of a page. Empty if there is only one page."""
    return part_pages(context, page, "page") | {"anchor": anchor}


@register.inclusion_tag("studio/part_pages.html", takes_context=True)
def part_pages(context: template.Context, page: "Page[Any]", name: str, anchor: str = "") -> dict[str, Any]:
    """Links to the pages of one list of a page with several. `name` is its parameter in the address.

    `anchor` is the id of its heading, which names the links too.
    """
    address, end = context["request"].GET, f"#{anchor}" if anchor else ""
    links = list_page_links(page, lambda number: f"{make_query(address, **{name: str(number)})}{end}")
    return {"page": page, "anchor": anchor, "links": links}


@register.inclusion_tag("studio/page_links.html")
def page_links(page: "Page[Any]", before: str, after: str, sizes: Sequence[PageLink] = ()) -> dict[str, Any]:
    """The same links with the number of the page between `before` and `after`."""
    return {"page": page, "links": list_page_links(page, lambda number: f"{before}{number}{after}"), "sizes": sizes}


@dataclass(frozen=True, slots=True)
class NavigationLink:
    """`current` is the value of aria-current: "page" on the page itself, "true" on a page below it.

    `count` is the number of rows that wait or run, and `count_label` says which.
    """

    label: str
    url: str
    icon: str
    current: str = ""
    count: int = 0
    count_label: str = ""


# The pages of the main navigation: label, URL name, icon, permission, and the first parts of the paths below it.
PAGES = (
    ("Today", "today", "inbox", "", ("today", "deletions")),
    ("Talents", "consent:talent_list", "users", "consent.view_talent", ("talents", "contracts")),
    (
        "Voices",
        "voices:voice_list",
        "microphone",
        "voices.view_voice",
        ("voices", "recordings", "uploads", "imports", "remote-voices", "previews"),
    ),
    (
        "Consents",
        "consent:consent_list",
        "writing-sign",
        "consent.view_consent",
        ("consents", "takes", "offline-proofs"),
    ),
    ("Builds", "voices:build_list", "stack-2", "voices.view_build", ("builds",)),
    ("Accounts", "voices:account_list", "plug-connected", "voices.view_account", ("accounts",)),
)


@register.simple_tag(takes_context=True)
def navigation(context: template.Context) -> list[NavigationLink]:
    """The links of the main navigation that this user may follow."""
    request, perms = context["request"], context["perms"]
    counts = read_counts(request.user)
    links = [
        NavigationLink(
            label, reverse(name), icon_name, _find_current(request.path, reverse(name), parts), *counts.get(name, ())
        )
        for label, name, icon_name, permission, parts in PAGES
        if not permission or permission in perms
    ]
    if request.user.is_staff:
        links.append(NavigationLink("Administration", reverse("admin:index"), "settings"))
    return links


@register.simple_tag
def studio_name() -> str:
    return remove_bidi_controls(str(settings.VOICEHUB_COMPANY))


register.simple_tag(make_logo_url, name="studio_logo")


@register.simple_tag
def studio_mail() -> str:
    """The address of the studio, from which its mails come."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


def _find_current(path: str, url: str, parts: Sequence[str]) -> str:
    """“page” on the page itself, “true” on a page below it."""
    if path == url:
        return "page"
    return "true" if path.strip("/").partition("/")[0] in parts else ""
