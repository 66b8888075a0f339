"""One recording serves one talent, provider, language and link: the same bytes or sound are refused elsewhere."""

import io
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from consent.models import Capture, Consent, ConsentStatus, Purpose, Statement, Take, TakeCheck, TakeSound, TakeSoundKey
from consent.services.evidence_checks import check_all_evidence
from consent.services.invitations import request_consent
from consent.services.review import request_retake
from consent.services.take_sounds import RecordingUsedElsewhere
from consent.services.takes import submit_take
from tests.consent.rows import ConsentFactory, get_guest_url, get_url, make_statement, make_upload, read_in_studio
from tests.support.sounds import encode_with_ffmpeg, encode_with_libsndfile
from tests.support.wav import SAMPLE_FOLDER, load_sample_wav
from voicehub.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

ORIGINAL = "consent-slt"


@pytest.fixture(autouse=True)
def _rule_is_on(settings: Any) -> None:
    settings.VOICEHUB_ALLOW_REPEATED_RECORDINGS = False


@cache
def load_speech() -> Any:
    samples, rate = soundfile.read(SAMPLE_FOLDER / f"{ORIGINAL}.flac", dtype="float64")
    return soxr.resample(samples, rate, 48000)


def encode_16_khz() -> bytes:
    file = io.BytesIO()
    soundfile.write(file, soxr.resample(load_speech(), 48000, 22050) * 0.7, 22050, format="WAV", subtype="PCM_16")
    return file.getvalue()


COPIES: dict[str, Callable[[], bytes]] = {
    "same.wav": lambda: load_sample_wav(ORIGINAL),
    "memo.m4a": lambda: encode_with_ffmpeg(load_speech(), 48000, "ipod", "aac"),
    "whatsapp.opus": lambda: encode_with_libsndfile(load_speech(), 48000, "OGG", "OPUS"),
    "recorder.mp3": lambda: encode_with_libsndfile(load_speech(), 48000, "MP3", "MPEG_LAYER_III"),
    "other rate and level.wav": encode_16_khz,
    "stereo.wav": lambda: encode_with_libsndfile(np.stack([load_speech()] * 2, axis=1), 48000, "WAV", "PCM_24"),
}


def send(consent: Consent, data: bytes | None = None, by: User | None = None) -> Take:
    upload = make_upload(load_sample_wav(ORIGINAL) if data is None else data)
    return submit_take(consent, upload, Capture.UPLOAD if by else Capture.LINK, by=by)


def is_refused(consent: Consent, data: bytes | None = None) -> bool:
    """Whether the recording is refused for this consent, and nothing of it is stored."""
    count = Take.objects.count()
    try:
        send(consent, data)
    except RecordingUsedElsewhere:
        assert Take.objects.count() == count and TakeSound.objects.count() == count
        consent.refresh_from_db()
        assert consent.status == ConsentStatus.REQUESTED
        return True
    return False


@pytest.fixture
def consent(factory: ConsentFactory) -> Consent:
    """A consent for which the recording was received over its link."""
    consent = factory.make_consent()
    factory.make_link(consent)
    send(consent)
    return consent


@pytest.mark.parametrize("name", COPIES)
def test_copy_is_refused_for_another_talent(factory: ConsentFactory, consent: Consent, name: str) -> None:
    other = factory.make_consent(factory.make_talent("Nils Holm"))
    assert is_refused(other, COPIES[name]())
    assert not is_refused(other, load_sample_wav("consent-slt-2")), "another reading by the same voice"


def test_recording_sent_as_m4a_is_known_as_wav(factory: ConsentFactory) -> None:
    send(factory.make_consent(), COPIES["memo.m4a"]())
    other = factory.make_consent(factory.make_talent("Nils Holm"))
    assert is_refused(other)
    wav = Take.objects.get().wav
    with wav.open("rb") as file:
        assert is_refused(other, file.read()), "the WAV that was made of it"


