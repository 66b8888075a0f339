"""What a provider, or somebody who only works with one, can do to us: answers, addresses, ids and costs."""

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
from providers.resemble_v2 import adapter
from providers.speechgen.parsing import parse_report
from tests.providers.factories import make_upload_file
from tests.support.hostile import Hostile, answer
from tests.test_urls import ACCESS, address
from tests.voices.rows import Studio
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voices.models import Account, BuildStatus, Preview, RemoteVoice
from voices.services.previews import HOUR, MAX_PER_HOUR, request_preview
from voices.services.remote_voices import delete_remote_voice, refresh_remote_voice, request_deletion
from voices.services.unknown_voices import adopt_voice, delete_unknown_voice

pytestmark = pytest.mark.one_database

KEY = "canary-key-7391-of-the-account"
SIGNED = "signature-0f3a9c"
BY_ID = ["resemble_v2", "audiostack", "speechgen", "voiceai"]


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    server = Hostile()
    yield server
    server.close()


@pytest.fixture
def house(producer: User, hostile: Hostile, settings: Any) -> Studio:
    """A studio with an account at Voice.ai, behind which is whoever the test makes it."""
    settings.VOICEHUB_SANDBOX_URL = hostile.address
    account = Account(name="Main", provider="voiceai", mode="sandbox")
    account.set_key(KEY)
    account.save(force_insert=True)
    return Studio(producer, account, provider="voiceai")


def opened(slug: str, server: Hostile) -> HttpProvider:
    found = registry.get_provider_class(slug)
    assert issubclass(found, HttpProvider)
    return found(KEY, sandbox_url=server.address, sandboxed=True)


# --- Secrets ------------------------------------------------------------------------------


