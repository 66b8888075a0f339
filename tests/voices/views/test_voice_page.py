"""The page of a voice: its tabs, its empty state, and what the Readiness tab lists and repairs."""

import html
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import Consent
from tests.support.html import read_html
from tests.voices.rows import Studio
from voicehub import outbox
from voicehub.models import Task
from voices.models import Recording, RemoteVoice, Voice
from voices.services.recordings.figures import update_figures
from voices.services.recordings.store import ANALYZE_TASK
from voices.views.finding_list import FindingLine, split_findings

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


@pytest.fixture
def checked(studio: Studio, voice: Voice) -> list[Recording]:
    """Four checked recordings without findings, in the order of their names."""
    studio.make_recordings(voice, 4)
    Recording.objects.update(findings=[], set_findings=[], analyzed_at=timezone.now())
    update_figures(voice.recordings.all())
    return list(voice.recordings.order_by("file_name"))


def add_finding(row: Recording, code: str, field: str = "findings") -> None:
    finding = {"severity": "look", "code": code, "text": "Text.", "advice": "Advice.", "at": None}
    Recording.objects.filter(pk=row.pk).update(**{field: [finding]})
    update_figures(Recording.objects.filter(pk=row.pk))


def list_urls(voice: Voice) -> dict[str, str]:
    return {
        "Recordings": voice.get_absolute_url(),
        "Readiness": voice.get_readiness_url(),
        "Builds": voice.get_builds_url(),
        "At providers": voice.get_providers_url(),
    }


# --- tabs -------------------------------------------------------------------------------------------


def test_each_tab_marks_itself_and_links_to_the_others(viewer_client: Client, studio: Studio) -> None:
    voice = studio.make_build(status="ready").voice
    for name, url in list_urls(voice).items():
        response = viewer_client.get(url)
        links = {link.label: link for link in response.context["tabs"]}
        assert {label: link.url for label, link in links.items()} == list_urls(voice)
        assert [label for label, link in links.items() if link.is_current] == [name]
        assert read_html(response).count('<a href="' + url + '" aria-current="page">') == 1
        assert (links["Builds"].count, links["At providers"].count) == ("1", "1")


def test_count_of_readiness_is_loaded_after_the_page_except_on_its_own_tab(viewer_client: Client, voice: Voice) -> None:
    load = f'hx-get="{reverse("voices:ready_count", args=[voice.pk])}"'
    assert load in read_html(viewer_client.get(voice.get_absolute_url()))
    trigger = 'hx-trigger="load, readiness-changed'
    assert trigger not in read_html(viewer_client.get(voice.get_readiness_url()))
    assert trigger in read_html(viewer_client.get(voice.get_builds_url()))
    counted = viewer_client.get(reverse("voices:ready_count", args=[voice.pk])).content.decode()
    assert ">0 of " in counted


@pytest.mark.parametrize(
    ("status", "label"),
    [
        ("approved", "Consent for Resemble AI in force"),
        ("submitted", "Consent to review"),
        ("requested", "Waiting for consent"),
        ("declined", "No consent yet"),
    ],
)
def test_header_has_the_state_of_the_consent(viewer_client: Client, voice: Voice, status: str, label: str) -> None:
    Consent.objects.filter(talent=voice.talent).update(status=status)
    page, consent = read_html(viewer_client.get(voice.get_builds_url())), Consent.objects.get(talent=voice.talent)
    has_link = status in ("submitted", "requested")
    assert f'href="{consent.get_absolute_url()}">{label}</a>' in page if has_link else f"{label}</span>" in page


def test_expired_consent_is_not_in_force(viewer_client: Client, voice: Voice) -> None:
    consent = Consent.objects.get(talent=voice.talent)
    Consent.objects.filter(pk=consent.pk).update(valid_until=timezone.localdate() - timedelta(days=1))
    assert "No consent yet</span>" in read_html(viewer_client.get(voice.get_absolute_url()))
    Consent.objects.filter(pk=consent.pk).update(valid_until=timezone.localdate())
    assert "in force until" in read_html(viewer_client.get(voice.get_absolute_url()))


# --- the empty voice --------------------------------------------------------------------------------


