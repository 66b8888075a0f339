"""The talent's own recording on the receipt and on the first page: its waveform, and where it is shown."""

import base64
import re
from typing import Any

import numpy as np
import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from consent.models import Consent, Purpose, Take
from consent.services.review import withdraw_consent
from consent.templatetags.consents import TAKE_BARS, TAKE_BARS_HEIGHT
from tests.consent.rows import ConsentFactory, get_guest_url, get_invitation, make_clip, read_page
from tests.support.scripts import run_script
from tests.support.task_runner import run_due_tasks
from voicehub.wave_paths import make_wave_path

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

PLAYER = re.compile(r'data-own-recording="([^"]+)".*?</audio>', re.DOTALL)
READ_BARS = "(file) => m.drawBars(Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0)).buffer)"


def read_players(page: str) -> list[str]:
    """The addresses of the recordings that can be played."""
    return PLAYER.findall(page)


def list_sizes(path: str) -> list[int]:
    return [int(size) for size in re.findall(r"v(\d+)", path)]


def open_home(factory: ConsentFactory, *consents: Consent) -> str:
    return read_page(factory.open_link(*consents, is_read=False), get_guest_url("home", consents[0]))


def test_receipt_has_the_waveform_of_the_stored_peaks(factory: ConsentFactory) -> None:
    consent = factory.make_submitted_consent()
    take = Take.objects.get()
    page = read_page(factory.open_link(consent, is_read=False), get_guest_url("receipt", consent))
    path = make_wave_path(take.peaks, TAKE_BARS, TAKE_BARS_HEIGHT)
    sizes = list_sizes(path)
    assert len(sizes) == TAKE_BARS and min(sizes) == 1 and max(sizes) > 10, "pauses and speech"
    assert page.count(f'd="{path}"') == 2, "all of it, and the part that is played"
    assert page.count(f'viewBox="0 0 {TAKE_BARS} {TAKE_BARS_HEIGHT}"') == 2
    assert read_players(page) == [get_guest_url("recording", consent)]
    assert "wavesurfer" not in page


def test_first_page_plays_each_recording_that_has_a_receipt(factory: ConsentFactory) -> None:
    talent = factory.make_talent()
    approved = factory.make_approved_consent(talent)
    newest = factory.make_take(sent := factory.make_consent(talent, Purpose.ADVERTISING), make_clip(7))
    asked = factory.make_consent(talent, Purpose.INTERNAL)
    page = open_home(factory, approved, sent, asked)
    assert sorted(read_players(page)) == sorted(get_guest_url("recording", one) for one in (approved, sent))
    assert make_wave_path(newest.peaks, TAKE_BARS, TAKE_BARS_HEIGHT) in page
    assert "css/recorder" in page and "js/recorder/own-recording" in page
    withdraw_consent(approved, None, "")
    page = open_home(factory, approved, sent)
    assert read_players(page) == [get_guest_url("recording", sent)]


def test_first_page_without_a_recording_loads_nothing_for_it(factory: ConsentFactory) -> None:
    page = open_home(factory, factory.make_consent())
    assert "css/recorder" not in page and "own-recording" not in page


def test_takes_of_all_consents_are_read_with_one_query(factory: ConsentFactory) -> None:
    talent = factory.make_talent()
    consents = [factory.make_approved_consent(talent, purpose) for purpose in (Purpose.NARRATION, Purpose.ADVERTISING)]
    client = factory.open_link(*consents, is_read=False)
    with CaptureQueriesContext(connection) as queries:
        assert len(read_players(read_page(client, get_guest_url("home", consents[0])))) == 2
    assert sum('FROM "consent_take"' in query["sql"] for query in queries) == 1


def test_waveform_is_shown_only_after_the_code(factory: ConsentFactory, settings: Any) -> None:
    settings.VOICEHUB_TALENT_CODES = True
    consent = factory.make_submitted_consent()
    client, url = factory.open_link(consent, is_read=False), get_guest_url("home", consent)
    page = read_page(client, url)
    assert read_players(page) == [] and "Your receipt" in page and "own-recording" not in page
    enter_code(client, consent)
    assert read_players(read_page(client, url)) == [get_guest_url("recording", consent)]


def enter_code(client: Client, consent: Consent) -> None:
    url = reverse("invitation:code", args=[get_invitation(consent).pk])
    mail.outbox.clear()
    client.post(url, {"send": "1"})
    run_due_tasks("send_code")
    (code,) = re.findall(r"^(\d{6})$", str(mail.outbox[0].body), re.MULTILINE)
    assert client.post(url, {"code": code}).status_code == 302


def test_take_without_peaks_has_a_player_without_bars(factory: ConsentFactory) -> None:
    consent = factory.make_submitted_consent()
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {Take._meta.db_table} SET peaks = '[]'")  # noqa: S608 - a fixed name
    page = open_home(factory, consent)
    assert len(read_players(page)) == 1 and '<path data-part="bars" />' in page


def test_recorder_draws_the_bars_that_the_server_draws_later(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    clip = make_clip()
    assert clip[36:40] == b"data"
    take = factory.make_take(consent, clip)
    path = run_script("js/recorder/take-bars.js", READ_BARS, base64.b64encode(clip).decode())
    drawn, stored = list_sizes(path), list_sizes(make_wave_path(take.peaks, TAKE_BARS, TAKE_BARS_HEIGHT))
    assert len(drawn) == len(stored) == TAKE_BARS
    assert np.abs(np.subtract(drawn, stored)).max() <= 1, "peaks are stored in steps of 1/128"
    assert path.startswith("M0.5 ") and "M55.5 " in path
    silent = clip[:44] + bytes(len(clip) - 44)
    path = run_script("js/recorder/take-bars.js", READ_BARS, base64.b64encode(silent).decode())
    assert set(list_sizes(path)) == {1}
