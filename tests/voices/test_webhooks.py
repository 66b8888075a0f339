"""What is open to providers: only the right token gets in, a message is kept once, and nothing large is read."""

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
OTHER = "o" * 43


def hook(provider: str = "resemble_v2", token: str = TOKEN) -> str:
    return reverse("webhooks:callback", args=[provider, token])


@pytest.fixture
def build(studio: Studio) -> Build:
    return studio.make_build(callback_digest=hash_token(TOKEN))


@pytest.fixture
def provider() -> Client:
    """A caller without a session or a CSRF token, as a provider is."""
    return Client(enforce_csrf_checks=True)


def post(caller: Client, path: str, body: Any = b'{"id": "x"}') -> int:
    return caller.post(path, body, content_type="application/json").status_code


def test_the_right_token_is_answered_fast_and_only_makes_us_ask(build: Build, provider: Client) -> None:
    assert post(provider, hook(), b'{"status": "finished"}') == 204
    assert Callback.objects.get().body == '{"status": "finished"}'
    assert Task.objects.get(kind="refresh_build").object_id == str(build.pk)
    build.refresh_from_db()
    assert build.status == "training"


@pytest.mark.parametrize("path", [hook(token=OTHER), hook(provider="other"), hook(token="x")])
def test_any_other_address_is_not_found_and_keeps_nothing(build: Build, provider: Client, path: str) -> None:
    assert post(provider, path) == 404
    assert not Callback.objects.exists()
    assert not Task.objects.filter(kind="refresh_build").exists()


def test_a_build_without_a_token_is_reached_by_none(studio: Studio, provider: Client) -> None:
    studio.make_build(callback_digest="")
    assert {post(provider, hook(token=token)) for token in ("-", hash_token(""), "None")} == {404}


def test_the_same_message_is_kept_once_and_another_one_too(build: Build, provider: Client) -> None:
    bodies = [b'{"n": 1}', b'{"n": 1}', b'{"n": 2}', b'{"n": 1}']
    assert {post(provider, hook(), body) for body in bodies} == {204}
    assert sorted(Callback.objects.values_list("body", flat=True)) == ['{"n": 1}', '{"n": 2}']


@pytest.mark.parametrize("body", [b"", b"\xff\xfe\x00", b"{broken", b"[" * 5000, "ñ".encode("latin-1")])
def test_whatever_is_sent_is_never_an_error_of_ours(build: Build, provider: Client, body: bytes) -> None:
    assert post(provider, hook(), body) == 204


def test_what_is_too_large_is_refused_and_not_kept(build: Build, provider: Client) -> None:
    assert post(provider, hook(), b"x" * CALLBACK_BYTES) == 204
    assert post(provider, hook(), b"x" * (CALLBACK_BYTES + 1)) == 413
    assert post(provider, hook(), b"x" * (5 << 20)) == 413
    assert Callback.objects.count() == 1


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_only_post_and_head_are_answered(build: Build, provider: Client, method: str) -> None:
    assert getattr(provider, method)(hook()).status_code == 405


def test_head_tries_the_address_out_and_keeps_nothing(build: Build, provider: Client) -> None:
    assert provider.head(hook()).status_code == 204
    assert provider.head(hook(token=OTHER)).status_code == 404
    assert not Callback.objects.exists()


# --- The dataset of a build --------------------------------------------------------------


def dataset(name: str = "dataset.wav", token: str = TOKEN) -> str:
    return reverse("voices:dataset", args=[token, name])


@pytest.fixture
def served(studio: Studio) -> Build:
    return studio.make_build(dataset_digest=hash_token(TOKEN), handover="dataset_url")


def test_the_dataset_is_streamed_whole_and_the_opening_written_down(served: Build, provider: Client) -> None:
    response = provider.get(dataset(), HTTP_USER_AGENT="Fetcher/1.0", REMOTE_ADDR="203.0.113.9")
    body = b"".join(response.streaming_content)  # type: ignore[attr-defined]
    assert response.status_code == 200
    assert body[:4] == b"RIFF"
    assert len(body) == int(response.headers["Content-Length"])
    assert response.headers["Cache-Control"] == "private, no-store"
    fetch = DatasetFetch.objects.get()
    assert (fetch.user_agent, fetch.address) == ("Fetcher/1.0", "203.0.113.9")


def test_head_says_how_large_it_is(served: Build, provider: Client) -> None:
    response = provider.head(dataset())
    assert response.status_code == 200
    assert int(response.headers["Content-Length"]) > 1000
    assert response.content == b""


@pytest.mark.parametrize("path", [dataset(token=OTHER), dataset(name="other.wav"), dataset(token="x")])
def test_any_other_address_has_no_dataset(served: Build, provider: Client, path: str) -> None:
    assert provider.get(path).status_code == 404


@pytest.mark.parametrize("status", ["ready", "failed", "cancelled", "dataset_issue", "consent_rejected"])
def test_the_address_ends_with_the_build(served: Build, provider: Client, status: str) -> None:
    Build.objects.filter(pk=served.pk).update(status=status, finished_at=timezone.now())
    assert provider.get(dataset()).status_code == 404
    assert not DatasetFetch.objects.exists()


def test_nobody_can_post_to_it(served: Build, provider: Client) -> None:
    assert post(Client(), dataset()) == 405