def test_empty_voice_begins_with_the_drop_zone(engineer_client: Client, voice: Voice) -> None:
    text = read_html(engineer_client.get(voice.get_absolute_url()))
    assert 'class="drop-zone vh-empty"' in text and "How much speech is needed" in text
    needs = engineer_client.get(voice.get_absolute_url()).context["speech_needs"]
    assert ("Resemble AI, professional", "10 min") in needs


@pytest.mark.parametrize(("status", "is_said"), [("submitted", True), ("approved", False), ("requested", False)])
def test_empty_voice_says_that_its_consent_waits_for_a_review(
    engineer_client: Client, voice: Voice, status: str, is_said: bool
) -> None:
    Consent.objects.filter(talent=voice.talent).update(status=status)
    assert ("The consent waits for a review." in read_html(engineer_client.get(voice.get_absolute_url()))) == is_said


def test_drop_zone_is_small_beside_recordings(engineer_client: Client, studio: Studio, voice: Voice) -> None:
    studio.make_recordings(voice, 1)
    text = read_html(engineer_client.get(voice.get_absolute_url()))
    assert 'class="drop-zone"' in text and "How much speech is needed" not in text


def test_viewer_of_an_empty_voice_is_told_who_adds_recordings(viewer_client: Client, voice: Voice) -> None:
    text = read_html(viewer_client.get(voice.get_absolute_url()))
    assert "No recordings yet" in text and "data-drop" not in text


# --- findings ---------------------------------------------------------------------------------------


def test_finding_links_to_the_table_with_its_recordings(
    viewer_client: Client, voice: Voice, checked: list[Recording]
) -> None:
    add_finding(checked[1], "clipping")
    page = viewer_client.get(voice.get_readiness_url())
    (line,) = page.context["findings"]
    assert (line.title, line.source, line.state, line.count) == ("Clipping", "Our check", "Likely to fail", 1)
    assert html.escape(line.url) in page.content.decode()
    table = viewer_client.get(line.url.partition("#")[0])
    assert [row.pk for row in table.context["page"]] == [checked[1].pk]
    assert "aria-current=true>Clipping <b>1</b>" in read_html(table)


def test_poll_reloads_findings_while_checks_run_and_the_rest_when_they_end(
    viewer_client: Client, voice: Voice, checked: list[Recording]
) -> None:
    url = reverse("voices:readiness_poll", args=[voice.pk])
    outbox.enqueue_task(ANALYZE_TASK, voice.pk)
    running = viewer_client.get(url)
    assert running.headers["HX-Trigger"] == "readiness-changed" and "every 3s" in running.content.decode()
    seen = viewer_client.get(voice.get_readiness_url()).context["recording_progress"].query
    assert viewer_client.get(f"{url}?{seen}").status_code == 204
    Task.objects.filter(kind=ANALYZE_TASK).update(status="done")
    ended = viewer_client.get(f"{url}?{seen}")
    assert "checks-ended" in ended.headers["HX-Trigger"] and "every 3s" not in ended.content.decode()
    assert len(running.content) < 4096


# --- copies and repairs -----------------------------------------------------------------------------


def get_improvements_url(voice: Voice) -> str:
    return f"{voice.get_readiness_url()}?improvements=show"


def test_what_reads_every_recording_is_loaded_after_the_page_and_has_a_link(
    viewer_client: Client, voice: Voice, checked: list[Recording]
) -> None:
    page = viewer_client.get(voice.get_readiness_url())
    assert "copies" not in page.context and "repairs" not in page.context and "charts" not in page.context
    text, fragment = read_html(page), reverse("voices:improvements", args=[voice.pk])
    assert f'hx-get="{fragment}" hx-trigger="load, checks-ended from:body"' in text
    assert f'href="{get_improvements_url(voice)}#improvements"' in text and 'id="sound"' not in text
    for url in (fragment, get_improvements_url(voice)):
        loaded = read_html(viewer_client.get(url))
        assert f'hx-get="{fragment}" hx-trigger="checks-ended from:body"' in loaded and 'id="sound"' in loaded


