"""Attacks by a provider or by means of one: hostile responses, URLs, ids and costs."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from providers import http, registry
from providers.connections import is_public
from providers.errors import ProviderError, ProviderRejected, ResponseUnreadable
from providers.http import HttpProvider
from providers.parsing import MAX_TEXT_LENGTH, flatten_text
from providers.resemble_v2 import account
from providers.speechgen.parsing import parse_report
from tests.providers.factories import make_upload_file
from tests.support.hostile_server import HostileServer, make_response
from tests.test_urls import ACCESS, reverse_address
from tests.voices.rows import Studio
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voices.models import Account, BuildStatus, Preview, RemoteVoice
from voices.services.deletion import delete_remote_voice, request_deletion
from voices.services.previews import HOUR, MAX_PER_HOUR, request_preview
from voices.services.remote_voices import refresh_remote_voice
from voices.services.unknown_voices import adopt_voice, delete_unknown_voice

pytestmark = pytest.mark.one_database

KEY = "canary-key-7391-of-the-account"
SIGNATURE = "signature-0f3a9c"
PROVIDERS_WITH_ID_URLS = ["resemble_v2", "audiostack", "speechgen", "voiceai"]


@pytest.fixture
def hostile() -> Iterator[HostileServer]:
    server = HostileServer()
    yield server
    server.close()


@pytest.fixture
def voiceai_studio(producer: User, hostile: HostileServer, settings: Any) -> Studio:
    """A studio with a Voice.ai account; the hostile server answers for the provider."""
    settings.VOICEHUB_SANDBOX_URL = hostile.address
    account = Account(name="Main", provider="voiceai", mode="sandbox")
    account.set_key(KEY)
    account.save(force_insert=True)
    return Studio(producer, account, provider="voiceai")


def make_provider(slug: str, server: HostileServer) -> HttpProvider:
    provider_class = registry.get_provider_class(slug)
    assert issubclass(provider_class, HttpProvider)
    return provider_class(KEY, sandbox_url=server.address, sandboxed=True)


# --- Secrets ------------------------------------------------------------------------------


def test_signed_url_is_not_logged_at_any_level(hostile: HostileServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("voices").debug("an event")
    with make_provider("resemble_v1", hostile) as provider:
        upload_file = make_upload_file("voice.wav", "audio/x-wav", b"RIFF")
        url = f"{hostile.address}/put?X-Signature={SIGNATURE}"
        provider.upload_file("send", url, {}, upload_file, lambda _sent: None)
    assert hostile.received[0].request_line.endswith(f"{SIGNATURE} HTTP/1.1")
    assert "an event" in caplog.text
    assert SIGNATURE not in caplog.text


@pytest.mark.django_db
def test_key_echoed_by_provider_is_neither_stored_nor_shown(
    voiceai_studio: Studio, hostile: HostileServer, producer_client: Client
) -> None:
    remote = voiceai_studio.make_build(status=BuildStatus.READY).remote_voice
    body = {"voice_id": remote.remote_id, "name": f"by {KEY}", "status": f"OF {KEY}", "owner": {KEY: [KEY]}}
    hostile.respond_with(make_response(200, body))
    refresh_remote_voice(remote)
    remote.refresh_from_db()
    assert remote.raw_response["voice_id"] == remote.remote_id
    assert KEY not in f"{remote.raw_response} {remote.name} {remote.raw_status}"

    responses = iter([make_response(200, {"deleted": True, "by": KEY}), make_response(404)])
    hostile.script = lambda _asked: [next(responses)]
    request_deletion(remote, voiceai_studio.producer, "It was a trial.")
    delete_remote_voice(str(remote.pk))
    remote.refresh_from_db()
    assert remote.deleted_at
    assert KEY not in json.dumps(remote.deletion_proof)
    assert KEY not in producer_client.get(remote.get_absolute_url()).content.decode()


def test_signed_urls_are_removed_from_provider_texts() -> None:
    url = f"https://who:{SIGNATURE}@{SIGNATURE}@files.example/a.wav?X-Signature={SIGNATURE}#{SIGNATURE}"
    message = f"Cannot read {url}, try again."
    model = {"model_id": "m", "status": "failed", "error": {"message": message}, "name": message}
    sample = {"title": message, "text": message, "audio_url": "https://v.example/1?x=2"}
    report = parse_report(model | {"samples": [sample]})
    assert report.issue == "Cannot read https://files.example/… try again."
    assert SIGNATURE not in f"{report.issue} {report.name} {report.samples}"
    assert report.samples[0].url == "https://v.example/1?x=2"


# --- Addresses and ids --------------------------------------------------------------------


@pytest.mark.parametrize(
    "internal_address",
    ["fec0::1", "64:ff9b:1::7f00:1", "64:ff9b:1::a9fe:a9fe", "::7f00:1", "::ffff:0:7f00:1", "192.0.0.8", "192.88.99.1",
     "5f00::1", "3fff::1"],
)  # fmt: skip
def test_internal_addresses_are_not_public(internal_address: str) -> None:
    assert not is_public(internal_address)


@pytest.mark.parametrize("slug", PROVIDERS_WITH_ID_URLS)
@pytest.mark.parametrize("remote_id", [".", ".."])
def test_call_with_dots_as_remote_id_fails_and_reaches_no_other_url(
    slug: str, remote_id: str, hostile: HostileServer
) -> None:
    with make_provider(slug, hostile) as provider:
        for call in (provider.fetch_build, provider.delete_voice):
            with pytest.raises(ProviderError):
                call(remote_id)
        with pytest.raises(ProviderError):
            provider.rename_voice(remote_id, "x")
    # AudioStack's calls have the id in the query string, where dots have no special meaning.
    assert slug == "audiostack" or hostile.received == []


def test_voice_with_dots_as_remote_id_is_rejected_and_not_reported_as_deleted(hostile: HostileServer) -> None:
    with make_provider("voiceai", hostile) as provider, pytest.raises(ProviderRejected) as error:
        provider.delete_voice("..")
    assert type(error.value) is ProviderRejected


@pytest.mark.django_db
def test_only_listed_unknown_voices_are_adopted_or_deleted(voiceai_studio: Studio, hostile: HostileServer) -> None:
    """The id comes from a form. It may be invented, or be the id of a known voice in another spelling."""
    account, voice = voiceai_studio.account, voiceai_studio.make_voice()
    known_voice = voiceai_studio.make_build(voice, BuildStatus.READY).remote_voice
    hostile.respond_with(make_response(200, {"voice_id": known_voice.remote_id, "status": "AVAILABLE"}))
    with pytest.raises(ActionRefused, match="another ID"):
        delete_unknown_voice(account, known_voice.remote_id.upper(), "rapid", voiceai_studio.producer, "x")
    Account.objects.update(provider="resemble_v1")
    account.refresh_from_db()
    hostile.respond_with(make_response(200, []))
    with pytest.raises(ActionRefused, match="has no voice with this ID"):
        adopt_voice(account, "made-up", "professional", voice, voiceai_studio.producer)
    assert RemoteVoice.objects.count() == 1


def test_url_removal_takes_linear_time() -> None:
    """For these texts, linear time is short, and quadratic time would be hours."""
    for part in ("@", "http://", "a@", "http://a@", "https://a/"):
        assert len(flatten_text(part * (1_000_000 // len(part)))) <= MAX_TEXT_LENGTH
        assert len(flatten_text("https://" + part * (1_000_000 // len(part)))) <= MAX_TEXT_LENGTH


# --- Limits -------------------------------------------------------------------------------


def test_endless_list_is_aborted(hostile: HostileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every page of the list is empty and announces more pages, while a user waits in the browser."""
    monkeypatch.setattr(account, "MAX_LIST_SECONDS", 0.05)
    hostile.respond_with(make_response(200, {"success": True, "items": [], "num_pages": 10**9}))
    with make_provider("resemble_v2", hostile) as provider, pytest.raises(ResponseUnreadable, match="an endless list"):
        list(provider.list_voices())
    assert 0 < len(hostile.received) < account.MAX_PAGES