def test_copy_is_refused_for_another_provider_and_language(factory: ConsentFactory, consent: Consent) -> None:
    row = make_statement()
    for fields in ({"provider": "voiceai"}, {"language": "de-DE"}):
        values: dict[str, Any] = {"provider": row.provider, "language": row.language, "version": 7, **fields}
        Statement.objects.create(text=row.text, source="A page.", source_date=row.source_date, **values)
        other = request_consent(
            consent.talent, values["provider"], values["language"], Purpose.NARRATION, factory.producer
        )
        factory.ensure_contract(other)
        consent.invitations.get().consents.add(other)
        assert is_refused(other), fields


def test_recording_serves_other_purposes_on_the_same_link_only(factory: ConsentFactory, consent: Consent) -> None:
    same_link, other_link, no_link = (
        factory.make_consent(consent.talent, purpose) for purpose in ("advertising", "assistant", "internal")
    )
    consent.invitations.get().consents.add(same_link)
    factory.make_link(other_link)
    assert is_refused(other_link) and is_refused(no_link)
    assert not is_refused(same_link)


def test_studio_recording_serves_other_purposes_without_a_link(factory: ConsentFactory, producer: User) -> None:
    first = factory.make_consent()
    second = factory.make_consent(first.talent, "advertising")
    send(first, by=producer)
    assert not is_refused(second)


def test_same_consent_takes_its_recording_again(consent: Consent, producer: User) -> None:
    consent.refresh_from_db()
    request_retake(consent, producer, "Once more.")
    assert not is_refused(consent)


def test_unusable_take_does_not_block_a_recording(factory: ConsentFactory) -> None:
    damaged = load_sample_wav(ORIGINAL)[:-100]
    assert not send(factory.make_consent(), damaged).acceptable
    other = factory.make_consent(factory.make_talent("Nils Holm"))
    assert not is_refused(other) and TakeSound.objects.count() == 1


def test_talent_learns_nothing_of_the_other_request(factory: ConsentFactory, consent: Consent) -> None:
    other = factory.make_consent(factory.make_talent("Nils Holm"))
    client, upload = factory.open_link(other), make_upload(load_sample_wav(ORIGINAL))
    response = client.post(
        get_guest_url("submit", other), {"file": upload, "recorded": "1"}, headers={"Accept": "application/json"}
    )
    assert response.status_code == 422
    problem = response.json()["problem"]
    assert "already sent for another request" in problem and "Read the text of this request aloud" in problem
    assert "Tilda" not in problem


def test_staff_learn_whose_recording_it_is(factory: ConsentFactory, consent: Consent, producer_client: Client) -> None:
    other = read_in_studio(factory.make_consent(factory.make_talent("Nils Holm")))
    response = producer_client.post(
        get_url("take_upload", other),
        {"file": make_upload(load_sample_wav(ORIGINAL)), "recorded": "1"},
        headers={"Accept": "application/json"},
    )
    assert response.status_code == 422 and "It is the recording for Tilda Strand, " in response.json()["problem"]


def test_setting_accepts_repeated_recordings(factory: ConsentFactory, consent: Consent, settings: Any) -> None:
    settings.VOICEHUB_ALLOW_REPEATED_RECORDINGS = True
    assert not is_refused(factory.make_consent(factory.make_talent("Nils Holm")))


def test_take_of_an_earlier_version_is_found_after_the_nightly_check(factory: ConsentFactory, consent: Consent) -> None:
    TakeSoundKey.objects.all().delete()
    TakeSound.objects.all().delete()
    TakeCheck.objects.update(file_checked_at=None)
    check_all_evidence(lambda: None)
    check_all_evidence(lambda: None)
    assert TakeSound.objects.count() == 1
    assert is_refused(factory.make_consent(factory.make_talent("Nils Holm")), COPIES["recorder.mp3"]())


def test_number_of_queries_does_not_grow_with_takes(factory: ConsentFactory, consent: Consent) -> None:
    def count_queries(name: str) -> int:
        other = factory.make_consent(factory.make_talent(name))
        with CaptureQueriesContext(connection) as queries:
            assert is_refused(other)
        return len(queries)

    first = count_queries("Nils Holm")
    for number, sample in enumerate(("consent-rms", "consent-awb", "slt-01", "slt-02")):
        send(factory.make_consent(factory.make_talent(f"Talent {number}")), load_sample_wav(sample))
    assert count_queries("Nora Holm") == first
