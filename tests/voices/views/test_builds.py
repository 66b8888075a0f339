"""The build pages: start, progress, staff's answers about unconfirmed builds and unknown statuses, result, export."""

import csv
import html
import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from providers.types import Handover
from tests.support.html import read_html
from tests.voices.rows import Studio
from voices.build_results.timeline import make_timeline
from voices.models import Account, Build, BuildRecording, BuildStatus, DatasetFetch, Recording, RemoteVoice
from voices.models.build import MARKED
from voices.models.choices import HANDOVER_LABELS
from voices.services.builds.comparison import count_recordings
from voices.services.builds.rebuild import plan_rebuild
from voices.services.recordings.found_problems import list_problems
from voices.views.build_csv import escape_formula

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
EVIL = "<script>alert(1)</script>"


def start_build(client: Client, studio: Studio, voice: Any, **fields: Any) -> Any:
    data = {"account": studio.account.pk, "tier": "rapid", "handover": "recordings", **fields}
    return client.post(reverse("voices:build_start", args=[voice.pk]), data, follow=True)


def read_page(client: Client, build: Build, name: str = "voices:build", query: str = "") -> str:
    response = client.get(reverse(name, args=[build.pk]) + query)
    assert response.status_code == 200
    return read_html(response)


# --- Starting ----------------------------------------------------------------------------


def test_every_handover_has_a_label() -> None:
    assert set(HANDOVER_LABELS) == set(Handover)
    assert len(set(HANDOVER_LABELS.values())) == len(Handover)


@pytest.mark.parametrize("handover", [Handover.RECORDINGS, Handover.DATASET_URL])
def test_start_button_queues_build_with_chosen_handover(producer_client: Client, studio: Studio, handover: str) -> None:
    voice = studio.make_voice()
    studio.make_recordings(voice)
    before = read_html(producer_client.get(voice.get_readiness_url()))
    assert before.count("Start rapid build") == 1
    assert "Start professional build" not in before
    response = start_build(producer_client, studio, voice, handover=handover)
    build = Build.objects.get()
    assert response.redirect_chain == [(build.get_absolute_url(), 302)]
    assert (build.status, build.handover) == ("queued", handover)


@pytest.mark.parametrize("handover", sorted(set(Handover) - {"recordings", "dataset_url"}))
def test_handover_unsupported_by_provider_is_refused(producer_client: Client, studio: Studio, handover: str) -> None:
    voice = studio.make_voice()
    studio.make_recordings(voice)
    assert (
        "does not accept recordings in this way"
        in start_build(producer_client, studio, voice, handover=handover).content.decode()
    )
    assert not Build.objects.exists()


def test_last_error_of_the_account_is_advice_and_blocks_no_build(producer_client: Client, studio: Studio) -> None:
    voice = studio.make_voice()
    studio.make_recordings(voice)
    Account.objects.update(last_error="The key is wrong.")
    text = read_html(producer_client.get(voice.get_readiness_url()))
    assert "The last call with this account failed: The key is wrong." in text
    assert f'<a href="{reverse("voices:account_list")}">Accounts</a></li>' in text
    assert "Start rapid build" in text
    assert "<strong>3</strong>, at least 3" in text


def test_voice_page_shows_how_much_speech_exists_and_is_missing(producer_client: Client, studio: Studio) -> None:
    voice = studio.make_voice()
    studio.make_recordings(voice)
    voice.recordings.update(seconds=7.5)
    text = read_html(producer_client.get(voice.get_readiness_url()))
    assert "<strong>22 s</strong> of 10 min" in text
    assert "Another 9 min 38 s" in text
    assert "<strong>22 s</strong>, at least 10 s" in text


def test_refused_start_lists_every_reason(producer_client: Client, studio: Studio) -> None:
    voice = studio.make_voice(talent=studio.make_talent("Nora Nye"))
    text = read_html(start_build(producer_client, studio, voice))
    assert "Nora Nye has not been asked for consent" in text
    assert "No contract of Nora Nye is on file." in text
    assert not Build.objects.exists()