def test_total_response_size_of_a_list_is_limited(hostile: HostileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_TOTAL_BYTES", 100_000)
    numbers = iter(range(1000))
    hostile.script = lambda _asked: [
        make_response(
            200, {"success": True, "items": [{"uuid": f"{next(numbers)}", "x": "x" * 30_000}], "num_pages": 1000}
        )
    ]
    with make_provider("resemble_v2", hostile) as provider, pytest.raises(ResponseUnreadable):
        list(provider.list_voices())
    assert len(hostile.received) == 4


@pytest.mark.django_db
def test_page_with_very_long_names_stays_small(
    voiceai_studio: Studio, hostile: HostileServer, producer_client: Client
) -> None:
    hostile.respond_with(
        make_response(200, [{"voice_id": f"{n}-{'i' * 20_000}", "name": "n" * 20_000} for n in range(50)])
    )
    page = producer_client.get(reverse("voices:unknown_voices", args=[voiceai_studio.account.pk]))
    assert b"50 unknown" in page.content
    assert len(page.content) < 200_000


def test_provider_texts_about_model_are_truncated() -> None:
    samples = [{"title": "t" * 50_000, "text": "x" * 50_000, "audio_url": f"https://v.example/{n}"} for n in range(500)]
    report = parse_report({"model_id": "m", "status": "failed", "error": ["why " * 50_000] * 3, "samples": samples})
    assert len(report.issue) <= MAX_TEXT_LENGTH
    assert 1 <= len(report.samples) <= 20
    assert len(report.samples[0].text) <= MAX_TEXT_LENGTH
    assert report.samples[0].url == "https://v.example/0"


@pytest.mark.django_db
def test_page_with_huge_deletion_proof_stays_small(
    voiceai_studio: Studio, hostile: HostileServer, viewer_client: Client
) -> None:
    remote = voiceai_studio.make_build(status=BuildStatus.READY).remote_voice
    responses = iter([make_response(200, {"deleted": "x" * 1_000_000}), make_response(404)])
    hostile.script = lambda _asked: [next(responses)]
    request_deletion(remote, voiceai_studio.producer, "It was a trial.")
    delete_remote_voice(str(remote.pk))
    page = viewer_client.get(remote.get_absolute_url()).content
    assert b"{&quot;deleted" in page.replace(b"\\&quot;", b"&quot;")
    assert len(page) < 100_000


@pytest.mark.django_db
def test_previews_are_limited_per_hour(voiceai_studio: Studio) -> None:
    """Each preview may cost money, and its button can be pressed a thousand times."""
    remote = voiceai_studio.make_build(status=BuildStatus.READY).remote_voice
    for number in range(MAX_PER_HOUR):
        request_preview(remote, f"Sentence number {number}.", voiceai_studio.producer)
    with pytest.raises(ActionRefused, match="previews per hour"):
        request_preview(remote, "One more.", voiceai_studio.producer)
    assert Preview.objects.count() == MAX_PER_HOUR
    Preview.objects.update(created_at=timezone.now() - HOUR)
    request_preview(remote, "One more.", voiceai_studio.producer)


# --- Users --------------------------------------------------------------------------------


@pytest.mark.django_db
def test_account_with_key_keeps_its_provider_and_mode(voiceai_studio: Studio, admin: User) -> None:
    """Otherwise an admin could send one vendor's key to another vendor, or in plain text to the sandbox."""
    client = Client()
    client.force_login(admin)
    account = voiceai_studio.account
    path = reverse("admin:voices_account_change", args=[account.pk])
    client.post(path, {"name": "Renamed", "provider": "speechgen", "mode": "live", "key": ""})
    account.refresh_from_db()
    assert (account.name, account.provider, account.mode) == ("Renamed", "voiceai", "sandbox")


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(name for name in ACCESS if ACCESS[name][0] == "post"))
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true", "Origin": "https://elsewhere.example"}])
def test_request_from_another_site_is_refused(name: str, headers: dict[str, str], admin: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin)
    assert (
        client.post(reverse_address(name), {"key": "x", "reason": "x", "text": "x"}, headers=headers).status_code == 403
    )
