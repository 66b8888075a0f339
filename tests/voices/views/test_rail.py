"""The rail of staff pages: the name of the studio, icons, and the counts beside its links."""

import re
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from consent.models import ConsentStatus
from tests.support.html import read_html
from tests.support.lists import allow_only
from tests.voices.rows import Studio
from voicehub.models import User
from voicehub.rail_counts import read_counts
from voicehub.templatetags.signs import icon, render_face, render_voice_tile

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def read_rail(client: Client) -> str:
    (rail,) = re.findall(r'<header class="vh-side">.*?</header>', read_html(client.get(reverse("notifications"))))
    return str(rail)


def read_badges(client: Client) -> list[str]:
    return re.findall(r'<span class="vh-nav-count">([^<]*)</span>', read_rail(client).partition("vh-top-menu")[0])


def test_rail_names_the_studio_and_has_an_icon_beside_each_word(producer_client: Client, settings: Any) -> None:
    settings.VOICEHUB_COMPANY = "Nord & Söhne"
    rail = read_rail(producer_client)
    assert "<span>Nord &amp; Söhne <small>VoiceHub</small></span>" in rail
    links = re.findall(r'<a href="[^"]*"[^>]*>(<svg class="vh-icon".*?</svg>)<span class="vh-nav-label">(\w+)', rail)
    assert [label for _icon, label in links[:6]] == ["Today", "Talents", "Voices", "Consents", "Builds", "Accounts"]
    assert len({drawing for drawing, _label in links}) == 6 and "style=" not in rail
    settings.VOICEHUB_COMPANY = ""
    assert "<span>VoiceHub</span>" in read_rail(producer_client)


def test_counts_say_what_waits_and_what_runs(studio: Studio, viewer_client: Client, outsider: User) -> None:
    assert read_badges(viewer_client) == []
    for _ in range(2):
        studio.make_consent(studio.make_talent(), ConsentStatus.SUBMITTED)
    studio.make_build(status="training")
    studio.make_build(status="ready")
    assert read_badges(viewer_client) == ["2 to review", "1 running"]
    assert read_badges(allow_only(outsider, "voices.view_build")) == ["1 running"]
    assert read_badges(allow_only(outsider)) == []


def test_counts_are_one_query_and_none_without_permission(studio: Studio, viewer: User, outsider: User) -> None:
    assert read_counts(outsider) == {}
    viewer.has_perm("voices.view_build")
    with CaptureQueriesContext(connection) as queries:
        assert set(read_counts(viewer)) == {"consent:consent_list", "voices:build_list"}
    assert len(queries) == 1


def test_voice_keeps_its_color_and_its_sign() -> None:
    tiles = [render_voice_tile(UUID(int=number)) for number in range(8)]
    assert [re.findall(r"vh-tile v(\d)", tile)[0] for tile in tiles] == list("12345678")
    assert render_voice_tile(UUID(int=8)) != tiles[0] and "is-small" in render_voice_tile(UUID(int=8), "small")
    assert 'aria-hidden="true"' in tiles[0] and "style" not in tiles[0]


@pytest.mark.parametrize(("name", "letters"), [("Alan Webb", "AW"), ("Inês", "I"), ("ann de boer", "AD"), ("", "")])
def test_face_shows_the_first_letters_of_two_names(name: str, letters: str) -> None:
    assert f">{letters}</span>" in render_face(name)


def test_unknown_icon_leaves_the_word_alone() -> None:
    assert icon("no-such-icon") == ""
