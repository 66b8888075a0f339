"""Files in the formats of phones and recorders are accepted as takes: the original is kept, and a WAV is made of it."""

import hashlib
import io
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.test import Client

from audio.findings.catalog import CODES
from audio.findings.findings import Severity
from audio.wav import convert
from audio.wav.riff import read_header
from consent.models import Capture, Consent, ConsentStatus, EventKind, Take, TakeCheck
from consent.playback import SESSION_KEY
from consent.services.finding_words import FILE_CODES
from consent.services.take_checks import check_take
from consent.take_files import TALENT_ADVICE
from tests.consent.rows import ConsentFactory, get_guest_url, get_url, make_clip, make_upload, read_page
from tests.support.approval import approve_after_listening
from tests.support.html import read_html
from tests.support.sounds import encode_with_ffmpeg, encode_with_libsndfile, make_video_without_sound
from tests.support.wav import encode_pcm, make_speech_like, make_wav_bytes

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

RATE = 48000
SPEECH = make_speech_like(3.0, RATE)
STEREO = np.stack([SPEECH, SPEECH * 0.9], axis=1)


def make_m4a(samples: Any = SPEECH) -> bytes:
    return encode_with_ffmpeg(samples, RATE, "ipod", "aac")


def make_pipe_wav(**lengths: Any) -> bytes:
    return make_wav_bytes(data=encode_pcm(make_speech_like(3.0)), **lengths)


FILES: dict[str, Callable[[], bytes]] = {
    "voice memo.m4a": make_m4a,
    "whatsapp.opus": lambda: encode_with_libsndfile(SPEECH, RATE, "OGG", "OPUS"),
    "recorder.mp3": lambda: encode_with_libsndfile(SPEECH, RATE, "MP3", "MPEG_LAYER_III"),
    "studio.wav": lambda: encode_with_libsndfile(STEREO, RATE, "WAV", "PCM_24"),
    "sox pipe.wav": lambda: make_pipe_wav(riff_size=0x7FFFF024, data_size=0x7FFFF000),
    "browser.wav": lambda: make_pipe_wav(riff_size_shift=8),
    "killed.wav": lambda: make_pipe_wav(data_size=0),
}


def send(client: Client, consent: Consent, data: bytes, name: str = "memo.m4a", url: str = "") -> Any:
    """Send a file as the form does without scripts."""
    url = url or get_guest_url("submit", consent)
    return client.post(url, {"file": make_upload(data, name, "application/octet-stream")})


def read_file(file: Any) -> bytes:
    with file.open("rb") as opened:
        return bytes(opened.read())


@pytest.mark.parametrize("name", FILES)
def test_original_is_kept_and_a_wav_is_made_with_both_hashes_in_the_audit_log(
    factory: ConsentFactory, name: str
) -> None:
    consent, data = factory.make_consent(), FILES[name]()
    response = send(factory.open_link(consent), consent, data, name)
    assert response.headers["Location"] == get_guest_url("receipt", consent)
    take = consent.takes.get()
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.SUBMITTED and take.acceptable and take.capture == Capture.UPLOAD
    assert read_file(take.file) == data and take.sha256 == hashlib.sha256(data).hexdigest()
    assert (take.size, take.file_name) == (len(data), name)
    wav = read_file(take.wav)
    header = read_header(io.BytesIO(wav))
    assert (header.channels, header.bits) == (1, 16) and header.seconds == pytest.approx(3.0, abs=0.2)
    assert take.wav_sha256 == hashlib.sha256(wav).hexdigest() != take.sha256
    assert take.recipe["from_sha256"] == take.sha256 and take.seconds == header.seconds
    payload = consent.events.get(kind=EventKind.TAKE).payload
    assert (payload["sha256"], payload["wav_sha256"]) == (take.sha256, take.wav_sha256)


def test_plain_wav_needs_no_second_file(factory: ConsentFactory) -> None:
    take = factory.make_take(factory.make_consent())
    assert not take.wav and take.wav_sha256 == "" and take.recipe == {} and take.sound == take.file
    assert "wav_sha256" not in take.consent.events.get(kind=EventKind.TAKE).payload


