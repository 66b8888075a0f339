"""The search finds what the user may see, in every group, and shows it without unsafe HTML."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from consent.models import ConsentStatus
from consent.services.review import withdraw_consent
from tests.support.html import read_html
from tests.voices.rows import Studio
from voicehub.models import User
from voices.models import Recording, RemoteVoice, Voice
from voices.search_results import cut_text, mark_words
from voices.services.search import MAX_WORDS, split_words

pytestmark = pytest.mark.django_db

MakeClient = Callable[[User], Client]


def ask(client: Client, query: str) -> dict[str, str]:
    """The answer for the dialog: `summary` and `html`."""
    response = client.get(reverse("voices:search_suggestions"), {"q": query}, headers={"Accept": "application/json"})
    assert response.status_code == 200
    answer: dict[str, str] = response.json()
    return answer


def read_page(client: Client, query: str, **params: Any) -> str:
    return read_html(client.get(reverse("voices:search"), {"q": query, **params}))


def list_groups(client: Client, query: str) -> set[str]:
    html = ask(client, query)["html"]
    keys = ("people", "voices", "recordings", "builds", "consents", "remote_voices")
    return {key for key in keys if f'id="search-{key}"' in html}


def set_transcripts(voice: Voice, *texts: str) -> list[Recording]:
    """One recording for each text."""
    rows = list(voice.recordings.order_by("file_name"))[: len(texts)]
    for row, text in zip(rows, texts, strict=True):
        Recording.objects.filter(pk=row.pk).update(transcript=text)
    return rows


@pytest.fixture
def voice(studio: Studio) -> Voice:
    talent = studio.make_talent("Zoë Winter")
    studio.make_contract(talent)
    studio.make_consent(talent)
    voice = studio.make_voice("Warm narrator", talent)
    studio.make_fileless_recordings(voice, 4)
    return voice


# --- What is found ------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["zoe", "ZOË", "zoë w", "  Winter   zoe ", "oë wint"])
def test_talent_is_found_whatever_the_case_accents_and_order(query: str, voice: Voice, producer_client: Client) -> None:
    html = ask(producer_client, query)["html"]
    assert f'href="{voice.talent.get_absolute_url()}"' in html
    assert f'href="{voice.get_absolute_url()}"' in html


def test_each_word_must_match(voice: Voice, viewer_client: Client) -> None:
    assert list_groups(viewer_client, "zoe narrator") == {"voices"}
    assert ask(viewer_client, "zoe summer") == {"summary": "No match for “zoe summer”", "html": "\n"}


def test_names_that_begin_with_the_first_word_come_first(studio: Studio, producer_client: Client) -> None:
    later, first = studio.make_talent("Adam Bauer"), studio.make_talent("Bauer, Zita")
    html = ask(producer_client, "bauer")["html"]
    assert html.index(first.get_absolute_url()) < html.index(later.get_absolute_url())


def test_recording_is_found_by_a_word_of_its_transcript(voice: Voice, viewer_client: Client) -> None:
    rows = set_transcripts(voice, "The Été was long.", "Nothing of it.")
    html = ask(viewer_client, "ÉTÉ LONG")["html"]
    assert f'href="{voice.get_absolute_url()}?open={rows[0].pk}#row-{rows[0].pk}"' in html
    assert f"row-{rows[1].pk}" not in html
    assert "The <mark>Été</mark> was <mark>long</mark>." in html


def test_link_of_a_recording_shows_its_row(voice: Voice, viewer_client: Client, studio: Studio) -> None:
    studio.make_fileless_recordings(studio.make_voice("Other", voice.talent), 1)
    Recording.objects.filter(voice=voice).update(file_name="Spät & laut 100%.wav")
    row = set_transcripts(voice, "A rare word.")[0]
    response = viewer_client.get(reverse("voices:search_suggestions"), {"q": "rare"})
    address = response.json()["html"].split('href="')[1].split('"')[0].replace("&amp;", "&")
    page, _, anchor = address.partition("#")
    assert f"<tr id={anchor}" in viewer_client.get(page).content.decode()
    assert anchor == f"row-{row.pk}"


@pytest.mark.parametrize("query", ["Ольга", "ольга", "ОЛЬГА"])
def test_other_scripts_are_found(query: str, voice: Voice, studio: Studio, producer_client: Client) -> None:
    set_transcripts(voice, "Ольга читает")
    studio.make_talent("Ольга")
    assert list_groups(producer_client, query) == {"people", "recordings"}


@pytest.mark.parametrize("query", ["resemble", "warm resem", "main zoe"])
def test_build_is_found_by_voice_talent_account_and_provider(
    query: str, voice: Voice, studio: Studio, viewer_client: Client
) -> None:
    build = studio.make_build(voice, status="ready")
    assert f'href="{build.get_absolute_url()}"' in ask(viewer_client, query)["html"]


def test_consent_is_found_by_its_talent(voice: Voice, producer_client: Client) -> None:
    consent = voice.talent.consents.get()
    assert f'href="{consent.get_absolute_url()}"' in ask(producer_client, "winter")["html"]


def test_remote_voice_is_found_by_its_id_at_the_provider(voice: Voice, studio: Studio, viewer_client: Client) -> None:
    remote = studio.make_build(voice).remote_voice
    RemoteVoice.objects.filter(pk=remote.pk).update(remote_id="Xq7-900", name="Zoe studio")
    html = ask(viewer_client, "xq7")["html"]
    assert f'href="{remote.get_absolute_url()}"' in html and "<mark>Xq7</mark>-900" in html
    assert "Xq7" not in ask(viewer_client, "zoe studio")["html"]


def test_state_stands_beside_the_words_of_a_build_and_a_consent(
    voice: Voice, studio: Studio, viewer_client: Client
) -> None:
    studio.make_build(voice, status="ready")
    page = read_page(viewer_client, "zoe")
    assert '<span class="vh-status is-good">Ready</span>' in page
    assert '<span class="vh-status is-good">In force</span>' in page


def test_page_leads_to_each_group_and_back(voice: Voice, viewer_client: Client) -> None:
    page = read_page(viewer_client, "zoe")
    assert '<a class="vh-filter" href="?q=zoe&amp;group=voices">Voices <b>1</b></a>' in page
    assert "Search in everything" in read_page(viewer_client, "zoe", group="voices")


# --- What the user may see ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("permission", "group"),
    [
        ("view_voice", "voices"),
        ("view_recording", "recordings"),
        ("view_build", "builds"),
        ("view_consent", "consents"),
        ("view_remotevoice", "remote_voices"),
    ],
)
def test_group_needs_its_permission(
    permission: str, group: str, voice: Voice, studio: Studio, outsider: User, make_client: MakeClient
) -> None:
    RemoteVoice.objects.filter(pk=studio.make_build(voice).remote_voice_id).update(name="Zoe")
    set_transcripts(voice, "Zoe speaks.")
    outsider.user_permissions.add(Permission.objects.get(codename="view_talent"))
    assert list_groups(make_client(outsider), "zoe") == {"people"}
    outsider.user_permissions.add(Permission.objects.get(codename=permission))
    client = make_client(User.objects.get(pk=outsider.pk))
    assert list_groups(client, "zoe") == {"people", group}
    hidden = {"voices", "recordings", "builds", "consents", "remote_voices"} - {group}
    assert all("<li>" not in read_page(client, "zoe", group=key) for key in hidden)


@pytest.mark.parametrize(("role", "is_closed"), [("viewer", True), ("engineer", True), ("producer", False)])
def test_recordings_closed_by_a_withdrawal_are_not_found(
    role: str, is_closed: bool, voice: Voice, studio: Studio, make_person: Callable[..., User], make_client: MakeClient
) -> None:
    client = make_client(make_person("reader", role))
    row = set_transcripts(voice, "A secret sentence.")[0]
    assert "secret" in ask(client, "secret sentence")["html"]
    withdraw_consent(voice.talent.consents.get(), studio.producer, "The talent changed their mind.")
    for query in ("secret sentence", row.file_name):
        answers = [str(ask(client, query)), read_page(client, query), read_page(client, query, group="recordings")]
        assert [f"row-{row.pk}" not in answer for answer in answers] == [is_closed] * 3, query
    summary = ask(client, "secret sentence")["summary"]
    assert summary == ("No match for “secret sentence”" if is_closed else "1 result")


def test_new_consent_opens_the_recordings_to_the_search_again(
    voice: Voice, studio: Studio, viewer_client: Client
) -> None:
    set_transcripts(voice, "A secret sentence.")
    withdraw_consent(voice.talent.consents.get(), studio.producer, "The talent changed their mind.")
    assert not list_groups(viewer_client, "secret")
    studio.make_consent(voice.talent, ConsentStatus.APPROVED)
    assert list_groups(viewer_client, "secret") == {"recordings"}


# --- Any text is a query ------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["%%", "__", "_inter", "zo%", "\\\\", "zo_ w"])
def test_wildcards_are_plain_letters(query: str, voice: Voice, viewer_client: Client) -> None:
    set_transcripts(voice, "Nothing special.")
    assert list_groups(viewer_client, query) == set()


def test_percent_sign_is_found(voice: Voice, viewer_client: Client) -> None:
    rows = set_transcripts(voice, "It is 100% wool.", "It is 1000 wool.")
    html = ask(viewer_client, "100%")["html"]
    assert f"row-{rows[0].pk}" in html and f"row-{rows[1].pk}" not in html


@pytest.mark.parametrize("query", ["", " ", "z", " z ", "\x00", "´"])
def test_short_query_finds_nothing_and_says_why(query: str, voice: Voice, viewer_client: Client) -> None:
    assert ask(viewer_client, query) == {"summary": "Type at least 2 characters.", "html": "\n"}
    assert "Type at least 2 characters." in read_page(viewer_client, query)


@pytest.mark.parametrize("query", ["zoe " * 125, "x" * 500, "a b " * 125, "zo\x00e", "ﷺ" * 300, "'\";--", "\ud800ab"])
def test_any_query_is_answered(query: str, voice: Voice, viewer_client: Client) -> None:
    query = query.encode("utf-8", "replace").decode()
    assert ask(viewer_client, query)["summary"]
    assert "<h1>" in read_page(viewer_client, query)


def test_number_of_words_is_limited() -> None:
    assert len(split_words(" ".join(map(str, range(10, 60))))) == MAX_WORDS


def test_names_and_transcripts_are_escaped(voice: Voice, studio: Studio, viewer_client: Client) -> None:
    attack = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    studio.make_talent(f"Eve {attack}")
    set_transcripts(voice, f"Eve says {attack}")
    for query in ("eve", "script", "<img", "&lt;", "eve <script>"):
        for text in (ask(viewer_client, query)["html"], read_page(viewer_client, query)):
            assert "<script>alert" not in text and "<img src=x" not in text, query
    assert "&lt;<mark>script</mark>&gt;alert" in ask(viewer_client, "script")["html"]


def test_query_is_escaped(viewer_client: Client) -> None:
    page = read_page(viewer_client, '"><script>alert(1)</script>')
    assert "<script>alert" not in page and "No match for" in page


# --- Counts, pages, cost ------------------------------------------------------------------------


def test_dialog_shows_five_rows_and_the_count(voice: Voice, viewer_client: Client, studio: Studio) -> None:
    studio.make_fileless_recordings(studio.make_voice("Second", voice.talent), 60)
    answer = ask(viewer_client, "words.")
    assert answer["summary"] == "64 results"
    assert answer["html"].count("#row-") == 5
    assert f'href="{reverse("voices:search")}?q=words.&amp;group=recordings"' in answer["html"]
    assert "Show all 64" in answer["html"]


def test_page_shows_one_group_page_by_page(voice: Voice, viewer_client: Client, studio: Studio) -> None:
    studio.make_fileless_recordings(studio.make_voice("Second", voice.talent), 56)
    overview = read_page(viewer_client, "words.")
    assert overview.count("#row-") == 5 and "?q=words.&amp;group=recordings" in overview
    pages = [read_page(viewer_client, "words.", group="recordings", page=number) for number in (1, 2, 3)]
    assert [page.count("#row-") for page in pages] == [25, 25, 10]
    assert "?q=words.&amp;group=recordings&amp;page=2" in pages[0]
    assert read_page(viewer_client, "words.", group="recordings", page="99").count("#row-") == 10
    assert read_page(viewer_client, "words.", group="nonsense", page="x").count("#row-") == 5


def test_queries_stay_equal_as_rows_grow(voice: Voice, studio: Studio, viewer_client: Client) -> None:
    studio.make_build(voice, status="ready")
    RemoteVoice.objects.update(name="Zoe")
    set_transcripts(voice, "zoe")
    before = count_queries(viewer_client)
    for number in range(8):
        talent = studio.make_talent(f"Zoe {number}")
        studio.make_contract(talent)
        studio.make_consent(talent)
        other = studio.make_voice(f"Zoe {number}", talent)
        studio.make_fileless_recordings(other, 3)
        studio.make_build(other, status="ready")
    RemoteVoice.objects.update(name="Zoe")
    Recording.objects.update(transcript="zoe")
    assert list_groups(viewer_client, "zoe") == {
        "people", "voices", "recordings", "builds", "consents", "remote_voices",
    }  # fmt: skip
    assert count_queries(viewer_client) == before


def count_queries(client: Client) -> list[int]:
    counts = []
    for params in ({"q": "zoe"}, {"q": "zoe", "group": "recordings"}):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse("voices:search"), params).status_code == 200
        counts.append(len(queries))
    with CaptureQueriesContext(connection) as queries:
        ask(client, "zoe")
    return [*counts, len(queries)]


# --- Marks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words", "marked"),
    [
        ("Zoë Winter", ["zoe"], "<mark>Zoë</mark> Winter"),
        ("Zoe\u0308 W", ["zoe"], "<mark>Zoë</mark> W"),
        ("Straße", ["ss"], "Stra<mark>ß</mark>e"),
        ("Straße", ["as"], "Str<mark>aß</mark>e"),
        ("banana", ["ana", "na"], "b<mark>anana</mark>"),
        ("a & b", ["&"], "a <mark>&amp;</mark> b"),
        ("Plain", ["zoe"], "Plain"),
        ("", ["zoe"], ""),
    ],
)
def test_marks_stand_around_the_words(text: str, words: list[str], marked: str) -> None:
    assert mark_words(text, words) == marked


def test_long_text_is_cut_around_the_first_word() -> None:
    text = " ".join(["before"] * 50 + ["Ziel"] + ["after"] * 50)
    cut = cut_text(text, ["ziel"])
    assert cut.startswith("…before ") and " Ziel after" in cut and cut.endswith(" after…") and len(cut) < 180
    assert cut_text("Short text.", ["short"]) == "Short text."
    assert len(cut_text("x" * 1000, ["zz"])) < 180


def test_build_is_named_by_its_number_among_those_of_its_voice(studio: Studio, viewer_client: Client) -> None:
    voice = studio.make_build(status="ready").voice
    studio.make_build(voice, status="ready")
    text = re.sub("</?mark>", "", read_page(viewer_client, voice.name.split()[0], group="builds"))
    assert text.index(f"Build 2 of {voice.name}") < text.index(f"Build 1 of {voice.name}")
