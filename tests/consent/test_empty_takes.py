"""A recording with nothing to hear is no consent: the server refuses it as the recorder does, and keeps nothing."""

import re
from pathlib import Path

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from consent.models import ConsentStatus, EventKind, Take
from consent.services.takes import EMPTY_TAKE_CODES
from tests.consent.rows import ConsentFactory, get_url, make_upload
from tests.support.html import read_html
from tests.support.wav import RATE, noise, speech_like, wav_bytes

pytestmark = pytest.mark.django_db

SILENT = "it is silent. Check the microphone, then record it again."
EMPTY = {
    "zero frames": (wav_bytes(data=b""), "zero seconds. Record it again."),
    "digital silence": (wav_bytes(np.zeros(RATE * 4)), SILENT),
    "near silence": (wav_bytes(noise(4.0, -70.0)), SILENT),
    "too short": (wav_bytes(speech_like(1.9)), "at least 2 are needed. Record a longer passage."),
}
each_empty = pytest.mark.parametrize(("data", "words"), EMPTY.values(), ids=EMPTY)
each_way = pytest.mark.parametrize("recorded", ["on", ""])


def stored_files() -> set[Path]:
    root = Path(Take._meta.get_field("file").storage.location)  # type: ignore[attr-defined]  # kept on the disk here
    return set(root.rglob("*.wav"))


@each_way
@each_empty
def test_staff_cannot_file_a_recording_with_nothing_to_hear(
    factory: ConsentFactory, as_producer: Client, data: bytes, words: str, recorded: str
) -> None:
    consent, before = factory.make_consent(), stored_files()
    sent = {"file": make_upload(data), "recorded": recorded}
    response = as_producer.post(get_url("take_upload", consent), sent, follow=True)
    shown = read_html(response)
    assert words in shown and "This recording was not saved." in shown
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.REQUESTED and not Take.objects.exists()
    assert not consent.events.filter(kind=EventKind.TAKE).exists() and stored_files() == before


@each_way
@each_empty
def test_a_talent_cannot_send_a_recording_with_nothing_to_hear(
    factory: ConsentFactory, data: bytes, words: str, recorded: str
) -> None:
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    address = reverse("invitation:submit", args=[consent.pk])
    sent = {"file": make_upload(data), "recorded": recorded}
    assert words in guest.post(address, sent, follow=True).content.decode()
    again = {"file": make_upload(data), "recorded": recorded}
    answer = guest.post(address, again, headers={"accept": "application/json"})
    assert answer.status_code == 422 and words in answer.json()["problem"]
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.REQUESTED and not Take.objects.exists()


def test_a_recording_with_something_to_hear_is_still_kept(factory: ConsentFactory) -> None:
    assert factory.make_take(factory.make_consent(), wav_bytes(speech_like(2.1))).acceptable
    assert not factory.make_take(factory.make_consent(), wav_bytes(speech_like(130.0))).acceptable, (
        "too long, kept with its finding"
    )


def test_the_server_refuses_what_the_recorder_refuses_but_too_long_a_take() -> None:
    recorder = Path(__file__).parents[2] / "static" / "js" / "recorder" / "checks.js"
    blocking = set(re.findall(r'block\("(\w+)"', recorder.read_text()))
    assert blocking - {"too_long"} == EMPTY_TAKE_CODES & blocking == EMPTY_TAKE_CODES - {"empty_file", "data_empty"}