@pytest.fixture
def take(factory: ConsentFactory) -> Take:
    return factory.make_take(factory.make_consent(), make_m4a())


def test_converted_wav_is_checked_and_both_hashes_are_approved(
    factory: ConsentFactory, take: Take, producer_client: Client
) -> None:
    check_take(str(take.pk))
    assert TakeCheck.objects.get(take=take).measures and TakeCheck.objects.get(take=take).fine_peaks
    page = read_page(producer_client, take.consent.get_absolute_url())
    assert take.sha256 in page and take.wav_sha256 in page and get_url("take_original", take) in page
    assert "was converted to a 16-bit mono WAV" in page
    approve_after_listening(take.consent, take, factory.producer)
    payload = take.consent.events.get(kind=EventKind.APPROVED).payload
    assert (payload["sha256"], payload["wav_sha256"]) == (take.sha256, take.wav_sha256)


def test_player_gets_the_wav_and_the_download_is_the_original(take: Take, producer_client: Client) -> None:
    original = producer_client.get(get_url("take_original", take))
    assert b"".join(original) == read_file(take.file)
    assert original.headers["Content-Disposition"].startswith("attachment;")
    assert SESSION_KEY not in producer_client.session, "a download is no evidence that a person listened"
    played = producer_client.get(get_url("take_audio", take))
    assert b"".join(played) == read_file(take.wav) and played.headers["Content-Type"] == "audio/wav"
    assert SESSION_KEY in producer_client.session


def test_download_has_the_ending_of_the_original_only_if_it_is_one_of_sound(
    factory: ConsentFactory, producer_client: Client
) -> None:
    for name, suffix in (("memo.M4A", ".m4a"), ("page.html", ".bin"), ("memo", ".bin"), ("a.", ".bin")):
        consent = factory.make_consent()
        send(factory.open_link(consent), consent, make_clip(), name)
        response = producer_client.get(get_url("take_original", consent.takes.get()))
        response.getvalue()
        assert response.headers["Content-Disposition"].endswith(f'{suffix}"'), name


# --- Files that cannot be used ------------------------------------------------------------


def read_problem(response: Any) -> str:
    """The problem beside the field of the form, which is open."""
    assert response.status_code in (409, 422)
    page = read_html(response)
    assert 'aria-invalid="true" autofocus' in page and ("<details open>" in page or "card-body" in page)
    start = page.index('data-part="problem">') + len('data-part="problem">')
    return page[start : page.index("</p>", start)]


