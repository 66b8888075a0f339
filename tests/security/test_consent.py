"""A consent that is taken back, and what a talent's browser or a form of staff may put into it."""

from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from consent.models import Consent, Talent
from consent.services.invitations import invite_talent, send_invitation
from tests.consent.rows import ConsentFactory, make_clip, make_upload
from tests.voices.rows import Studio
from voicehub.models import User
from voicehub.tokens import hash_token
from voicehub.upload_limits import TAKES_PER_CONSENT
from voices.models import DatasetFetch
from voices.services.recordings.store import add_recording

pytestmark = pytest.mark.django_db
TOKEN = "t" * 43


@pytest.mark.parametrize("status", ["withdrawn", "suspended", "expired"])
def test_a_consent_that_ends_closes_the_dataset_that_a_provider_fetches(studio: Studio, status: str) -> None:
    build = studio.make_build(dataset_digest=hash_token(TOKEN), handover="dataset_url")
    path = reverse("voices:dataset", args=[TOKEN, "dataset.wav"])
    assert Client().get(path).status_code == 200
    opened = DatasetFetch.objects.count()
    Consent.objects.filter(pk=build.consent_id).update(status=status)
    assert Client().get(path).status_code == 404
    assert DatasetFetch.objects.count() == opened


HOSTILE_DEVICES = {
    "deep": "[" * 4000,
    "deep in a key": '{"label": ' + "[" * 3900,
    "no number": '{"label": "x", "sampleRate": NaN}',
    "no end": '{"label": "x", "sampleRate": 1e999, "channelCount": -Infinity}',
    "huge": '{"label": "x", "sampleRate": ' + "9" * 3900 + "}",
    "nothing": '{"label": "\\u0000x"}',
    "half a pair": '{"label": "\\ud800x"}',
    "lines": '{"label": "x\\r\\n"}',
}


@pytest.mark.parametrize("device", HOSTILE_DEVICES.values(), ids=HOSTILE_DEVICES.keys())
def test_nothing_that_a_browser_says_of_its_microphone_loses_a_take(factory: ConsentFactory, device: str) -> None:
    consent = factory.make_consent()
    answer = factory.open_link(consent).post(
        reverse("invitation:submit", args=[consent.pk]),
        {"file": make_upload(make_clip()), "recorded": "on", "device": device},
        headers={"accept": "application/json"},
    )
    assert answer.status_code == 200
    assert consent.takes.get().device in ({}, {"label": "x"})


def test_the_holder_of_a_link_cannot_fill_the_disk_with_takes(factory: ConsentFactory) -> None:
    consent, other = factory.make_consent(), factory.make_consent()
    guest = factory.open_link(consent)
    answers = [
        guest.post(
            reverse("invitation:submit", args=[consent.pk]),
            {"file": make_upload(f"no sound {number}".encode())},
            headers={"accept": "application/json"},
        )
        for number in range(TAKES_PER_CONSENT + 1)
    ]
    assert [answer.status_code for answer in answers] == [200] * TAKES_PER_CONSENT + [409]
    assert "Ask the studio for a new request." in answers[-1].json()["problem"]
    assert consent.takes.count() == TAKES_PER_CONSENT
    assert factory.make_take(other).acceptable


@pytest.fixture
def paula(client: Client, producer: User) -> Client:
    client.force_login(producer)
    return client


def post(client: Client, address: str, talent: Talent | None = None, **fields: Any) -> None:
    response = client.post(reverse(address, args=[talent.pk] if talent else []), fields)
    assert response.status_code == 302, response.content


def test_names_with_line_breaks_neither_forge_a_header_nor_hold_the_mail_up(
    factory: ConsentFactory, paula: Client
) -> None:
    post(paula, "consent:talent_add", name="Tara\r\nBcc: x@evil.test", email="tara@voices.test")
    talent = Talent.objects.get()
    ask = {"statement": "resemble_v2:en-US", "purpose": "narration", "company": "Studio\r\nBcc: x@evil.test"}
    post(paula, "consent:consent_ask", talent, **ask)
    consent = Consent.objects.get()
    assert (talent.name, consent.company) == ("Tara Bcc: x@evil.test", "Studio Bcc: x@evil.test")
    send_invitation(str(invite_talent([consent], factory.producer).pk))
    (sent,) = mail.outbox
    assert sent.recipients() == ["tara@voices.test"]
    assert set(sent.message().keys()) == {
        "Content-Type", "MIME-Version", "Content-Transfer-Encoding", "Subject", "From", "To", "Date", "Message-ID",
    }  # fmt: skip


def test_a_search_for_a_character_that_no_database_takes_finds_nothing_odd(paula: Client) -> None:
    assert paula.get(reverse("consent:talent_list"), {"search": "Ta\x00ra"}).status_code == 200


def test_a_transcript_cannot_add_lines_to_the_table_of_a_dataset(studio: Studio, producer: User) -> None:
    voice = studio.make_voice()
    recording, _ = add_recording(voice, make_upload(make_clip()), producer, transcript="One\r\nother|Two\u2028three")
    assert recording.transcript == "One other|Two three"