def test_copy_is_kept_and_the_choice_undone_from_the_message(
    engineer_client: Client, voice: Voice, checked: list[Recording]
) -> None:
    for row in checked[:2]:
        sound = {"levels": checked[0].levels, "seconds": checked[0].seconds, "sample_rate": checked[0].sample_rate}
        Recording.objects.filter(pk=row.pk).update(**sound)
        add_finding(row, "same_sound", "set_findings")
    assert "Keep this one" in read_html(engineer_client.get(get_improvements_url(voice)))
    kept = reverse("voices:copy_keep", args=[voice.pk])
    page = engineer_client.post(kept, {"recording": str(checked[0].pk)}, follow=True)
    assert page.redirect_chain[0][0] == f"{get_improvements_url(voice)}#copies"
    assert "One recording is kept in builds, 1 copy excluded." in read_html(page)
    assert not Recording.objects.get(pk=checked[1].pk).active
    change = voice.bulk_changes.get()
    assert f'name="change" value="{change.pk}"' in read_html(page)
    undone = engineer_client.post(
        reverse("voices:improvement_undo", args=[voice.pk]), {"change": str(change.pk)}, follow=True
    )
    assert "Undone: 1 recording is as before." in read_html(undone)
    assert Recording.objects.get(pk=checked[1].pk).active


def test_transcripts_are_repaired_and_the_repair_undone(
    engineer_client: Client, voice: Voice, checked: list[Recording]
) -> None:
    Recording.objects.filter(pk=checked[0].pk).update(transcript="The <b>north</b> wind.")
    add_finding(checked[0], "transcript_markup")
    page = read_html(engineer_client.get(get_improvements_url(voice)))
    assert "<dd>The &lt;b&gt;north&lt;/b&gt; wind.</dd>" in page and "<dd>The north wind.</dd>" in page
    repair = reverse("voices:transcripts_repair", args=[voice.pk])
    assert "1 transcript repaired." in read_html(engineer_client.post(repair, follow=True))
    assert Recording.objects.get(pk=checked[0].pk).transcript == "The north wind."
    assert "nothing to repair anymore" in read_html(engineer_client.post(repair, follow=True))
    change = voice.bulk_changes.get()
    engineer_client.post(reverse("voices:improvement_undo", args=[voice.pk]), {"change": str(change.pk)})
    assert Recording.objects.get(pk=checked[0].pk).transcript == "The <b>north</b> wind."


def test_focus_goes_to_the_other_repairs_or_to_the_message(
    engineer_client: Client, voice: Voice, checked: list[Recording]
) -> None:
    """A browser gives the focus to the part that the address names, if the part can take it."""
    for row in checked[:2]:
        Recording.objects.filter(pk=row.pk).update(transcript=f"The <b>north</b> wind, {row.file_name}.")
        add_finding(row, "transcript_markup")
    for row, part in zip(checked, ("repairs", "messages"), strict=False):
        page = engineer_client.post(
            reverse("voices:transcripts_repair", args=[voice.pk]), {"recording": str(row.pk)}, follow=True
        )
        assert page.redirect_chain[0][0] == f"{get_improvements_url(voice)}#{part}"
        assert re.search(rf'id="{part}" tabindex="-1"', read_html(page))


@pytest.mark.parametrize("name", ["copy_keep", "transcripts_repair", "improvement_undo"])
def test_nonsense_is_refused_with_what_to_do(engineer_client: Client, voice: Voice, name: str) -> None:
    data = {"recording": "nonsense", "change": "nonsense"}
    page = engineer_client.post(reverse(f"voices:{name}", args=[voice.pk]), data, follow=True)
    assert page.redirect_chain[0][0] == voice.get_readiness_url()
    assert "nothing was changed. Try again." in read_html(page)


def test_viewer_sees_copies_and_repairs_without_their_buttons(
    viewer_client: Client, voice: Voice, checked: list[Recording]
) -> None:
    Recording.objects.filter(pk=checked[0].pk).update(transcript="The <b>north</b> wind.")
    add_finding(checked[0], "transcript_markup")
    page = read_html(viewer_client.get(get_improvements_url(voice)))
    assert "Transcripts to repair" in page and reverse("voices:transcripts_repair", args=[voice.pk]) not in page


# --- charts -----------------------------------------------------------------------------------------


