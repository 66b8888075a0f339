"""After a withdrawal the recordings and previews of the talent are closed to viewers and engineers, at every URL."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from consent.models import Consent, ConsentStatus, Purpose
from consent.services.review import suspend_consent, withdraw_consent
from tests.support.html import read_html
from tests.voices.import_rows import make_checked_import
from tests.voices.rows import Studio, make_clip, make_upload
from voicehub.models import User
from voices.models import Build, Import, ImportText, Preview, PreviewStatus

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

MakeClient = Callable[[User], Client]
Urls = dict[str, tuple[str, str]]
# Every URL that serves or changes recordings, with its method.
RECORDING_URLS = {
    "recording_table": "get",
    "recordings_poll": "get",
    "import_create": "post",
    "recording_details": "get",
    "recording_edit": "post",
    "recording_active": "post",
    "recordings_leave_out": "post",
    "recordings_check": "post",
    "recordings_switch": "post",
    "recordings_bulk": "post",
    "recordings_undo": "post",
    "recordings_bulk_delete": "post",
    "recordings_transcripts": "post",
    "recordings_export": "get",
    "recording_split": "post",
    "recording_delete": "post",
    "recording_audio": "get",
    "recording_peaks": "get",
    "import_detail": "get",
    "import_left_out": "get",
    "import_add": "post",
    "import_discard": "get",
    "import_columns": "post",
    "import_zeros": "post",
    "import_twin": "post",
    "import_code_page": "post",
    "import_clip_audio": "get",
    "finding_list": "get",
    "improvements": "get",
    "improvement_undo": "post",
    "copy_keep": "post",
    "transcripts_repair": "post",
    "build_details": "get",
    "build_export": "get",
    "build_report": "get",
}
# Those of them that belong to a voice. The others belong to one recording.
VOICE_URLS = (
    "recording_table", "recordings_poll", "import_create", "recordings_leave_out", "recordings_check",
    "recordings_switch",
    "finding_list", "improvements", "improvement_undo", "copy_keep", "transcripts_repair",
    "recordings_bulk", "recordings_undo", "recordings_bulk_delete", "recordings_transcripts", "recordings_export",
)  # fmt: skip
# Only who may split recordings opens these, and only for one that is too long. `test_recording_cuts` opens them.
CUT_URLS = {"recording_cuts": "get", "recording_cuts_progress": "get", "recording_cuts_sound": "get"}
PREVIEW_URLS = {"previews": "get", "preview_audio": "get"}
# The other URLs of voices, builds and remote voices. Their pages show a notice instead, or only producers open them.
OTHER_URLS = {
    "active_builds", "voice_add", "voice", "readiness", "build_options", "ready_count", "readiness_poll",
    "voice_builds", "voice_providers", "build_start", "build", "build_progress", "build_cancel",
    "build_seen", "build_rebuild", "task_retry", "task_seen", "account_uploader", "running_deletions",
    "import_uploads", "import_upload",
    "voice_proof", "offline_proof", "offline_proof_add", "offline_proof_confirm", "offline_proof_file",
    "build_resolve_submit", "build_resolve_training", "compare", "compare_previews", "compare_request_previews",
    "compare_vote", "compare_sample",
    "account_list", "account_add", "provider", "account", "account_test", "account_key", "account_pause",
    "account_resume", "unknown_voices", "unknown_voice_adopt", "unknown_voice_delete", "remote_voice",
    "remote_progress", "remote_refresh", "remote_rename", "remote_visibility", "remote_alert_seen", "remote_delete",
    "remote_confirm_deletion", "remote_confirm_files", "remote_assign_deletion", "preview_request", "dataset",
    "deletion_list", "deletion_confirm", "deletion_keep", "voice_edit", "voice_list", "build_list",
    "search", "search_suggestions", "spend", "talent_choose", "voice_dataset",
}  # fmt: skip
CLOSED = "Closed: the consent was withdrawn."


@pytest.fixture
def build(studio: Studio) -> Build:
    """A ready build with a preview, of a voice with recordings, and a failed build to compare with."""
    build = studio.make_build(status="ready")
    studio.make_build(build.voice, status="failed")
    preview = Preview(remote_voice=build.remote_voice, build=build, text="A sentence.", status=PreviewStatus.READY)
    preview.content_type = "audio/wav"
    preview.file.save("", ContentFile(b"RIFF....WAVE"), save=False)
    preview.save(force_insert=True)
    make_checked_import(build.voice, studio.producer, {"new.wav": make_clip(90), "new.csv": b"new|Words.\n"})
    return build


def withdraw(build: Build, studio: Studio) -> None:
    for consent in Consent.objects.filter(talent=build.voice.talent, status=ConsentStatus.APPROVED):
        withdraw_consent(consent, studio.producer, "The talent changed their mind.")


def get_import_key(name: str, import_set: Import) -> Any:
    if name in ("import_columns", "import_zeros"):
        return ImportText.objects.get(file__import_set=import_set).pk
    if name == "import_code_page":
        return import_set.files.all()[0].pk
    return import_set.clips.get().pk if name in ("import_clip_audio", "import_twin") else import_set.pk


def get_key(name: str, build: Build) -> Any:
    if name in VOICE_URLS:
        return build.voice_id
    if name.startswith("import_"):
        return get_import_key(name, build.voice.imports.get())
    if name in ("build_details", "build_export", "build_report"):
        return build.pk
    if name == "previews":
        return build.remote_voice_id
    return build.remote_voice.previews.get().pk if name == "preview_audio" else build.voice.recordings.all()[0].pk


def get_response(client: Client, name: str, build: Build) -> Any:
    url = reverse(f"voices:{name}", args=[get_key(name, build)])
    response = getattr(client, (RECORDING_URLS | CUT_URLS | PREVIEW_URLS)[name])(url)
    response.getvalue() if response.streaming else None
    return response


def list_closed(client: Client, build: Build) -> set[str]:
    responses = {name: get_response(client, name, build) for name in RECORDING_URLS | CUT_URLS | PREVIEW_URLS}
    closed = {name for name, response in responses.items() if response.status_code == 403}
    assert all(CLOSED in read_html(responses[name]) for name in closed)
    return closed


def test_every_url_of_voices_is_listed_here() -> None:
    from voices.urls import urlpatterns

    assert {pattern.name for pattern in urlpatterns} == {*RECORDING_URLS, *CUT_URLS, *PREVIEW_URLS, *OTHER_URLS}


def test_engineers_open_nothing_after_a_withdrawal(
    build: Build, studio: Studio, engineer: User, make_client: MakeClient
) -> None:
    client = make_client(engineer)
    reads = {name for name, method in (RECORDING_URLS | PREVIEW_URLS).items() if method == "get"}
    assert not {name for name in reads if get_response(client, name, build).status_code != 200}
    count, transcript = build.voice.recordings.count(), build.voice.recordings.all()[0].transcript
    withdraw(build, studio)
    assert list_closed(client, build) == {*RECORDING_URLS, *CUT_URLS, *PREVIEW_URLS}
    upload_url = reverse("voices:import_create", args=[build.voice_id])
    recording_url = reverse("voices:recording_edit", args=[build.voice.recordings.all()[0].pk])
    assert client.post(upload_url, {"recordings": make_upload("new.wav")}).status_code == 403
    assert client.post(recording_url, {"transcript": "Changed."}).status_code == 403
    assert client.get(reverse("voices:recording_delete", args=[build.voice.recordings.all()[0].pk])).status_code == 403
    assert build.voice.recordings.count() == count and build.voice.recordings.all()[0].transcript == transcript
    audio = reverse("voices:recording_audio", args=[build.voice.recordings.all()[0].pk])
    assert {client.get(f"{audio}{query}").status_code for query in ("", "?download")} == {403}


def test_viewers_open_no_audio_after_a_withdrawal(
    build: Build, studio: Studio, viewer: User, make_client: MakeClient
) -> None:
    withdraw(build, studio)
    client = make_client(viewer)
    for name in (name for name, method in (RECORDING_URLS | PREVIEW_URLS).items() if method == "get"):
        response = get_response(client, name, build)
        # Viewers never open imports, so that page does not say why.
        is_explained = name.startswith("import_") or CLOSED in read_html(response)
        assert response.status_code == 403 and is_explained, name


@pytest.mark.parametrize("role", ["producer", "admin"])
def test_producers_and_admins_keep_access(
    build: Build, studio: Studio, role: str, make_client: MakeClient, make_person: Callable[..., User]
) -> None:
    withdraw(build, studio)
    client = make_client(make_person("reviewer", role))
    for name in (name for name, method in (RECORDING_URLS | PREVIEW_URLS).items() if method == "get"):
        assert get_response(client, name, build).status_code == 200, name
    assert CLOSED not in read_html(client.get(build.voice.get_absolute_url()))


def list_pages(build: Build) -> dict[str, str]:
    other = build.voice.builds.exclude(pk=build.pk).get()
    pair = f"?build={build.pk}&build={other.pk}"
    return {
        "voice": build.voice.get_absolute_url(),
        "build": build.get_absolute_url(),
        "build_progress": reverse("voices:build_progress", args=[build.pk]),
        "remote_voice": build.remote_voice.get_absolute_url(),
        "remote_progress": reverse("voices:remote_progress", args=[build.remote_voice_id]),
        "compare": reverse("voices:compare") + pair,
        "compare_previews": reverse("voices:compare_previews") + pair,
    }


@pytest.mark.parametrize("role", ["viewer", "engineer"])
def test_pages_say_closed_and_have_no_player(
    build: Build, studio: Studio, role: str, make_client: MakeClient, make_person: Callable[..., User]
) -> None:
    client = make_client(make_person("reader", role))
    before = {name: read_html(client.get(url)) for name, url in list_pages(build).items()}
    assert all("/audio" in text for text in before.values())
    withdraw(build, studio)
    for name, url in list_pages(build).items():
        response = client.get(url)
        text = " ".join(read_html(response).split())
        assert response.status_code == 200 and CLOSED in text, name
        assert not re.search(r"/audio[\"?]", text) and "/peaks" not in text and "The north wind." not in text, name
        assert reverse("voices:import_create", args=[build.voice_id]) not in text, name


@pytest.mark.parametrize("status", [ConsentStatus.APPROVED, ConsentStatus.SUSPENDED])
def test_recordings_stay_open_while_another_provider_has_a_consent(
    build: Build, studio: Studio, engineer: User, make_client: MakeClient, status: str
) -> None:
    """The previews of the provider whose consent was withdrawn are closed."""
    withdraw(build, studio)
    studio.provider = "voiceai"
    other = studio.make_consent(build.voice.talent)
    if status == ConsentStatus.SUSPENDED:
        suspend_consent(other, studio.producer, "A dispute.")
    assert list_closed(make_client(engineer), build) == set(PREVIEW_URLS)


def test_consent_for_another_purpose_does_not_open_recordings(
    build: Build, studio: Studio, engineer: User, make_client: MakeClient
) -> None:
    withdraw(build, studio)
    consent = studio.make_consent(build.voice.talent)
    Consent.objects.filter(pk=consent.pk).update(purpose=Purpose.ADVERTISING)
    assert list_closed(make_client(engineer), build) == {*RECORDING_URLS, *CUT_URLS, *PREVIEW_URLS}


def test_consent_that_ended_by_date_does_not_open_recordings(
    build: Build, studio: Studio, engineer: User, make_client: MakeClient
) -> None:
    withdraw(build, studio)
    consent = studio.make_consent(build.voice.talent)
    Consent.objects.filter(pk=consent.pk).update(valid_until="2025-01-01")
    assert "recording_audio" in list_closed(make_client(engineer), build)


@pytest.mark.parametrize("status", ["expired", "declined", "suspended", "replaced"])
def test_only_a_withdrawal_closes_recordings(
    build: Build, engineer: User, make_client: MakeClient, status: str
) -> None:
    Consent.objects.update(status=status)
    client = make_client(engineer)
    assert get_response(client, "recording_audio", build).status_code == 200


def test_newer_consent_opens_recordings_again(
    build: Build, studio: Studio, engineer: User, make_client: MakeClient
) -> None:
    withdraw(build, studio)
    studio.make_consent(build.voice.talent)
    assert not list_closed(make_client(engineer), build)