@pytest.mark.parametrize("fields", [{"tier": "x!"}, {"account": "no"}, {"handover": "pigeon"}, {"tier": ""}])
def test_invalid_form_value_starts_no_build(producer_client: Client, studio: Studio, fields: dict[str, str]) -> None:
    voice = studio.make_voice()
    studio.make_recordings(voice)
    assert start_build(producer_client, studio, voice, **fields).status_code == 200
    assert not Build.objects.exists()


def test_unknown_tier_starts_no_build_and_raises_no_error(producer_client: Client, studio: Studio) -> None:
    voice = studio.make_voice()
    studio.make_recordings(voice)
    assert start_build(producer_client, studio, voice, tier="platinum").status_code == 200
    assert not Build.objects.exists()


def test_engineer_cannot_start_a_build(client: Client, studio: Studio, engineer: Any) -> None:
    client.force_login(engineer)
    voice = studio.make_voice()
    studio.make_recordings(voice)
    assert "Start rapid build" not in client.get(voice.get_readiness_url()).content.decode()
    assert start_build(client, studio, voice).status_code == 403


# --- Progress ----------------------------------------------------------------------------


def test_page_polls_only_while_build_is_in_progress(viewer_client: Client, studio: Studio) -> None:
    build = studio.make_build(
        status="submitting", progress_message="Sending recordings", progress_done=2, progress_total=3
    )
    text = read_page(viewer_client, build)
    assert "Sending 2 of 3 recordings" in text
    assert 'hx-trigger="every 2s"' in text
    folded = "as they were when the build started</summary>"
    assert folded in text and "Build again" not in text
    Build.objects.filter(pk=build.pk).update(status="ready", finished_at=build.created_at)
    after = read_page(viewer_client, build, "voices:build_progress")
    assert "every 2s" not in after
    assert "Quality scores" in after and folded not in after
    assert "Report as PDF" not in text
    assert 'id="build-actions" class="page-actions" hx-swap-oob="true"' in after and "Report as PDF" in after
    assert "hx-swap-oob" not in read_page(viewer_client, build)


def test_poll_of_the_progress_returns_204_if_nothing_changed(viewer_client: Client, studio: Studio) -> None:
    build = studio.make_build(
        status="submitting", progress_message="Sending recordings", progress_done=1, progress_total=3
    )
    path = reverse("voices:build_progress", args=[build.pk])
    token = viewer_client.get(path).context["change_token"]
    assert viewer_client.get(path, {"seen": token}).status_code == 204
    Build.objects.filter(pk=build.pk).update(progress_done=2)
    assert viewer_client.get(path, {"seen": token}).status_code == 200


@pytest.mark.parametrize("status", BuildStatus.values)
def test_page_shows_each_build_status_and_a_timeline(producer_client: Client, studio: Studio, status: str) -> None:
    build = studio.make_build(status=status, issue="Something.")
    text = read_page(producer_client, build)
    assert str(BuildStatus(status).label) in text
    assert make_timeline(build)[-1].label in {"Result", str(BuildStatus(status).label)}


def test_only_queued_build_can_be_canceled(producer_client: Client, studio: Studio) -> None:
    build = studio.make_build(status="queued")
    assert "Cancel this build" in read_page(producer_client, build)
    producer_client.post(reverse("voices:build_cancel", args=[build.pk]))
    build.refresh_from_db()
    assert build.status == "cancelled"
    training = studio.make_build(studio.make_voice("Other", build.voice.talent), status="training")
    assert "Cancel this build" not in read_page(producer_client, training)
    text = read_html(producer_client.post(reverse("voices:build_cancel", args=[training.pk]), follow=True))
    assert "can no longer be canceled" in text
    training.refresh_from_db()
    assert training.status == "training"


# --- Unconfirmed submits -----------------------------------------------------------------