def test_no_address_that_lets_somebody_in_is_logged_at_any_level(
    hostile: Hostile, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("voices").debug("something is heard")
    with opened("resemble_v1", hostile) as provider:
        parcel = make_upload_file("voice.wav", "audio/x-wav", b"RIFF")
        provider.upload_file("send", f"{hostile.address}/put?X-Signature={SIGNED}", {}, parcel, lambda _sent: None)
    assert hostile.asked[0].line.endswith(f"{SIGNED} HTTP/1.1")
    assert "something is heard" in caplog.text
    assert SIGNED not in caplog.text


@pytest.mark.django_db
def test_a_key_that_a_provider_repeats_is_neither_kept_nor_shown(
    house: Studio, hostile: Hostile, as_producer: Client
) -> None:
    remote = house.make_build(status=BuildStatus.READY).remote_voice
    said = {"voice_id": remote.remote_id, "name": f"by {KEY}", "status": f"OF {KEY}", "owner": {KEY: [KEY]}}
    hostile.says(answer(200, said))
    refresh_remote_voice(remote)
    remote.refresh_from_db()
    assert remote.raw_response["voice_id"] == remote.remote_id
    assert KEY not in f"{remote.raw_response} {remote.name} {remote.raw_status}"

    gone = iter([answer(200, {"deleted": True, "by": KEY}), answer(404)])
    hostile.script = lambda _asked: [next(gone)]
    request_deletion(remote, house.producer, "It was a trial.")
    delete_remote_voice(str(remote.pk))
    remote.refresh_from_db()
    assert remote.deleted_at
    assert KEY not in json.dumps(remote.deletion_proof)
    assert KEY not in as_producer.get(remote.get_absolute_url()).content.decode()


def test_no_address_that_lets_somebody_in_stands_in_what_people_read() -> None:
    told = f"Cannot read https://who:{SIGNED}@{SIGNED}@files.example/a.wav?X-Signature={SIGNED}#{SIGNED}, try again."
    model = {"model_id": "m", "status": "failed", "error": {"message": told}, "name": told}
    report = parse_report(model | {"samples": [{"title": told, "text": told, "audio_url": "https://v.example/1?x=2"}]})
    assert report.issue == "Cannot read https://files.example/… try again."
    assert SIGNED not in f"{report.issue} {report.name} {report.samples}"
    assert report.samples[0].url == "https://v.example/1?x=2"


# --- Addresses and ids --------------------------------------------------------------------


@pytest.mark.parametrize(
    "inside",
    ["fec0::1", "64:ff9b:1::7f00:1", "64:ff9b:1::a9fe:a9fe", "::7f00:1", "::ffff:0:7f00:1", "192.0.0.8", "192.88.99.1",
     "5f00::1", "3fff::1"],
)  # fmt: skip
def test_no_address_of_a_provider_leads_inside(inside: str) -> None:
    assert not is_public(inside)


@pytest.mark.parametrize("slug", BY_ID)
@pytest.mark.parametrize("remote_id", [".", ".."])
def test_no_id_leads_to_another_address_of_the_provider(slug: str, remote_id: str, hostile: Hostile) -> None:
    with opened(slug, hostile) as provider:
        for act in (provider.fetch_build, provider.delete_voice):
            with pytest.raises(ProviderError):
                act(remote_id)
        with pytest.raises(ProviderError):
            provider.rename_voice(remote_id, "x")
    # AudioStack's ids stand behind a question mark, where dots are dots.
    assert slug == "audiostack" or hostile.asked == []


def test_an_id_of_dots_is_not_taken_for_a_voice_that_is_gone(hostile: Hostile) -> None:
    with opened("voiceai", hostile) as provider, pytest.raises(ProviderRejected) as told:
        provider.delete_voice("..")
    assert type(told.value) is ProviderRejected


@pytest.mark.django_db
def test_only_what_the_provider_shows_is_adopted(house: Studio, hostile: Hostile) -> None:
    """The id comes from a form, and may be any: one that is made up, or another spelling of a voice that is known."""
    voice = house.make_voice()
    known = house.make_build(voice, BuildStatus.READY).remote_voice
    hostile.says(answer(200, {"voice_id": known.remote_id, "status": "AVAILABLE"}))
    with pytest.raises(ActionRefused, match="another ID"):
        delete_unknown_voice(house.account, known.remote_id.upper(), "rapid", house.producer, "x")
    Account.objects.update(provider="resemble_v1")
    house.account.refresh_from_db()
    hostile.says(answer(200, []))
    with pytest.raises(ActionRefused, match="has no voice with this ID"):
        adopt_voice(house.account, "made-up", "professional", voice, house.producer)
    assert RemoteVoice.objects.count() == 1


def test_hiding_addresses_takes_no_longer_for_hostile_text() -> None:
    """What grows by the square would take hours for these; by the length, it is over at once."""
    for piece in ("@", "http://", "a@", "http://a@", "https://a/"):
        assert len(flatten_text(piece * (1_000_000 // len(piece)))) <= MAX_TEXT_LENGTH
        assert len(flatten_text("https://" + piece * (1_000_000 // len(piece)))) <= MAX_TEXT_LENGTH


# --- Too much -----------------------------------------------------------------------------


def test_a_list_without_end_is_left(hostile: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every page names more of them, and brings nothing: somebody waits for it in the browser."""
    monkeypatch.setattr(adapter, "MAX_LIST_SECONDS", 0.05)
    hostile.says(answer(200, {"success": True, "items": [], "num_pages": 10**9}))
    with opened("resemble_v2", hostile) as provider, pytest.raises(ResponseUnreadable, match="an endless list"):
        list(provider.list_voices())
    assert 0 < len(hostile.asked) < adapter.MAX_PAGES


def test_many_answers_together_are_too_much_too(hostile: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_TOTAL_BYTES", 100_000)
    numbers = iter(range(1000))
    hostile.script = lambda _asked: [
        answer(200, {"success": True, "items": [{"uuid": f"{next(numbers)}", "x": "x" * 30_000}], "num_pages": 1000})
    ]
    with opened("resemble_v2", hostile) as provider, pytest.raises(ResponseUnreadable):
        list(provider.list_voices())
    assert len(hostile.asked) == 4


@pytest.mark.django_db
def test_a_list_of_endless_names_makes_a_page_that_opens(house: Studio, hostile: Hostile, as_producer: Client) -> None:
    hostile.says(answer(200, [{"voice_id": f"{n}-{'i' * 20_000}", "name": "n" * 20_000} for n in range(50)]))
    page = as_producer.get(reverse("voices:unknown_voices", args=[house.account.pk]))
    assert b"50 unknown" in page.content
    assert len(page.content) < 200_000


def test_what_a_provider_says_of_a_model_is_cut_to_size() -> None:
    samples = [{"title": "t" * 50_000, "text": "x" * 50_000, "audio_url": f"https://v.example/{n}"} for n in range(500)]
    report = parse_report({"model_id": "m", "status": "failed", "error": ["why " * 50_000] * 3, "samples": samples})
    assert len(report.issue) <= MAX_TEXT_LENGTH
    assert 1 <= len(report.samples) <= 20
    assert len(report.samples[0].text) <= MAX_TEXT_LENGTH
    assert report.samples[0].url == "https://v.example/0"


@pytest.mark.django_db
def test_a_proof_without_end_makes_a_page_that_opens(house: Studio, hostile: Hostile, as_viewer: Client) -> None:
    remote = house.make_build(status=BuildStatus.READY).remote_voice
    gone = iter([answer(200, {"deleted": "x" * 1_000_000}), answer(404)])
    hostile.script = lambda _asked: [next(gone)]
    request_deletion(remote, house.producer, "It was a trial.")
    delete_remote_voice(str(remote.pk))
    page = as_viewer.get(remote.get_absolute_url()).content
    assert b"{&quot;deleted" in page.replace(b"\\&quot;", b"&quot;")
    assert len(page) < 100_000


@pytest.mark.django_db
def test_a_voice_does_not_speak_without_end(house: Studio) -> None:
    """Each sentence may be charged for, and a button can be pressed a thousand times."""
    remote = house.make_build(status=BuildStatus.READY).remote_voice
    for number in range(MAX_PER_HOUR):
        request_preview(remote, f"Sentence number {number}.", house.producer)
    with pytest.raises(ActionRefused, match="previews per hour"):
        request_preview(remote, "One more.", house.producer)
    assert Preview.objects.count() == MAX_PER_HOUR
    Preview.objects.update(created_at=timezone.now() - HOUR)
    request_preview(remote, "One more.", house.producer)


# --- People -------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_key_is_never_taken_to_another_provider(house: Studio, admin: User) -> None:
    """Who edits an account could else have the key of one vendor sent to another, or in clear to the sandbox."""
    client = Client()
    client.force_login(admin)
    path = reverse("admin:voices_account_change", args=[house.account.pk])
    client.post(path, {"name": "Renamed", "provider": "speechgen", "mode": "live", "key": ""})
    house.account.refresh_from_db()
    assert (house.account.name, house.account.provider, house.account.mode) == ("Renamed", "voiceai", "sandbox")


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(name for name in ACCESS if ACCESS[name][0] == "post"))
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true", "Origin": "https://elsewhere.example"}])
def test_nothing_is_done_for_a_page_of_another_site(name: str, headers: dict[str, str], admin: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin)
    assert client.post(address(name), {"key": "x", "reason": "x", "text": "x"}, headers=headers).status_code == 403
