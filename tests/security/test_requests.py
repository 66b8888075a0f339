"""Requests that are too large, requests to the admin site, and tokens in URLs, which must not reach a log."""

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
def temporary_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A list that receives the name of each uploaded file that Django begins to write to disk."""
    file_names: list[str] = []
    original_new_file = uploadhandler.TemporaryFileUploadHandler.new_file

    def new_file(self: Any, *args: Any, **kwargs: Any) -> None:
        file_names.append(str(args[1]))
        original_new_file(self, *args, **kwargs)

    monkeypatch.setattr(uploadhandler.TemporaryFileUploadHandler, "new_file", new_file)
    return file_names


def send_file(client: Client, size: int, path: str) -> Any:
    """Send a form with a small file. Its Content-Length is `size`, or the real length if `size` is 0."""
    client.get(reverse("account_login"))
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\r\n--x--\r\n'
    content_type = "multipart/form-data; boundary=x"
    return client.generic(
        "POST", path, body, content_type=content_type, CONTENT_LENGTH=str(size) if size else str(len(body))
    )


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/sign-in/", "/talents/", "/invitation/", "/nothing/"])
def test_oversized_anonymous_request_is_refused_without_writing_files(path: str, temporary_files: list[str]) -> None:
    client = Client(enforce_csrf_checks=True)
    response = send_file(client, GUEST_REQUEST_BYTES + 1, path)
    assert response.status_code == 413
    assert b"This is too large to send" in response.content
    assert temporary_files == []
    # A page of staff leads to the sign-in, the others refuse the request.
    assert send_file(client, 0, path).status_code in {302, 403, 404}


@pytest.mark.django_db
def test_request_of_signed_in_staff_may_be_larger(engineer: User, temporary_files: list[str]) -> None:
    client = Client()
    client.force_login(engineer)
    assert send_file(client, STAFF_REQUEST_BYTES + 1, "/nothing/").status_code == 413
    assert send_file(client, GUEST_REQUEST_BYTES + 1, "/nothing/").status_code == 404
    assert temporary_files == []


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["outsider", "viewer", "producer"])
def test_admin_site_refuses_other_roles_with_403(role: str, request: pytest.FixtureRequest) -> None:
    client = Client()
    client.force_login(request.getfixturevalue(role))
    response = client.get(reverse("admin:index"), follow=True)
    assert response.status_code == 403
    assert b"No access to this page" in response.content


@pytest.mark.django_db
def test_admin_site_redirects_anonymous_user_to_sign_in_and_back(admin: User) -> None:
    client = Client()
    page = client.get(reverse("admin:index"), follow=True)
    login_url = page.redirect_chain[-1][0]
    signed_in = client.post(
        login_url, {"login": "ada", "password": "secret", "next": page.context["next"]}, follow=True
    )
    assert signed_in.status_code == 200
    assert signed_in.request["PATH_INFO"] == reverse("admin:index")


@pytest.mark.parametrize("name", ["gunicorn.error", "gunicorn.access"])
@pytest.mark.parametrize("url_pattern", ["/i/{}/", "/datasets/{}/dataset.zip", "/hooks/resemble_v2/{}/"])
def test_web_server_logs_hide_private_tokens(name: str, url_pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """gunicorn logs the URL if a response breaks off. Its access log, if turned on, has every URL."""
    logger, output = logging.getLogger(name), io.StringIO()
    # As gunicorn sets up its loggers: they have handlers of their own and pass nothing to the root logger.
    monkeypatch.setattr(logger, "propagate", False)
    monkeypatch.setattr(logger, "handlers", [logging.StreamHandler(output)])
    monkeypatch.setattr(logger, "level", logging.INFO)
    logger.error("Error handling request %s %s", "GET", url_pattern.format(TOKEN))
    logger.info("%(r)s", {"r": f"GET {url_pattern.format(TOKEN)} HTTP/1.1"})
    assert output.getvalue().count(url_pattern.split("{")[0]) == 2
    assert TOKEN not in output.getvalue()