def make_build_with_unconfirmed_call(studio: Studio, lookup_attempts: int = 1) -> Build:
    build = studio.make_build(status="unconfirmed", pending_call="create", lookup_attempts=lookup_attempts)
    build.remote_voice.remote_id = ""
    build.remote_voice.save(update_fields=["remote_id"])
    return build


def test_staff_are_asked_about_a_call_only_after_a_look_up_without_result(
    producer_client: Client, studio: Studio
) -> None:
    build = make_build_with_unconfirmed_call(studio, lookup_attempts=0)
    assert "Did the build arrive?" not in read_page(producer_client, build)
    Build.objects.filter(pk=build.pk).update(lookup_attempts=1)
    page = read_page(producer_client, build)
    assert "Did the build arrive?" in page and "Check the provider's website, then answer here." in html.unescape(page)
    assert "<progress" not in page, "it waits for a person"
    assert page.count('type="radio" name="exists"') == 2 and page.count("btn-primary") == 1
    assert page.index("Did the build arrive?") < page.index("vh-timeline"), "the question comes first"
    assert "is-now is-doubt" in page


@pytest.mark.parametrize(
    ("answer", "remote_id"), [({"exists": "yes", "remote_id": " abc-1 "}, "abc-1"), ({"exists": "no"}, "")]
)
def test_staff_answer_resolves_an_unconfirmed_call_and_needs_a_reason(
    producer_client: Client, studio: Studio, answer: dict[str, str], remote_id: str
) -> None:
    build = make_build_with_unconfirmed_call(studio)
    path = reverse("voices:build_resolve_submit", args=[build.pk])
    assert read_page(producer_client, build).count('name="why"') == 1
    assert "Enter how you know this." in producer_client.post(path, answer).content.decode()
    build.refresh_from_db()
    assert build.status == "unconfirmed"
    producer_client.post(path, {**answer, "why": "I looked at <their> page."})
    build.refresh_from_db()
    assert (build.status, build.remote_voice.remote_id) == ("queued", remote_id)
    assert f"{studio.producer}: “I looked at &lt;their&gt; page.”" in read_page(producer_client, build)


def test_unconfirmed_training_call_asks_whether_training_began(producer_client: Client, studio: Studio) -> None:
    build = make_build_with_unconfirmed_call(studio)
    RemoteVoice.objects.filter(pk=build.remote_voice_id).update(remote_id="remote-1")
    Build.objects.filter(pk=build.pk).update(pending_call="build")
    text = read_page(producer_client, build)
    assert "Has the training begun?" in text
    assert "Did the build arrive?" not in text
    answer = {"exists": "yes", "remote_id": "remote-1", "why": "It trains there."}
    assert 'name="remote_id" value="remote-1"' in text
    producer_client.post(reverse("voices:build_resolve_submit", args=[build.pk]), answer)
    build.refresh_from_db()
    assert build.status == "training"


@pytest.mark.parametrize("answer", [{}, {"exists": "yes"}, {"exists": "yes", "remote_id": "a b/../c"}, {"exists": "x"}])
def test_incomplete_answer_resolves_nothing(producer_client: Client, studio: Studio, answer: dict[str, str]) -> None:
    build = make_build_with_unconfirmed_call(studio)
    path = reverse("voices:build_resolve_submit", args=[build.pk])
    response = producer_client.post(path, {**answer, "why": "I looked <there>."})
    build.refresh_from_db()
    assert build.status == "unconfirmed"
    page = response.content.decode()
    assert response.status_code == 400
    assert ("Copy the voice ID" if "yes" in answer.values() else "Choose whether the provider has it.") in page
    assert "I looked &lt;there&gt;.</textarea>" in page, "what was entered stays"
    assert f'value="{answer.get("remote_id", "")}" maxlength="100"' in page
    assert page.count("checked>") == ("yes" in answer.values())


# --- Unknown statuses --------------------------------------------------------------------


def make_build_with_unknown_status(studio: Studio, status: str = "half-baked") -> Build:
    return studio.make_build(status="training", raw_status=status, has_unknown_status=True)


