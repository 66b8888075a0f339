"""The URLs that providers call: callbacks, which are stored once, and the datasets of builds."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.voices.rows import Studio
from voicehub.models import Task
from voicehub.tokens import hash_token
from voicehub.upload_limits import CALLBACK_BYTES
from voices.models import Build, Callback, DatasetFetch

pytestmark = pytest.mark.django_db
TOKEN = "t" * 43
WRONG_TOKEN = "o" * 43


def make_callback_path(provider: str = "resemble_v2", token: str = TOKEN) -> str:
    return reverse("webhooks:callback", args=[provider, token])


@pytest.fixture
def build(studio: Studio) -> Build:
    return studio.make_build(callback_digest=hash_token(TOKEN))


@pytest.fixture
def provider() -> Client:
    """A client without a session or a CSRF token, like a provider."""
    return Client(enforce_csrf_checks=True)


def post_json(client: Client, path: str, body: Any = b'{"id": "x"}') -> int:
    return client.post(path, body, content_type="application/json").status_code


def test_callback_is_stored_and_schedules_a_poll_but_sets_no_status(build: Build, provider: Client) -> None:
    assert post_json(provider, make_callback_path(), b'{"status": "finished"}') == 204
    assert Callback.objects.get().body == '{"status": "finished"}'
    assert Task.objects.get(kind="refresh_build").object_id == str(build.pk)
    build.refresh_from_db()
    assert build.status == "training"


@pytest.mark.parametrize(
    "path", [make_callback_path(token=WRONG_TOKEN), make_callback_path(provider="other"), make_callback_path(token="x")]
)
def test_callback_with_a_wrong_token_or_provider_gets_404_and_is_not_stored(
    build: Build, provider: Client, path: str
) -> None:
    assert post_json(provider, path) == 404
    assert not Callback.objects.exists()
    assert not Task.objects.filter(kind="refresh_build").exists()


def test_build_without_a_callback_token_accepts_no_callback(studio: Studio, provider: Client) -> None:
    studio.make_build(callback_digest="")
    assert {post_json(provider, make_callback_path(token=token)) for token in ("-", hash_token(""), "None")} == {404}


def test_repeated_callback_is_stored_once(build: Build, provider: Client) -> None:
    bodies = [b'{"n": 1}', b'{"n": 1}', b'{"n": 2}', b'{"n": 1}']
    assert {post_json(provider, make_callback_path(), body) for body in bodies} == {204}
    assert sorted(Callback.objects.values_list("body", flat=True)) == ['{"n": 1}', '{"n": 2}']


@pytest.mark.parametrize("body", [b"", b"\xff\xfe\x00", b"{broken", b"[" * 5000, "ñ".encode("latin-1")])
def test_malformed_callback_is_accepted(build: Build, provider: Client, body: bytes) -> None:
    assert post_json(provider, make_callback_path(), body) == 204


def test_callback_over_the_size_limit_is_refused(build: Build, provider: Client) -> None:
    assert post_json(provider, make_callback_path(), b"x" * CALLBACK_BYTES) == 204
    assert post_json(provider, make_callback_path(), b"x" * (CALLBACK_BYTES + 1)) == 413
    assert post_json(provider, make_callback_path(), b"x" * (5 << 20)) == 413
    assert Callback.objects.count() == 1


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_callback_allows_only_post_and_head(build: Build, provider: Client, method: str) -> None:
    assert getattr(provider, method)(make_callback_path()).status_code == 405


def test_head_checks_the_callback_url_and_stores_nothing(build: Build, provider: Client) -> None:
    assert provider.head(make_callback_path()).status_code == 204
    assert provider.head(make_callback_path(token=WRONG_TOKEN)).status_code == 404
    assert not Callback.objects.exists()


# --- The dataset of a build --------------------------------------------------------------


def make_dataset_path(name: str = "dataset.wav", token: str = TOKEN) -> str:
    return reverse("voices:dataset", args=[token, name])


@pytest.fixture
def dataset_build(studio: Studio) -> Build:
    return studio.make_build(dataset_digest=hash_token(TOKEN), handover="dataset_url")


def test_dataset_is_streamed_and_its_download_is_recorded(dataset_build: Build, provider: Client) -> None:
    response = provider.get(make_dataset_path(), HTTP_USER_AGENT="Fetcher/1.0", REMOTE_ADDR="203.0.113.9")
    body = b"".join(response.streaming_content)  # type: ignore[attr-defined]
    assert response.status_code == 200
    assert body[:4] == b"RIFF"
    assert len(body) == int(response.headers["Content-Length"])
    assert response.headers["Cache-Control"] == "private, no-store"
    fetch = DatasetFetch.objects.get()
    assert (fetch.user_agent, fetch.address) == ("Fetcher/1.0", "203.0.113.9")


def test_head_returns_the_dataset_size(dataset_build: Build, provider: Client) -> None:
    response = provider.head(make_dataset_path())
    assert response.status_code == 200
    assert int(response.headers["Content-Length"]) > 1000
    assert response.content == b""


@pytest.mark.parametrize(
    "path", [make_dataset_path(token=WRONG_TOKEN), make_dataset_path(name="other.wav"), make_dataset_path(token="x")]
)
def test_dataset_with_a_wrong_token_or_file_name_gets_404(dataset_build: Build, provider: Client, path: str) -> None:
    assert provider.get(path).status_code == 404


@pytest.mark.parametrize("status", ["ready", "failed", "cancelled", "dataset_issue", "consent_rejected"])
def test_dataset_url_expires_when_the_build_ends(dataset_build: Build, provider: Client, status: str) -> None:
    Build.objects.filter(pk=dataset_build.pk).update(status=status, finished_at=timezone.now())
    assert provider.get(make_dataset_path()).status_code == 404
    assert not DatasetFetch.objects.exists()


def test_post_to_a_dataset_url_is_refused(dataset_build: Build, provider: Client) -> None:
    assert post_json(Client(), make_dataset_path()) == 405
