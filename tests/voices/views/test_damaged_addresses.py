"""A parameter that no page makes, such as one with a NUL, which PostgreSQL refuses, never ends in an error."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.voices.rows import Studio

pytestmark = pytest.mark.django_db

LISTS = (
    *("today", "consent:talent_list", "consent:consent_list", "voices:voice_list", "voices:build_list"),
    *("voices:account_list", "voices:spend", "voices:deletion_list", "voices:search", "voices:search_suggestions"),
    *("voices:account_add", "voices:running_deletions", "voices:active_builds"),
)
VOICE_PAGES = (
    *("voice", "readiness", "build_options", "ready_count", "readiness_poll", "voice_builds", "voice_providers"),
    *("recording_table", "recordings_poll", "recordings_transcripts", "recordings_export", "voice_proof"),
)
SHOWN = ("\0", "\0-silent", "x\0y-outlier", "check-\0", "resemble_v2-\0")
PARAMETERS = (
    *("q", "search", "sort", "size", "page", "open", "seen", "rows", "table", "group", "provider", "mode", "language"),
    *("purpose", "contract", "account", "tier", "handover", "id", "rest", "sentence", "blind", "number", "log"),
    *("recordings", "filter"),
)
OPENED = {200, 204, 302, 404}


def list_urls(studio: Studio) -> list[str]:
    build = studio.make_build(status="ready")
    voice, remote = build.voice, build.remote_voice
    return [
        *(reverse(name) for name in LISTS),
        *(reverse(f"voices:{name}", args=[voice.pk]) for name in VOICE_PAGES),
        *(reverse(f"voices:{name}", args=[build.pk]) for name in ("build", "build_progress")),
        *(reverse(f"voices:{name}", args=[remote.pk]) for name in ("remote_voice", "remote_progress", "previews")),
        *(reverse(f"voices:{name}", args=[studio.account.pk]) for name in ("account", "unknown_voice_adopt")),
        *(reverse(f"consent:{name}", args=[voice.talent.pk]) for name in ("talent", "contract_add", "consent_ask")),
        reverse("consent:consent", args=[build.consent.pk]),
        reverse("voices:provider", args=["resemble_v2"]),
    ]


def test_damaged_parameter_is_no_error_on_any_page(superuser_client: Client, studio: Studio) -> None:
    refused = [
        (url, shown)
        for url in list_urls(studio)
        for shown in SHOWN
        if superuser_client.get(url, {**dict.fromkeys(PARAMETERS, "\0"), "show": shown}).status_code not in OPENED
    ]
    assert refused == []