def test_page_of_a_build_with_an_unknown_status_asks_staff(producer_client: Client, studio: Studio) -> None:
    build = make_build_with_unknown_status(studio)
    text = read_page(producer_client, build)
    assert "Is it ready?" in text and "half-baked" in text
    Build.objects.filter(pk=build.pk).update(raw_status="")
    assert "does not report a status" in read_page(producer_client, build)
    Build.objects.filter(pk=build.pk).update(has_unknown_status=False)
    assert "Is it ready?" not in read_page(producer_client, build)


@pytest.mark.parametrize("result", ["ready", "failed"])
def test_staff_can_resolve_training_with_unknown_status(producer_client: Client, studio: Studio, result: str) -> None:
    build = make_build_with_unknown_status(studio)
    path = reverse("voices:build_resolve_training", args=[build.pk])
    for data in ({"became": result}, {"why": "I looked."}, {"became": "training", "why": "I looked."}):
        producer_client.post(path, data)
        build.refresh_from_db()
        assert build.status == "training"
    producer_client.post(path, {"became": result, "why": "It is listed there."})
    build.refresh_from_db()
    assert (build.status, build.resolved_by, build.finished_at is None) == (result, studio.producer, False)
    assert f"{studio.producer}: “It is listed there.”" in read_page(producer_client, build)
    assert (
        "reports a clear status"
        in producer_client.post(path, {"became": "ready", "why": "Again."}, follow=True).content.decode()
    )


def test_build_waiting_for_paused_account_shows_the_reason(viewer_client: Client, studio: Studio) -> None:
    build = studio.make_build(status="training")
    token = viewer_client.get(build.get_absolute_url()).context["change_token"]
    Account.objects.update(paused_at=build.created_at, pause_reason="The key was refused.")
    path = reverse("voices:build_progress", args=[build.pk])
    text = read_html(viewer_client.get(path, {"seen": token}))
    assert "Waiting: the account Main is paused." in text and "The key was refused." in text


# --- The result --------------------------------------------------------------------------


def test_high_score_is_bad_where_lower_is_better(viewer_client: Client, studio: Studio) -> None:
    scores = {"voice_similarity": 0.9, "fluency": 0.9, "pauses": 0.9, "resemble_score": 0.9}
    build = studio.make_build(status="ready", scores=scores)
    scores_by_key = {score.info.key: score for score in viewer_client.get(build.get_absolute_url()).context["scores"]}
    assert {key for key, score in scores_by_key.items() if score.tone == "good"} == set(scores) - {"pauses"}
    assert (scores_by_key["pauses"].tone, scores_by_key["pauses"].info.lower_is_better) == ("bad", True)
    text = read_page(viewer_client, build)
    assert "Typically there are many pauses" in text
    assert "Typically the recordings are noisy" not in text, "no advice is shown for a good score"


def test_page_of_a_build_without_scores_says_so(viewer_client: Client, studio: Studio) -> None:
    text = read_page(viewer_client, studio.make_build(status="ready"))
    assert "The provider gave no scores" in text and "Next: listen to the voice" in text


def test_dataset_issue_lists_worst_recordings_first(viewer_client: Client, studio: Studio) -> None:
    build = studio.make_build(status="dataset_issue", issue="Look at the recordings.")
    fine, poor, silent = build.recordings.order_by("pk")
    BuildRecording.objects.filter(pk=fine.pk).update(has_report=True, sample_score=0.9, stoi=0.91)
    BuildRecording.objects.filter(pk=poor.pk).update(has_report=True, sample_score=0.2, from_callback=True)
    BuildRecording.objects.filter(pk=silent.pk).update(has_report=True, sample_score=0.99, is_silent=True)
    response = viewer_client.get(build.get_absolute_url())
    assert [row.pk for row in response.context["page"]] == [silent.pk, poor.pk, fine.pk]
    text = read_html(response)
    assert "1 of 3 recordings is flagged" in text
    assert "Flagged by the provider (1)" in text
    assert "1 recording reported only in the provider's callback." in text
    assert "0.91" not in text
    assert "0.91" in read_html(viewer_client.get(f"{build.get_absolute_url()}?scores=all"))


