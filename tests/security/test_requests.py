"""What anybody can send: too much of it, to the wrong door, or made to end up in a log."""

import io
import logging
from typing import Any

import pytest
from django.core.files import uploadhandler
from django.test import Client
from django.urls import reverse

from voicehub.models import User
from voicehub.upload_limits import GUEST_REQUEST_BYTES, STAFF_REQUEST_BYTES

pytestmark = pytest.mark.one_database

TOKEN = "Zm9yLW9uZS1idWlsZC1hbmQtbm9ib2R5LWVsc2UtMzI"


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were begun to be written to the disk."""
    begun: list[str] = []
    original = uploadhandler.TemporaryFileUploadHandler.new_file

    def new_file(self: Any, *args: Any, **kwargs: Any) -> None:
        begun.append(str(args[1]))
        original(self, *args, **kwargs)

    monkeypatch.setattr(uploadhandler.TemporaryFileUploadHandler, "new_file", new_file)
    return begun


def send(client: Client, size: int, path: str) -> Any:
    """A form with a file, of which the first bytes arrive and `size` are announced."""
    client.get(reverse("login"))
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\r\n--x--\r\n'
    form = "multipart/form-data; boundary=x"
    return client.generic("POST", path, body, content_type=form, CONTENT_LENGTH=str(size) if size else str(len(body)))


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/sign-in/", "/talents/", "/invitation/", "/nothing/"])
def test_a_stranger_cannot_fill_the_disk(path: str, stored: list[str]) -> None:
    client = Client(enforce_csrf_checks=True)
    refused = send(client, GUEST_REQUEST_BYTES + 1, path)
    assert refused.status_code == 413
    assert b"This is too large to send" in refused.content
    assert stored == []
    assert send(client, 0, path).status_code in {403, 404}


@pytest.mark.django_db
def test_staff_may_send_more_but_not_without_end(engineer: User, stored: list[str]) -> None:
    client = Client()
    client.force_login(engineer)
    assert send(client, STAFF_REQUEST_BYTES + 1, "/nothing/").status_code == 413
    assert send(client, GUEST_REQUEST_BYTES + 1, "/nothing/").status_code == 404
    assert stored == []


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["outsider", "viewer", "producer"])
def test_who_may_not_into_the_administration_is_told_so(role: str, request: pytest.FixtureRequest) -> None:
    client = Client()
    client.force_login(request.getfixturevalue(role))
    answer = client.get(reverse("admin:index"), follow=True)
    assert answer.status_code == 403
    assert b"You do not have access to this page" in answer.content


@pytest.mark.django_db
def test_the_administration_leads_a_stranger_to_the_one_sign_in_and_back(admin: User) -> None:
    client = Client()
    page = client.get(reverse("admin:index"), follow=True)
    door = page.redirect_chain[-1][0]
    entered = client.post(door, {"username": "ada", "password": "secret", "next": page.context["next"]}, follow=True)
    assert entered.status_code == 200
    assert entered.request["PATH_INFO"] == reverse("admin:index")


@pytest.mark.parametrize("name", ["gunicorn.error", "gunicorn.access"])
@pytest.mark.parametrize("link", ["/i/{}/", "/datasets/{}/dataset.zip", "/hooks/resemble_v2/{}/"])
def test_no_log_of_the_web_server_names_a_private_link(name: str, link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What gunicorn writes when an answer breaks off, and in its access log if somebody turns it on."""
    logger, written = logging.getLogger(name), io.StringIO()
    # As gunicorn sets its loggers up: with handlers of their own, and nothing handed on to ours.
    monkeypatch.setattr(logger, "propagate", False)
    monkeypatch.setattr(logger, "handlers", [logging.StreamHandler(written)])
    monkeypatch.setattr(logger, "level", logging.INFO)
    logger.error("Error handling request %s %s", "GET", link.format(TOKEN))
    logger.info("%(r)s", {"r": f"GET {link.format(TOKEN)} HTTP/1.1"})
    assert written.getvalue().count(link.split("{")[0]) == 2
    assert TOKEN not in written.getvalue()