def test_days_are_charted_from_the_fifth_day(viewer_client: Client, voice: Voice, studio: Studio) -> None:
    studio.make_recordings(voice, 5)
    checked = list(voice.recordings.order_by("file_name"))
    for days, row in enumerate(checked):
        Recording.objects.filter(pk=row.pk).update(
            created_at=timezone.now() - timedelta(days=min(days, 3)), loudness=-20 - days, signal_to_noise=40
        )
    charts = viewer_client.get(get_improvements_url(voice)).context["charts"]
    assert not any("by day" in chart.title for chart in charts)
    for days, row in enumerate(checked):
        Recording.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(days=days))
    page = viewer_client.get(get_improvements_url(voice))
    loudness, noise = page.context["charts"][-2:]
    assert [values for *_labels, values in loudness.rows] == [[-24.0], [-23.0], [-22.0], [-21.0], [-20.0]]
    assert loudness.y_range == (-35, -10) and noise.y_range == (30, 50)
    assert "<table" in page.content.decode()


# --- the page of its consent ------------------------------------------------------------------------


def test_consent_names_the_voices_that_were_built_with_it(producer_client: Client, studio: Studio) -> None:
    build = studio.make_build(status="ready")
    url = build.consent.get_absolute_url()
    text = read_html(producer_client.get(url))
    assert "Used by 1 voice" in text and f"{build.voice.name}. Consent and contract are in force" in text
    assert f'href="{build.voice.get_absolute_url()}">Open the voice</a>' in text
    for name in ("Alba", "Bela", "Cora"):
        voice = studio.make_voice(name, build.voice.talent)
        studio.make_build(voice, status="ready")
        voice.builds.update(consent=build.consent)
    text = read_html(producer_client.get(url))
    assert "Used by 4 voices" in text and "Alba, Bela, Cora and 1 more." in text and "Go to the voices" in text


# --- the next step --------------------------------------------------------------------------------


def test_first_line_of_readiness_has_the_one_blue_button(
    producer_client: Client, viewer_client: Client, voice: Voice, checked: list[Recording]
) -> None:
    checked[0].transcript = ""
    checked[0].save()
    response = producer_client.get(voice.get_readiness_url())
    _option, fix = response.context["option_rows"][0]
    text = read_html(response)
    assert fix and f"Next: {fix.action.lower()}" in text and text.count("btn-primary") == 1
    assert f'<a class="btn btn-primary" href="{fix.url.replace("&", "&amp;")}">{fix.action}<' in text
    assert "Next: " not in read_html(viewer_client.get(voice.get_readiness_url())), "a viewer can do nothing"


def test_tab_of_builds_says_what_the_next_build_needs(
    producer_client: Client, viewer_client: Client, studio: Studio
) -> None:
    build = studio.make_build(status="ready")
    build.voice.recordings.update(active=False)
    text = read_html(producer_client.get(build.voice.get_builds_url()))
    assert "Next build: " in text and "Recordings missing</span>" in text and ">Add recordings</a>" in text
    text = read_html(viewer_client.get(build.voice.get_builds_url()))
    assert ">Add recordings</a>" not in text and "See what a build needs" in text


def test_deleted_voices_at_providers_are_folded(viewer_client: Client, studio: Studio) -> None:
    build = studio.make_build(status="ready")
    old = studio.make_build(build.voice, status="ready").remote_voice
    RemoteVoice.objects.filter(pk=old.pk).update(retired_at=timezone.now())
    assert "deleted voice" not in read_html(viewer_client.get(build.voice.get_providers_url()))
    RemoteVoice.objects.filter(pk=old.pk).update(deleted_at=timezone.now(), deletion_requested_at=timezone.now())
    response = viewer_client.get(build.voice.get_providers_url())
    kept = response.context["remotes"]
    assert [one.pk for one in response.context["deleted_remotes"]] == [old.pk] and old not in kept
    assert "<summary>1 deleted voice</summary>" in read_html(response)


def test_findings_to_review_after_the_first_are_folded() -> None:
    def make_lines(severity: str, count: int) -> list[FindingLine]:
        return [FindingLine("Our check", severity, "", f"{severity} {number}", "", 1, "") for number in range(count)]

    lines = make_lines("bad", 3) + make_lines("wait", 8)
    found = split_findings(lines)
    assert (found["findings"], found["more_findings"]) == (lines[:8], lines[8:])
    assert split_findings(lines[:10])["more_findings"] == [], "a fold of two lines saves nothing"