def test_recording_that_the_provider_did_not_use_shows_the_reason(producer_client: Client, studio: Studio) -> None:
    build = studio.make_build(status="ready")
    first, second, last = build.recordings.order_by("recording__file_name")
    build.recordings.update(has_report=True)
    build.recordings.filter(pk=last.pk).update(discard_reason="=too <noisy>")
    response = producer_client.get(build.get_absolute_url())
    assert [row.pk for row in response.context["page"]] == [last.pk, first.pk, second.pk]
    text = read_html(response)
    assert "Not used</span>" in text and "“=too &lt;noisy&gt;”" in text
    assert text.count("Fix<span") == 1
    rows = producer_client.get(reverse("voices:build_export", args=[build.pk]))
    lines = list(csv.DictReader(io.StringIO(b"".join(rows.streaming_content).decode())))  # type: ignore[attr-defined]
    assert [line["discarded"] for line in lines] == ["'=too <noisy>", "", ""]
    table = producer_client.get(build.voice.get_absolute_url(), {"show": "flagged"})
    assert [row.pk for row in table.context["page"]] == [last.recording_id]
    assert "<b>Not used</b>" in read_html(table)


@pytest.mark.parametrize(
    ("provider", "handover", "description"),
    [
        ("speechgen", "one_file", "One MP3 of 13 s, made of these 3 recordings"),
        ("voiceai", "one_file", "One WAV of 13 s"),
        ("resemble_v1", "signed_put_wav", "One WAV of 13 s"),
        ("resemble_v1", "signed_put_texts", "One archive (.tar.gz) with their transcripts, made of these 3"),
        ("resemble_v1", "signed_put_clips", "One archive (.tar.gz) without transcripts"),
        ("audiostack", "file_ids", "3 recordings, one by one"),
        ("gone", "one_file", "One WAV of 13 s"),
    ],
)
def test_build_page_describes_how_recordings_were_sent(
    viewer_client: Client, studio: Studio, provider: str, handover: str, description: str
) -> None:
    Account.objects.update(provider=provider)
    assert description in read_page(viewer_client, studio.make_build(status="failed", handover=handover))


def test_only_flagged_rows_offer_a_fix_and_empty_columns_are_hidden(producer_client: Client, studio: Studio) -> None:
    build = studio.make_build(status="dataset_issue")
    build.recordings.update(has_report=True, si_sdr=-3.54)
    assert "Fix<span" not in read_page(producer_client, build)
    flagged = build.recordings.order_by("pk")[1]
    build.recordings.filter(pk=flagged.pk).update(is_outlier=True)
    text = read_page(producer_client, build)
    assert text.count("Fix<span") == 1
    assert f'Fix<span class="visually-hidden"> {flagged.recording.file_name}' in text
    assert f"{build.voice.get_absolute_url()}?show=flagged#recordings" in text
    assert "−3.5<" not in text
    text = read_html(producer_client.get(f"{build.get_absolute_url()}?scores=all"))
    assert "−3.5<" in text
    for name, is_shown in (("SI-SDR", True), ("STOI", False), ("PESQ", False), ("Score", False)):
        assert (f'data-label="{name}"' in text, f"{name}</" in text) == (is_shown, is_shown), name


def test_provider_text_is_escaped(viewer_client: Client, studio: Studio) -> None:
    build = studio.make_build(status="consent_rejected", issue=EVIL, raw_status=EVIL)
    DatasetFetch.objects.create(build=build, user_agent=EVIL)
    Build.objects.filter(pk=build.pk).update(handover="dataset_url")
    text = read_page(viewer_client, build)
    assert "<script>alert" not in text
    assert text.count(html.escape(EVIL)) == 3


