"""Read the lists of pages: the rows, the tabs with their counts, the filters, the heading that sorts the rows."""

import re
from typing import Any

from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.support.html import read_html
from voicehub.models import User

COUNTED = re.compile(r"<a href=\"([^\"]*)\"[^>]*>([^<]+?) <b>(\d+)</b></a>")


def read_list(client: Client, name: str, **query: Any) -> str:
    """The list of the URL with this name, as one line of HTML."""
    response = client.get(reverse(name), query)
    assert response.status_code == 200
    return read_html(response)


def read_rows(client: Client, name: str, **query: Any) -> list[str]:
    """The first cell of each row, as text without its second line."""
    tick = r'(?:<span class="row-pick">.*?</span>)?'
    signs = r'(?:<span class="vh-person">)?(?:<span class="vh-(?:tile|face).*?</span>)?(?:<span>)?'
    cell = rf'<th scope="row"[^>]*>{tick}{signs}<a href="[^"]*">([^<]+)</a>'
    return re.findall(cell, read_list(client, name, **query))


def read_tabs(client: Client, name: str, **query: Any) -> dict[str, int]:
    """The number of rows of each tab, by label."""
    tabs = re.findall(r'<nav class="vh-tabs".*?</nav>', read_list(client, name, **query))[0]
    return {label: int(count) for _url, label, count in COUNTED.findall(tabs)}


def read_menu(client: Client, name: str, label: str, **query: Any) -> dict[str, int]:
    """The number of rows of each choice of a closed filter, by label."""
    menus = re.findall(r'<details class="vh-menu".*?</details>', read_list(client, name, **query))
    menu = next(menu for menu in menus if f">{label}: any<span" in menu)
    return {option: int(count) for _url, option, count in COUNTED.findall(menu)}


def read_headings(client: Client, name: str, **query: Any) -> dict[str, tuple[str, str]]:
    """The direction and the URL of each column heading, by label. Empty if it does not sort the rows, or cannot."""
    head = re.findall("<thead>.*?</thead>", read_list(client, name, **query))[0]
    headings = {}
    for attributes, content in re.findall(r"<th scope=\"col\"([^>]*)>(.*?)</th>", head):
        direction, url = re.search(r'aria-sort="(\w+)"', attributes), re.search(r'href="([^"]*)"', content)
        label = re.sub(r"<(?:span|small).*|<[^>]*>", "", content).strip()
        headings[label] = (direction[1] if direction else "", url[1].replace("&amp;", "&") if url else "")
    return headings


def count_list_queries(client: Client, name: str, **query: Any) -> int:
    read_list(client, name, **query)
    with CaptureQueriesContext(connection) as queries:
        read_list(client, name, **query)
    return len(queries)


def allow_only(user: User, *permissions: str) -> Client:
    """A client of this user, who has no role and only these permissions."""
    codenames = [permission.partition(".")[2] for permission in permissions]
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client
