"""The server refuses a take without audible speech, as the recorder does, and stores nothing."""

import re
from pathlib import Path

import numpy as np
import pytest
from django.test import Client

from consent.models import ConsentStatus, EventKind, Take
from consent.services.finding_words import EMPTY_TAKE_CODES
from tests.consent.rows import ConsentFactory, get_guest_url, get_url, make_upload, read_in_studio
from tests.support.html import read_html
from tests.support.wav import RATE, make_speech_like, make_wav_bytes, make_white_noise

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

SILENT_TEXT = "it is silent. Check the microphone, then record it again."
EMPTY_TAKES = {
    "zero frames": (make_wav_bytes(data=b""), "zero seconds. Record it again."),
    "digital silence": (make_wav_bytes(np.zeros(RATE * 4)), SILENT_TEXT),
    "near silence": (make_wav_bytes(make_white_noise(4.0, -70.0)), SILENT_TEXT),
    "too short": (make_wav_bytes(make_speech_like(1.9)), "at least 2 are needed. Record a longer passage."),
}
for_each_empty_take = pytest.mark.parametrize(("data", "text"), EMPTY_TAKES.values(), ids=EMPTY_TAKES)
for_each_capture = pytest.mark.parametrize("recorded", ["on", ""])


def list_stored_files() -> set[Path]:
    root = Path(Take._meta.get_field("file").storage.location)  # type: ignore[attr-defined]  # stored on disk in tests
    return set(root.rglob("*.wav"))


@for_each_capture
@for_each_empty_take
def test_empty_take_from_staff_is_refused_and_not_stored(
    factory: ConsentFactory, producer_client: Client, data: bytes, text: str, recorded: str
) -> None:
    consent, files_before = read_in_studio(factory.make_consent()), list_stored_files()
    form = {"file": make_upload(data), "recorded": recorded}
    response = producer_client.post(get_url("take_upload", consent), form, follow=True)
    page = read_html(response)
    assert text in page and "This recording was not saved." in page
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.REQUESTED and not Take.objects.exists()
    assert not consent.events.filter(kind=EventKind.TAKE).exists() and list_stored_files() == files_before


@for_each_capture
@for_each_empty_take
def test_empty_take_from_talent_is_refused(factory: ConsentFactory, data: bytes, text: str, recorded: str) -> None:
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    url = get_guest_url("submit", consent)
    form = {"file": make_upload(data), "recorded": recorded}
    assert text in guest.post(url, form, follow=True).content.decode()
    form = {"file": make_upload(data), "recorded": recorded}
    response = guest.post(url, form, headers={"accept": "application/json"})
    assert response.status_code == 422 and text in response.json()["problem"]
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.REQUESTED and not Take.objects.exists()


def test_audible_take_is_stored(factory: ConsentFactory) -> None:
    assert factory.make_take(factory.make_consent(), make_wav_bytes(make_speech_like(2.1))).acceptable
    assert not factory.make_take(factory.make_consent(), make_wav_bytes(make_speech_like(130.0))).acceptable, (
        "too long, but stored with its finding"
    )


def test_server_refuses_same_codes_as_recorder_except_too_long() -> None:
    recorder = Path(__file__).parents[2] / "static" / "js" / "recorder" / "checks.js"
    blocking_codes = set(re.findall(r'block\("(\w+)"', recorder.read_text()))
    assert (
        blocking_codes - {"too_long"}
        == EMPTY_TAKE_CODES & blocking_codes
        == EMPTY_TAKE_CODES - {"empty_file", "data_empty", "no_sound"}
    )