# --- Export ------------------------------------------------------------------------------


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", '=HYPERLINK("x")'])
def test_export_escapes_text_that_a_spreadsheet_would_run_as_a_formula(
    viewer_client: Client, studio: Studio, formula: str
) -> None:
    build = studio.make_build(status="ready")
    build.recordings.update(transcript=formula, has_report=True, si_sdr=-3.5)
    response = viewer_client.get(reverse("voices:build_export", args=[build.pk]))
    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    assert "attachment" in response.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == 3
    assert {row["transcript"] for row in rows} == {f"'{formula}"}
    assert {row["si_sdr"] for row in rows} == {"-3.5"}
    assert all(line.startswith('"') for line in text.splitlines() if line[:1] not in {"=", "\t"})


def test_export_leaves_numbers_and_plain_text_unchanged() -> None:
    assert [escape_formula(value) for value in (-1.5, None, "a=b", True, "")] == [-1.5, "", "a=b", True, ""]


# --- VoiceHub's estimates ----------------------------------------------------------------


def test_voicehub_estimates_are_separate_from_provider_scores(viewer_client: Client, studio: Studio) -> None:
    build = studio.make_build(status="ready")
    first = build.recordings.select_related("recording").order_by("recording__file_name")[0]
    path = build.get_absolute_url()
    assert "VoiceHub's estimates" not in viewer_client.get(path).content.decode()
    measures = {"estimates": {"stoi": 0.934, "si_sdr": -2.5, "dnsmos_overall": None, "missing": ["No model."]}}
    Recording.objects.filter(pk=first.recording_id).update(measures=measures)
    build.recordings.update(has_report=True, pesq=3.5, sample_score=0.9)
    short = read_page(viewer_client, build)
    assert f'href="{path}?page=1&amp;scores=all#report">More columns</a>' in short.replace(
        "> More columns ", ">More columns"
    )
    assert 'data-label="Score">0.90' in short and 'data-label="PESQ"' not in short
    response = viewer_client.get(f"{path}?scores=all")
    text = " ".join(response.content.decode().split())
    assert f'href="{path}?page=1#report"' in text
    assert response.context["estimates"] == {"stoi": "STOI", "si_sdr": "SI-SDR"}
    assert 'colspan="2" class="num group">Provider\'s scores' in text
    assert 'colspan="2" class="num group estimate">VoiceHub\'s estimates' in text
    assert 'data-label="PESQ">3.50' in text and 'data-label="STOI, estimated">0.934' in text
    assert 'data-label="SI-SDR, estimated">−2.5 dB' in text
    assert "are not the provider's scores" in text and "Ignores:" in text
    build.recordings.update(stoi=0.5)
    assert viewer_client.get(path).context["estimates"] == {"si_sdr": "SI-SDR"}, "the provider measured STOI itself"


def test_inactive_recording_counts_as_not_used_everywhere(producer_client: Client, studio: Studio) -> None:
    """Resemble AI does not train with a recording that it calls inactive, and gives no reason."""
    build = studio.make_build(status="dataset_issue")
    build.recordings.update(has_report=True, is_active=True)
    marked, *_others = build.recordings.order_by("pk")
    build.recordings.filter(pk=marked.pk).update(is_active=False)
    page = read_html(producer_client.get(build.get_absolute_url()))
    assert page.count("Not used</span>") == 1 and f"1 of {build.recordings.count()} recordings is" in page
    assert [row for row in build.recordings.all() if row.is_unused] == list(build.recordings.filter(MARKED)) == [marked]
    assert [one.key for one in list_problems(build.voice)] == ["resemble_v2-discarded"]
    plan = plan_rebuild(build)
    assert plan and (plan.marked.total, plan.marked.discarded) == (1, 1)
    assert [count["unused"] for count in count_recordings([build])] == [1]
    assert "<b>Not used</b>" in read_html(producer_client.get(f"{build.voice.get_absolute_url()}?show=flagged"))
