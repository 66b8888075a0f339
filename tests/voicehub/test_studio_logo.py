"""The logo of the studio on the pages of talents."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.support.html import read_html

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

LOGO = b"<svg xmlns='http://www.w3.org/2000/svg'/>"


def read_logo_url(client: Client) -> str:
    """The address of the logo on a page that anyone may read: that of a link that does not work."""
    found = re.search(r'<div class="brand"><img src="([^"]+)"', read_html(client.get("/invitation/")))
    assert found
    return found[1]


def test_own_logo_takes_the_place_of_the_sign(client: Client, settings: Any, tmp_path: Path) -> None:
    path = tmp_path / "logo.svg"
    path.write_bytes(LOGO)
    assert read_logo_url(client).startswith("/static/img/favicon")
    assert client.get("/logo/").status_code == 404
    settings.VOICEHUB_LOGO = str(path)
    url = read_logo_url(client)
    response = client.get(url)
    assert (response.content, response["Content-Type"]) == (LOGO, "image/svg+xml")
    assert response["Cache-Control"].startswith("public")
    os.utime(path, ns=(1, 1))
    assert read_logo_url(client) != url, "a changed logo has another address"


def test_logo_that_was_deleted_is_replaced_by_the_sign(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.VOICEHUB_LOGO = str(tmp_path / "gone.png")
    assert read_logo_url(client).startswith("/static/img/favicon")
    assert client.get("/logo/").status_code == 404