@pytest.fixture
def no_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyAV is not installed. The job runs in this process, because a child would still find it."""
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.setattr(convert, "run_job", lambda job, source, arguments, *_: job(source, **arguments))
    monkeypatch.setattr("audio.networks.installed.find_spec", lambda name: None if name == "av" else object())


@pytest.mark.usefixtures("no_decoder")
def test_missing_decoder_says_what_to_install_to_staff_and_what_to_do_instead_to_talents(
    factory: ConsentFactory, producer_client: Client
) -> None:
    consent, data = factory.make_consent(), make_m4a_beforehand()
    guest = factory.open_link(consent)
    problem = read_problem(send(guest, consent, data))
    assert "This is an M4A or MP4 file, and its decoder is not installed." in problem
    assert str(TALENT_ADVICE) in problem and "make extras" not in problem
    problem = read_problem(send(producer_client, consent, data, url=get_url("take_upload", consent)))
    assert "ask the administrator to run: make extras" in problem
    assert [read_file(take.file) for take in consent.takes.all()] == [data, data]
    assert "M4A" not in read_page(guest, get_guest_url("record", consent)).split("take-file-hint")[2][:60]


def make_m4a_beforehand() -> bytes:
    return b"\0\0\0\x20ftypM4A " + bytes(100)


def test_hint_names_m4a_where_its_decoder_is_installed(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    page = read_page(factory.open_link(consent), get_guest_url("record", consent))
    assert "M4A, MP3, Opus, FLAC, WAV and others, at most 2 minutes and 50 MB." in page


DAMAGED: dict[str, tuple[Callable[[], bytes], str]] = {
    "cut m4a": (lambda: make_m4a()[:4000], "sound_damaged|sound_missing|rest_damaged|no_sound"),
    "cut WAV": (lambda: make_clip()[:-2000], "truncated"),
    "text": (lambda: b"Dear studio, please find attached my voice.", "not_sound"),
    "ZIP": (lambda: b"PK\x03\x04" + bytes(100), "is_zip"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_file_is_kept_and_the_form_says_what_to_do(factory: ConsentFactory, name: str) -> None:
    make_data, codes = DAMAGED[name]
    consent, data = factory.make_consent(), make_data()
    problem = read_problem(send(factory.open_link(consent), consent, data))
    assert "The recording was saved, but it cannot be used." in problem and str(TALENT_ADVICE) in problem
    take = consent.takes.get()
    assert read_file(take.file) == data and not take.wav and not take.acceptable and take.recipe == {}
    assert take.findings[0]["code"] in codes.split("|")
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.REQUESTED


@pytest.mark.parametrize("kind", ["FLAC", "OGG"])
def test_too_long_file_is_kept_but_not_converted_to_its_end(factory: ConsentFactory, kind: str) -> None:
    subtype = {"FLAC": "PCM_16", "OGG": "VORBIS"}[kind]
    consent = factory.make_consent()
    data = encode_with_libsndfile(make_speech_like(121.0, 8000), 8000, kind, subtype)
    problem = read_problem(send(factory.open_link(consent), consent, data))
    assert "It lasts longer than 120 seconds. Record only the statement." in problem
    assert not consent.takes.get().acceptable


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (encode_with_libsndfile(np.zeros(RATE * 4), RATE, "FLAC", "PCM_16"), "it is silent"),
        (encode_with_libsndfile(SPEECH[:RATE], RATE, "FLAC", "PCM_16"), "at least 2 are needed"),
        (make_video_without_sound(), "There is no sound in this file."),
        (b"", "Choose a file that is not empty."),
    ],
    ids=["silent", "short", "no sound", "empty"],
)
def test_file_without_speech_is_refused_and_not_kept(factory: ConsentFactory, data: bytes, text: str) -> None:
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    response = send(guest, consent, data)
    assert response.status_code in (400, 422) and text in read_html(response)
    assert "<details open>" in read_html(response) and not Take.objects.exists()


def test_too_large_file_is_refused_beside_the_field(factory: ConsentFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consent.services.takes.TAKE_BYTES", 1 << 20)
    consent = factory.make_consent()
    problem = read_problem(send(factory.open_link(consent), consent, bytes((1 << 20) + 1)))
    assert problem == "The file is larger than 1 MB. Record only the statement."


def test_page_with_a_problem_can_be_opened_again(factory: ConsentFactory, producer_client: Client) -> None:
    """Its address is that of the form, which a browser may load again without the file."""
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    assert guest.get(get_guest_url("submit", consent)).headers["Location"] == get_guest_url("record", consent)
    response = producer_client.get(get_url("take_upload", consent), {"takes": "2"})
    assert response.headers["Location"] == f"{consent.get_absolute_url()}?takes=2"


def test_file_for_an_answered_consent_leads_to_its_state_with_a_message(
    factory: ConsentFactory, producer_client: Client
) -> None:
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    factory.make_take(consent)
    response = send(guest, consent, make_clip(3))
    assert response.headers["Location"] == get_guest_url("receipt", consent)
    assert "no longer waiting for a recording" in read_page(guest, get_guest_url("receipt", consent))
    response = send(producer_client, consent, make_clip(3), url=get_url("take_upload", consent))
    assert response.headers["Location"] == consent.get_absolute_url()


def test_talents_get_other_advice_for_every_finding_that_asks_for_an_export() -> None:
    takes_may_have = {code for code in FILE_CODES if CODES[code].severity == Severity.ERROR}
    assert {"decoder_missing", "is_zip", "truncated", "sound_damaged", "took_too_long"} <= takes_may_have
    assert not {"silent", "too_short", "too_long", "empty_file", "no_sound"} & takes_may_have
