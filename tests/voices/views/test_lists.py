"""The lists of voices, builds and accounts, and the section of the main navigation that each page belongs to."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import ConsentStatus, Talent
from consent.services.review import suspend_consent
from tests.support.html import read_html
from tests.support.lists import (
    allow_only,
    count_list_queries,
    read_headings,
    read_list,
    read_menu,
    read_rows,
    read_tabs,
)
from tests.voices.rows import Studio
from voicehub.lists.tables import ListTable
from voicehub.models import User
from voices.lists.accounts import AccountTable
from voices.lists.builds import STATUS_ORDER, BuildTable
from voices.lists.voices import VoiceTable
from voices.models import Account, Build, BuildStatus, Recording, RemoteVoice, Voice
from voices.next_fixes import GAP_LABELS, GATE_LABELS
from voices.services.builds.gaps import GapKind
from voices.services.builds.nearest import GateStep
from voices.services.builds.scores import SCORES

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

VOICES, BUILDS, ACCOUNTS = "voices:voice_list", "voices:build_list", "voices:account_list"
TALENTS = "consent:talent_list"
DAY = timedelta(days=1)


def make_build(studio: Studio, name: str, **fields: Any) -> Build:
    """A build of a new voice with this name."""
    voice = studio.make_voice(name, studio.make_talent(f"Talent of {name}"))
    studio.make_contract(voice.talent)
    studio.make_consent(voice.talent)
    return studio.make_build(voice, **fields)


# --- builds -------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_builds_with_the_worst_score_come_first_on_the_first_click(studio: Studio, producer_client: Client) -> None:
    make_build(studio, "Unscored", status="ready")
    for name, score in (("Poor", 0.31), ("Good", 0.92), ("Fair", 0.7)):
        make_build(studio, name, status="ready", scores={"resemble_score": score, "pauses": score})
    headings = read_headings(producer_client, BUILDS)
    assert headings["Overall"][1] == "?sort=overall" and "Pauses" not in headings
    assert read_headings(producer_client, BUILDS, sort="-pauses")["Pauses"] == ("descending", "?sort=pauses")
    assert read_rows(producer_client, BUILDS, sort="overall") == ["Poor", "Fair", "Good", "Unscored"]
    assert read_rows(producer_client, BUILDS, sort="-pauses") == ["Good", "Fair", "Poor", "Unscored"]
    assert read_rows(producer_client, BUILDS, sort="-overall")[-1] == "Unscored", "rows without a value are last"
    assert ">0.31<" in read_list(producer_client, BUILDS)
    assert {column.key for column in BuildTable.base_columns.values() if hasattr(column, "key")} == {
        info.key for info in SCORES
    }


def test_builds_sort_by_time_and_say_what_is_next(studio: Studio, producer_client: Client) -> None:
    now = timezone.now()
    for name, age in (("Oldest", 3), ("Older", 2), ("Old", 1)):
        build = make_build(studio, name, status="failed" if name == "Old" else "ready")
        Build.objects.filter(pk=build.pk).update(created_at=now - age * DAY)
    make_build(studio, "Running", status="training")
    assert read_rows(producer_client, BUILDS) == ["Running", "Old", "Older", "Oldest"], "the newest first"
    page = read_list(producer_client, BUILDS)
    assert page.count(">Build again<span") == 1, "only the failed one waits for a person"
    Build.objects.filter(status="failed").update(seen_at=now)
    assert ">Open build<" not in read_list(producer_client, BUILDS)


def test_builds_that_wait_for_a_person_come_first_by_status(studio: Studio, producer_client: Client) -> None:
    for status in ("ready", "training", "failed", "unconfirmed"):
        make_build(studio, status.title(), status=status)
    assert read_rows(producer_client, BUILDS, sort="status") == ["Unconfirmed", "Failed", "Training", "Ready"]
    assert set(STATUS_ORDER) == set(BuildStatus), "each status has its place"
    assert read_tabs(producer_client, BUILDS) == {
        "All": 4,
        "In progress": 2,
        "Finished": 1,
        "Needs work": 1,
        "Stopped": 0,
    }
    assert set(read_rows(producer_client, BUILDS, show="active")) == {"Training", "Unconfirmed"}


def test_list_of_builds_says_what_became_of_a_voice(studio: Studio, producer_client: Client) -> None:
    build = make_build(studio, "Held", status="ready")
    assert '<span class="vh-status is-good">Ready</span>' in read_list(producer_client, BUILDS)
    suspend_consent(build.consent, studio.producer, "A dispute.")
    assert '<span class="vh-status is-wait">Suspended</span>' in read_list(producer_client, BUILDS)
    RemoteVoice.objects.update(deleted_at=timezone.now())
    for name in (BUILDS, VOICES, TALENTS):
        page = read_list(producer_client, name)
        assert "Gone" in page and ">Ready<" not in page, name


def test_builds_without_a_next_step_say_why_they_are_no_result(studio: Studio, viewer_client: Client) -> None:
    failed, ready = make_build(studio, "Broken", status="failed"), make_build(studio, "Fine", status="ready")
    page = read_list(viewer_client, BUILDS)
    assert f'href="{failed.get_absolute_url()}">See why<span class="visually-hidden">: Broken</span>' in page
    assert page.count("See why") == 1 and f'value="{ready.pk}"' in page
    active = make_build(studio, "Moves", status="training")
    page = read_list(viewer_client, BUILDS)
    assert f'value="{active.pk}"' not in page and page.count('aria-label="Compare ') == 2, "it cannot be compared yet"


def test_filter_by_provider_counts_builds(studio: Studio, producer_client: Client) -> None:
    make_build(studio, "Here", status="ready")
    there = make_build(studio, "There", status="failed")
    account = Account.objects.create(name="Other", provider="voiceai")
    RemoteVoice.objects.filter(pk=there.remote_voice_id).update(account=account)
    assert read_menu(producer_client, BUILDS, "Provider") == {"Resemble AI": 1, "Voice.ai": 1}
    assert read_rows(producer_client, BUILDS, provider="voiceai") == ["There"]
    assert read_tabs(producer_client, BUILDS, provider="voiceai")["Finished"] == 0


def test_user_without_view_permissions_gets_no_names_of_voices_or_talents(studio: Studio, outsider: User) -> None:
    make_build(studio, "Velvet", status="ready")
    make_build(studio, "Other", status="ready")
    client = allow_only(outsider, "voices.view_build")
    order = re.findall(r'href="(/builds/[^"]*)"', read_list(client, BUILDS))
    for query in ({}, {"search": "velvet"}, {"search": "talent of velvet"}, {"sort": "voice"}, {"sort": "talent"}):
        page = read_list(client, BUILDS, **query)
        assert "Velvet" not in page and order, query
        assert re.findall(r'href="(/builds/[^"]*)"', page) == order, query
    client = allow_only(outsider, "voices.view_voice")
    for query in ({}, {"search": "talent of"}, {"sort": "talent"}, {"sort": "last_build"}):
        page = read_list(client, VOICES, **query)
        assert "Talent of" not in page and "Last build" not in page, query


# --- voices -------------------------------------------------------------------------------


def test_list_of_voices_shows_recordings_and_the_last_build(studio: Studio, producer_client: Client) -> None:
    small, large = studio.make_voice("Small"), make_build(studio, "Large", status="failed").voice
    studio.make_fileless_recordings(large, 40)
    studio.make_recordings(small, 2)
    Recording.objects.filter(voice=small).update(seconds=200.0)
    left_out = small.recordings.first()
    assert left_out
    Recording.objects.filter(pk=left_out.pk).update(active=False, active_by="person")
    studio.make_build(large, status="ready")
    page = read_list(producer_client, VOICES)
    assert ">40<" in page and ">2 min<" in page, "40 recordings of 3 seconds"
    assert ">1 of 2<" in page and ">3 min 20 s<" in page, "one of the two recordings is left out"
    assert ">Ready</span>" in page and ">Failed</span>" not in page, "the newest build"
    assert read_rows(producer_client, VOICES, sort="recordings") == ["Small", "Large"]
    assert read_rows(producer_client, VOICES, sort="speech") == ["Large", "Small"]
    assert read_rows(producer_client, VOICES, sort="last_build") == ["Large", "Small"]


def test_list_of_voices_does_not_repeat_what_most_have(studio: Studio, producer_client: Client) -> None:
    talent = studio.make_talent()
    voices = [studio.make_voice(f"Voice {number}", talent) for number in range(5)]
    Voice.objects.filter(pk=voices[0].pk).update(purpose="advertising")
    page = read_list(producer_client, VOICES)
    assert (
        ">Advertising</small>" in page and "English (US)," not in page and "arration and audiobooks</small>" not in page
    )
    voices[4].delete()
    page = read_list(producer_client, VOICES)
    assert page.count("English (US), narration and audiobooks") == 3, "a short list says it in each row"


def test_list_of_voices_says_what_the_next_build_needs(studio: Studio, producer_client: Client) -> None:
    ready = studio.make_voice("Can build")
    studio.make_fileless_recordings(ready, 20)
    studio.make_voice("Empty")
    talent = studio.make_talent("Waits")
    studio.make_contract(talent)
    studio.make_consent(talent, ConsentStatus.SUBMITTED)
    studio.make_voice("Unapproved", talent)
    make_build(studio, "In training", status="training")
    page = read_list(producer_client, VOICES)
    for name, label in (
        ("Can build", "Ready to build"),
        ("Empty", "Recordings missing"),
        ("Unapproved", "Consent to review"),
        ("In training", "Build in progress"),
    ):
        row = next(row for row in re.findall("<tr>.*?</tr>", page) if f">{name}<" in row)
        assert f">{label}<" in row, name
    Account.objects.update(paused_at=timezone.now())
    assert ">Account paused<" in read_list(producer_client, VOICES)


def test_voice_is_added_to_a_chosen_talent(studio: Studio, producer_client: Client) -> None:
    studio.make_voice("First", studio.make_talent("Ann"))
    assert f'href="{reverse("voices:talent_choose")}"' in read_list(producer_client, VOICES)
    page = read_list(producer_client, "voices:talent_choose", search="ann")
    talent = Talent.objects.get(name="Ann")
    assert f'href="{reverse("voices:voice_add", args=[talent.pk])}">Add voice<' in page


def test_every_reason_against_a_build_has_a_label() -> None:
    assert set(GAP_LABELS) == set(GapKind)
    assert set(GATE_LABELS) == set(GateStep) - {GateStep.NONE}


def test_tabs_of_voices_count_by_their_builds(studio: Studio, producer_client: Client) -> None:
    studio.make_voice("New")
    for name, status in (("Runs", "training"), ("Works", "ready"), ("Broke", "failed")):
        make_build(studio, name, status=status)
    counts = {"All": 4, "Build in progress": 1, "Needs work": 1, "Built": 1, "Never built": 1}
    assert read_tabs(producer_client, VOICES) == counts
    values = {"active": "Runs", "failed": "Broke", "ready": "Works", "unbuilt": "New"}
    for value, name in values.items():
        assert read_rows(producer_client, VOICES, show=value) == [name]


# --- accounts -----------------------------------------------------------------------------


def test_accounts_that_do_not_work_come_first_by_state(studio: Studio, producer_client: Client) -> None:
    now = timezone.now()
    Account.objects.filter(pk=studio.account.pk).update(checked_at=now)
    Account.objects.create(name="Refused", provider="voiceai", checked_at=now, last_error="No credits.")
    Account.objects.create(name="Paused", provider="voiceai", paused_at=now, pause_reason="On leave.")
    Account.objects.create(name="Untested", provider="audiostack")
    assert read_rows(producer_client, ACCOUNTS, sort="state") == ["Refused", "Paused", "Untested", "Main"]
    assert read_rows(producer_client, ACCOUNTS) == ["Refused", "Paused", "Untested", "Main"], "by state"
    tabs = {"All": 4, "Not working": 1, "Paused": 1, "Not tested": 1, "Working": 1}
    assert read_tabs(producer_client, ACCOUNTS) == tabs
    studio.make_build(status="ready")
    assert read_rows(producer_client, ACCOUNTS, sort="-voices")[0] == "Main"


# --- all ----------------------------------------------------------------------------------


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("name", "table"),
    [(VOICES, VoiceTable), (BUILDS, BuildTable), (ACCOUNTS, AccountTable), (TALENTS, None)],
)
def test_every_sortable_column_sorts_in_both_directions(
    name: str, table: type[ListTable] | None, studio: Studio, producer_client: Client
) -> None:
    for number in range(3):
        make_build(studio, f"Voice {number}", status="ready", scores={"resemble_score": 0.5})
        Account.objects.create(name=f"Account {number}", provider="voiceai")
    urls = {label: url for label, (_way, url) in read_headings(producer_client, name).items()}
    unsorted: dict[type[ListTable] | None, list[str]] = {
        VoiceTable: ["Next build"],
        BuildTable: ["Compare", "Next step"],
    }
    assert [label for label, url in urls.items() if not url] == unsorted.get(table, [])
    rows = set(read_rows(producer_client, name))
    columns = {label: url.removeprefix("?sort=").removeprefix("-") for label, url in urls.items() if url}
    for label, column in columns.items():
        for sort, way in ((column, "ascending"), (f"-{column}", "descending")):
            assert set(read_rows(producer_client, name, sort=sort)) == rows
            assert read_headings(producer_client, name, sort=sort)[label][0] == way


@pytest.mark.both_databases
def test_unknown_values_in_the_address_fall_back_to_the_default(studio: Studio, producer_client: Client) -> None:
    make_build(studio, "Voice", status="ready")
    for name in (VOICES, BUILDS, ACCOUNTS):
        rows = read_rows(producer_client, name)
        for query in ({"sort": "x"}, {"page": "abc"}, {"page": "99999"}, {"size": "7"}, {"show": "x"}):
            assert read_rows(producer_client, name, **query) == rows != [], (name, query)


@pytest.mark.parametrize(
    ("name", "advice"), [(VOICES, "No voices yet"), (BUILDS, "No builds yet"), (ACCOUNTS, "No account yet")]
)
def test_empty_list_says_what_to_do(name: str, advice: str, producer_client: Client) -> None:
    page = read_list(producer_client, name)
    assert advice in page and "<table" not in page


@pytest.mark.parametrize("name", [VOICES, BUILDS, TALENTS])
def test_number_of_queries_does_not_grow_with_rows(name: str, studio: Studio, producer_client: Client) -> None:
    def add_builds(count: int) -> None:
        for number in range(count):
            build = make_build(studio, f"Voice {Build.objects.count()}", status="ready" if number % 3 else "failed")
            studio.make_fileless_recordings(build.voice, 2)
            studio.make_voice(f"Unbuilt {Build.objects.count()}", build.voice.talent)

    add_builds(3)
    expected = [count_list_queries(producer_client, name, size=100, sort=sort) for sort in ("", "-last_build")]
    add_builds(27)
    assert len(read_rows(producer_client, name, size=100)) == {VOICES: 60, BUILDS: 30, TALENTS: 30}[name]
    found = [count_list_queries(producer_client, name, size=100, sort=sort) for sort in ("", "-last_build")]
    # The next step of each talent is that of Today, which asks for each kind of step.
    assert found == expected and max(found) <= {TALENTS: 37}.get(name, 30)


# --- navigation ---------------------------------------------------------------------------


def read_navigation(client: Client, url: str) -> dict[str, str]:
    """The value of aria-current of each link of the main navigation, by label."""
    page = read_html(client.get(url))
    (navigation, *_) = re.findall(r'<nav\b[^>]* aria-label="Main".*?</nav>', page)
    links: dict[str, str] = {}
    for attributes, content in re.findall(r"<a ([^>]*)>(.*?)</a>", navigation):
        current = re.search(r'aria-current="(\w+)"', attributes)
        links[re.sub(r"<[^>]*>", "", content).strip()] = current[1] if current else ""
    return links


def test_navigation_marks_the_section_of_each_page(studio: Studio, producer_client: Client) -> None:
    build = make_build(studio, "Velvet", status="ready")
    studio.make_recordings(build.voice, 1)
    voice, talent = build.voice, build.voice.talent
    sections = {
        "Today": [reverse("today"), reverse("voices:deletion_list")],
        "Talents": [reverse(TALENTS), talent.get_absolute_url(), build.contract.get_absolute_url()],
        "Voices": [reverse(VOICES), voice.get_absolute_url(), build.remote_voice.get_absolute_url()],
        "Consents": [reverse("consent:consent_list"), build.consent.get_absolute_url()],
        "Builds": [reverse(BUILDS), build.get_absolute_url(), reverse("voices:compare")],
        "Accounts": [reverse(ACCOUNTS), reverse("voices:provider", args=["voiceai"])],
    }
    sections["Talents"].append(reverse("consent:consent_ask", args=[talent.pk]))
    sections["Voices"].append(reverse("voices:recording_edit", args=[voice.recordings.all()[0].pk]))
    for section, urls in sections.items():
        for url in urls:
            links = read_navigation(producer_client, url)
            assert [label for label, current in links.items() if current] == [section], url
            assert links[section] == ("page" if url == urls[0] else "true"), url


def test_navigation_has_only_the_lists_that_the_user_may_open(outsider: User, viewer_client: Client) -> None:
    client = allow_only(outsider, "voices.view_build", "consent.view_consent")
    assert list(read_navigation(client, reverse(BUILDS))) == ["Today", "Consents", "Builds"]
    labels = list(read_navigation(viewer_client, reverse(BUILDS)))
    assert labels == ["Today", "Talents", "Voices", "Consents", "Builds"]


# --- next steps of talents ----------------------------------------------------------------


def read_next_steps(client: Client) -> dict[str, str]:
    """By talent, the label of the link in the column “Next step”."""
    page = read_list(client, TALENTS)
    return {
        name: label for label, name in re.findall(r'class="btn btn-sm"[^>]*>([^<]+)<span[^>]*>: ([^<]+)</span>', page)
    }


def test_list_of_talents_has_the_first_step_of_today_for_each_talent(studio: Studio, producer_client: Client) -> None:
    studio.make_talent("Nora New")
    failed, ready = make_build(studio, "Alto", status="failed"), make_build(studio, "Bass", status="ready")
    steps = read_next_steps(producer_client)
    assert steps["Nora New"] == "Add contract"
    assert steps["Talent of Alto"] == "Build again"
    assert "Talent of Bass" not in steps, "nothing is left to do"
    today = read_html(producer_client.get(reverse("today")))
    assert f'href="{failed.get_absolute_url()}">Build again' in today
    assert ready.get_absolute_url() not in re.findall(r'class="btn btn-sm[^"]*" href="([^"]*)"', today)


def test_next_step_of_a_talent_is_one_that_the_user_may_do(studio: Studio, viewer_client: Client) -> None:
    studio.make_talent("Nora New")
    assert read_next_steps(viewer_client) == {}


def test_page_of_a_talent_names_its_next_step(studio: Studio, producer_client: Client, viewer_client: Client) -> None:
    build = make_build(studio, "Alto", status="failed")
    page = build.voice.talent.get_absolute_url()
    text = read_html(producer_client.get(page))
    assert "<h2>Next: build again</h2><p>Alto: The provider gave no reason.</p>" in text
    assert 'class="next next-bad"' in text and "Also: " not in text
    studio.make_build(studio.make_voice("Bass", build.voice.talent), status="failed")
    text = read_html(producer_client.get(page))
    named = re.findall("<p>(Also: )?(Alto|Bass): The provider gave no reason", text)
    assert [also for also, _ in named] == ["", "Also: "] and {name for _, name in named} == {"Alto", "Bass"}
    assert f'<a class="btn btn-primary" href="{build.get_absolute_url()}">Build again</a>' in text
    Build.objects.update(status="ready")
    assert "<h2>Next:" not in read_html(producer_client.get(page))
