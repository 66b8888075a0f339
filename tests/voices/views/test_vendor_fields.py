"""The pages of offline proofs, of a provider's options, of emotions and of authorized uploaders."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import Consent, ConsentStatus
from consent.services.disclosure import describe_disclosure
from tests.support.html import read_html
from tests.support.offline_proofs import make_offline_proof, make_proof_upload
from tests.support.pdfs import make_pdf
from tests.voices.rows import Studio
from voicehub.models import User
from voices.models import Account, Build, OfflineProof, Recording, RemoteVoice, Voice
from voices.views.build_csv import CSV_COLUMNS

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

TODAY = timezone.localdate()
V1 = "resemble_v1"
PAPERS = "Open the proof"


def read(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200, url
    return " ".join(read_html(response).split())


@pytest.fixture
def v1_studio(studio: Studio) -> Studio:
    """A studio with one account, at a provider that wants the proof of a consent by mail."""
    Account.objects.filter(pk=studio.account.pk).update(provider=V1)
    studio.account.refresh_from_db()
    studio.provider = V1
    return studio


@pytest.fixture
def voice(v1_studio: Studio) -> Voice:
    """A voice that lacks nothing but the proof."""
    voice = v1_studio.make_voice()
    v1_studio.make_recordings(voice)
    OfflineProof.objects.all().delete()
    return voice


def post_proof(client: Client, consent: Consent, **changes: Any) -> Any:
    data = {
        "account": Account.objects.get(provider=V1).pk,
        "file": make_proof_upload(),
        "sent_on": TODAY.isoformat(),
        "sent_to": "ethics@provider.test",
        "sent_by": "Paula",
    }
    return client.post(reverse("voices:offline_proof_add", args=[consent.pk]), data | changes)


# --- offline proofs ---------------------------------------------------------------------------------


def test_readiness_leads_to_the_page_that_records_the_proof(producer_client: Client, voice: Voice) -> None:
    page = read(producer_client, voice.get_readiness_url())
    assert (
        "the proof of consent is not recorded." in page
        and f'{voice.get_absolute_url()}offline-proof/">{PAPERS}</a>' in page
    )
    consent = Consent.objects.get()
    response = producer_client.get(f"{voice.get_absolute_url()}offline-proof/")
    assert response.headers["Location"].startswith(reverse("voices:offline_proof", args=[consent.pk]))
    assert post_proof(producer_client, consent, note="By courier.").status_code == 302
    proof = OfflineProof.objects.get()
    assert (proof.sent_to, proof.note, proof.confirmed_on, proof.recorded_by.username) == (
        "ethics@provider.test",
        "By courier.",
        None,
        "paula",
    )
    page = read(producer_client, voice.get_readiness_url())
    assert "Start professional build" in page and "has not confirmed the proof" in page


def test_link_to_the_proof_is_for_people_who_may_see_it(viewer_client: Client, voice: Voice) -> None:
    page = read(viewer_client, voice.get_readiness_url())
    assert "the proof of consent is not recorded." in page and PAPERS not in page
    assert "offline-proof" not in read(viewer_client, Consent.objects.get().get_absolute_url())


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"file": make_proof_upload("a.exe", b"MZ" + b"0" * 50)}, "The file must be a PDF, PNG, JPEG"),
        ({"file": ""}, "Choose the document that was sent."),
        ({"sent_on": (TODAY + timedelta(days=2)).isoformat()}, "This date is in the future."),
        ({"confirmed_on": (TODAY - timedelta(days=2)).isoformat()}, "cannot be confirmed before it was sent"),
        ({"sent_to": " "}, "Enter the address or the person at the provider."),
        ({"account": "3e4666bf-d5e5-4aa7-b8ce-cefe41c7568a"}, "Choose one of the accounts."),
    ],
)
def test_form_keeps_what_was_typed_and_names_the_problem(
    producer_client: Client, voice: Voice, changes: dict[str, Any], problem: str
) -> None:
    response = post_proof(producer_client, Consent.objects.get(), note="Typed before.", **changes)
    page = " ".join(read_html(response).split())
    assert problem in page and "Typed before." in page and not OfflineProof.objects.exists()


def test_proof_for_an_account_of_another_provider_is_refused(
    producer_client: Client, voice: Voice, v1_studio: Studio
) -> None:
    other = Account(name="Other", provider="voiceai")
    other.set_key("k")
    other.save()
    response = post_proof(producer_client, Consent.objects.get(), account=other.pk)
    assert "Choose one of the accounts." in read_html(response) and not OfflineProof.objects.exists()


def test_page_and_document_of_a_proof(
    producer_client: Client, engineer_client: Client, voice: Voice, v1_studio: Studio
) -> None:
    consent = Consent.objects.get()
    proof = make_offline_proof(consent, v1_studio.account, v1_studio.producer)
    url = reverse("voices:offline_proof_file", args=[proof.pk])
    assert engineer_client.get(url).status_code == 403
    response: Any = producer_client.get(url)
    assert b"".join(response.streaming_content) == make_pdf()
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.headers["Content-Disposition"].startswith("attachment")
    page = read(producer_client, reverse("voices:offline_proof", args=[consent.pk]))
    assert proof.sha256 in page and "Not confirmed" in page
    confirm = reverse("voices:offline_proof_confirm", args=[proof.pk])
    assert "future" in read_html(producer_client.post(confirm, {"confirmed_on": "2999-01-01"}, follow=True))
    producer_client.post(confirm, {"confirmed_on": TODAY.isoformat()})
    proof.refresh_from_db()
    assert proof.confirmed_on == TODAY
    assert "recorded that the provider accepted the proof" in read(producer_client, consent.get_absolute_url())


def test_withdrawal_says_that_the_provider_has_the_proof(
    producer_client: Client, voice: Voice, v1_studio: Studio
) -> None:
    consent = Consent.objects.get()
    make_offline_proof(consent, v1_studio.account, v1_studio.producer)
    build = v1_studio.make_build(voice, "ready")
    RemoteVoice.objects.update(tier="professional")
    Consent.objects.update(status=ConsentStatus.WITHDRAWN)
    page = read(producer_client, reverse("voices:offline_proof", args=[consent.pk]))
    assert "The provider has a copy of the proof" in page and "Record a proof" not in page
    assert "ask it to delete the document too" in read(producer_client, consent.get_absolute_url())
    remote_page = read(producer_client, build.remote_voice.get_absolute_url())
    assert "The proof of consent was mailed to ethics@provider.test" in remote_page


# --- options ----------------------------------------------------------------------------------------


def test_form_of_a_build_has_the_options_of_its_provider(producer_client: Client, studio: Studio) -> None:
    voice = studio.make_voice()
    studio.make_recordings(voice)
    page = read(producer_client, voice.get_readiness_url())
    assert "Options of this provider" in page and 'name="option-description"' in page
    data = {"account": studio.account.pk, "tier": "rapid", "handover": "recordings", "option-description": "Mine"}
    producer_client.post(reverse("voices:build_start", args=[voice.pk]), data | {"option-fill": ["no", "yes"]})
    build = Build.objects.get()
    assert build.options == {"description": "Mine", "fill": True}
    page = read(producer_client, build.get_absolute_url())
    assert "<dt>Description</dt><dd>Mine</dd>" in page and "<dt>Train to fill gaps</dt><dd>Yes</dd>" in page


def test_refused_option_is_named_and_starts_nothing(producer_client: Client, studio: Studio) -> None:
    voice = studio.make_voice()
    studio.make_recordings(voice)
    data = {"account": studio.account.pk, "tier": "rapid", "handover": "recordings", "option-description": "x" * 1001}
    response = producer_client.post(reverse("voices:build_start", args=[voice.pk]), data, follow=True)
    assert "Description: enter at most 1,000 characters." in read_html(response) and not Build.objects.exists()


def test_build_again_has_the_same_options(producer_client: Client, studio: Studio) -> None:
    options = {"description": 'A "warm" voice', "fill": True, "gone": "x"}
    build = studio.make_build(status="ready", options=options)
    page = read(producer_client, build.get_absolute_url())
    assert 'name="option-description" value="A &quot;warm&quot; voice"' in page
    assert 'name="option-fill" value="yes"' in page and "option-gone" not in page
    assert "<dt>Gone</dt><dd>x</dd>" in page


# --- emotions and metrics ---------------------------------------------------------------------------


def test_emotion_is_set_on_the_page_and_kept_by_the_table(producer_client: Client, studio: Studio) -> None:
    voice = studio.make_voice()
    (recording,) = studio.make_recordings(voice, 1)
    url = reverse("voices:recording_edit", args=[recording.pk])
    assert "at most" not in read(producer_client, url) and 'name="emotion"' in read(producer_client, url)
    producer_client.post(url, {"transcript": "Words.", "emotion": "excited"})
    producer_client.post(url, {"transcript": "Other words."}, headers={"HX-Request": "true"})
    recording.refresh_from_db()
    assert (recording.transcript, recording.emotion) == ("Other words.", "excited")
    too_long = producer_client.post(url, {"transcript": "Words.", "emotion": "x" * 65})
    assert "The emotion is too long." in read_html(too_long)
    producer_client.post(url, {"transcript": "Words.", "emotion": ""})
    assert Recording.objects.get().emotion == ""


def test_emotion_of_a_voice_is_set_on_its_form(producer_client: Client, studio: Studio) -> None:
    voice = studio.make_voice()
    url = reverse("voices:voice_edit", args=[voice.pk])
    assert "Sent to Resemble AI with each recording" in read(producer_client, url)
    producer_client.post(url, {"name": voice.name, "countries": ["worldwide"], "emotion": "happy"})
    voice.refresh_from_db()
    assert voice.emotion == "happy"


def test_metrics_are_columns_only_if_a_recording_has_them(producer_client: Client, studio: Studio) -> None:
    build = studio.make_build(status="ready")
    build.recordings.update(has_report=True, sample_score=0.9)
    assert "Signal to noise" not in read(producer_client, build.get_absolute_url())
    row = build.recordings.first()
    assert row
    build.recordings.filter(pk=row.pk).update(signal_to_noise_ratio=28.4, loudness_grade="A", emotion="happy")
    page = read(producer_client, f"{build.get_absolute_url()}?scores=all")
    assert 'data-label="Signal to noise">28.4 dB' in page and 'data-label="Loudness">A<' in page
    export: Any = producer_client.get(reverse("voices:build_export", args=[build.pk]))
    lines = b"".join(export.streaming_content).decode()
    assert '"28.4","A","happy",' in lines and CSV_COLUMNS[13:16] == (
        "signal_to_noise_ratio",
        "loudness_grade",
        "emotion",
    )


# --- authorized uploaders ---------------------------------------------------------------------------


def test_admin_sets_an_authorized_uploader_with_source_and_reason(
    superuser_client: Client, producer_client: Client, studio: Studio
) -> None:
    url = reverse("voices:account_uploader", args=[studio.account.pk])
    page_url = reverse("voices:account", args=[studio.account.pk])
    assert "Stop sending the consent" not in read(producer_client, page_url)
    superuser_client.post(url, {"is_authorized": "on", "reason": "Agreed."})
    studio.account.refresh_from_db()
    assert not studio.account.is_authorized_uploader
    superuser_client.post(url, {"is_authorized": "on", "source": "Support, by mail", "reason": "Agreed."})
    page = read(producer_client, page_url)
    assert "Consent is checked by VoiceHub and not sent" in page and "Support, by mail" in page and "Agreed." in page


def test_pages_of_the_talent_say_that_the_consent_is_not_sent(
    studio: Studio, producer: User, make_client: Callable[[User], Client]
) -> None:
    consent = studio.make_consent(studio.make_talent())
    assert "this consent are sent" in describe_disclosure(consent).recipients
    fields = {"uploader_source": "Support", "uploader_set_by": producer}
    Account.objects.filter(pk=studio.account.pk).update(is_authorized_uploader=True, **fields)
    assert "Consent is checked by VoiceHub and not sent" in describe_disclosure(consent).recipients
    assert describe_disclosure(consent).leaves_studio, "another account may send it"
