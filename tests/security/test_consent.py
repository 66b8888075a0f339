"""A consent that ended gives no access to recordings. Hostile input from talents and staff does no harm."""

from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from consent.models import Consent, Talent
from consent.services.invitations import invite_talent, send_invitation
from tests.consent.rows import ConsentFactory, get_guest_url, make_clip, make_upload
from tests.voices.rows import Studio
from voicehub.models import User
from voicehub.tokens import hash_token
from voicehub.upload_limits import TAKES_PER_CONSENT
from voices.models import DatasetFetch
from voices.services.recordings.store import add_recording

pytestmark = pytest.mark.django_db
TOKEN = "t" * 43


@pytest.mark.parametrize("status", ["withdrawn", "suspended", "expired"])
def test_provider_cannot_download_dataset_after_consent_ended(studio: Studio, status: str) -> None:
    build = studio.make_build(dataset_digest=hash_token(TOKEN), handover="dataset_url")
    path = reverse("voices:dataset", args=[TOKEN, "dataset.wav"])
    assert Client().get(path).status_code == 200
    fetch_count = DatasetFetch.objects.count()
    Consent.objects.filter(pk=build.consent_id).update(status=status)
    assert Client().get(path).status_code == 404
    assert DatasetFetch.objects.count() == fetch_count


HOSTILE_DEVICES = {
    "deep list": "[" * 4000,
    "deep list in a key": '{"label": ' + "[" * 3900,
    "NaN": '{"label": "x", "sampleRate": NaN}',
    "infinity": '{"label": "x", "sampleRate": 1e999, "channelCount": -Infinity}',
    "huge number": '{"label": "x", "sampleRate": ' + "9" * 3900 + "}",
    "null character": '{"label": "\\u0000x"}',
    "lone surrogate": '{"label": "\\ud800x"}',
    "line break": '{"label": "x\\r\\n"}',
}


@pytest.mark.parametrize("device", HOSTILE_DEVICES.values(), ids=HOSTILE_DEVICES.keys())
def test_take_is_stored_despite_hostile_device_data(factory: ConsentFactory, device: str) -> None:
    consent = factory.make_consent()
    response = factory.open_link(consent).post(
        get_guest_url("submit", consent),
        {"file": make_upload(make_clip()), "recorded": "on", "device": device},
        headers={"accept": "application/json"},
    )
    assert response.status_code == 200
    assert consent.takes.get().device in ({}, {"label": "x"})


def test_link_holder_cannot_exceed_take_limit_per_consent(factory: ConsentFactory) -> None:
    consent, other = factory.make_consent(), factory.make_consent()
    guest = factory.open_link(consent)
    responses = [
        guest.post(
            get_guest_url("submit", consent),
            {"file": make_upload(f"no sound {number}".encode())},
            headers={"accept": "application/json"},
        )
        for number in range(TAKES_PER_CONSENT + 1)
    ]
    assert [response.status_code for response in responses] == [200] * TAKES_PER_CONSENT + [409]
    assert "Ask the studio for a new request." in responses[-1].json()["problem"]
    assert consent.takes.count() == TAKES_PER_CONSENT
    assert factory.make_take(other).acceptable


@pytest.fixture
def producer_client(client: Client, producer: User) -> Client:
    client.force_login(producer)
    return client


def post_form(client: Client, url_name: str, talent: Talent | None = None, **fields: Any) -> None:
    response = client.post(reverse(url_name, args=[talent.pk] if talent else []), fields)
    assert response.status_code == 302, response.content


def test_email_to_name_with_line_breaks_is_sent_without_forged_header(
    factory: ConsentFactory, producer_client: Client
) -> None:
    fields = {"name": "Tara\r\nBcc: x@evil.test", "email": "tara@voices.test", "language": "en"}
    post_form(producer_client, "consent:talent_add", None, **fields)
    talent = Talent.objects.get()
    form = {"language": "en-US", "use": "resemble_v2:narration", "company": "Studio\r\nBcc: x@evil.test"}
    post_form(producer_client, "consent:consent_ask", talent, **form)
    consent = Consent.objects.get()
    assert (talent.name, consent.company) == ("Tara Bcc: x@evil.test", "Studio Bcc: x@evil.test")
    factory.ensure_contract(consent)
    send_invitation(str(invite_talent([consent], factory.producer).pk))
    (message,) = mail.outbox
    assert message.recipients() == ["tara@voices.test"]
    assert set(message.message().keys()) == {
        "Content-Type", "MIME-Version", "Subject", "From", "To", "Date", "Message-ID",
    }  # fmt: skip


def test_search_text_with_null_byte_gives_normal_page(producer_client: Client) -> None:
    assert producer_client.get(reverse("consent:talent_list"), {"search": "Ta\x00ra"}).status_code == 200


def test_line_breaks_in_transcript_become_spaces(studio: Studio, producer: User) -> None:
    voice = studio.make_voice()
    recording, _ = add_recording(voice, make_upload(make_clip()), producer, transcript="One\r\nother|Two\u2028three")
    assert recording.transcript == "One other|Two three"
