"""The comparison of two builds of one voice: facts, scores, and previews of the same sentence."""

import re
import uuid
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from consent.models import Consent, ConsentStatus, Contract
from tests.support.html import read_html
from tests.voices.rows import Studio, make_clip
from voicehub.models import Task
from voices.models import Account, Build, Preview, PreviewStatus, RemoteVoice

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
SCORES = {"voice_similarity": 0.9, "fluency": 0.7, "pauses": 0.3, "resemble_score": 0.8}


@pytest.fixture
def pair(studio: Studio) -> tuple[Build, Build]:
    """Two ready builds, each with its own remote voice in the same account."""
    first = studio.make_build(status="ready", scores=SCORES)
    return first, studio.make_build(first.voice, status="ready", scores={**SCORES, "pauses": 0.1, "fluency": 0.6})


def make_path(a: Build, b: Build, name: str = "voices:compare") -> str:
    return f"{reverse(name)}?a={a.pk}&b={b.pk}"


def read_comparison(client: Client, a: Build, b: Build, name: str = "voices:compare") -> str:
    response = client.get(make_path(a, b, name))
    assert response.status_code == 200
    return read_html(response)


def request_previews(client: Client, a: Build, b: Build, text: str = "Good morning.") -> Any:
    return client.post(make_path(a, b, "voices:compare_request_previews"), {"text": text}, follow=True)


def make_preview(
    build: Build, text: str = "Good morning.", status: str = PreviewStatus.READY, **fields: Any
) -> Preview:
    preview = Preview(remote_voice=build.remote_voice, build=build, text=text, status=status, **fields)
    if status == PreviewStatus.READY:
        preview.file.save("", ContentFile(make_clip()), save=False)
        preview.content_type = "audio/wav"
    preview.save(force_insert=True)
    return preview


# --- facts and scores ---------------------------------------------------------------------


def test_lower_score_is_better_where_the_provider_says_so(viewer_client: Client, pair: tuple[Build, Build]) -> None:
    rows = {row.info.key: row for row in viewer_client.get(make_path(*pair)).context["scores"]}
    assert {key: row.better_side for key, row in rows.items()} == {
        "voice_similarity": None, "resemble_score": None, "fluency": 0, "pauses": 1,
    }  # fmt: skip
    text = read_comparison(viewer_client, *pair)
    assert text.count(">better</span>") == 2 and text.count(">the same</span>") == 4
    assert "Lower is better. How often the voice pauses" in text
    swapped = {
        row.info.key: row.better_side for row in viewer_client.get(make_path(pair[1], pair[0])).context["scores"]
    }
    assert (swapped["fluency"], swapped["pauses"]) == (1, 0)


def test_score_missing_on_one_side_is_neither_better_nor_worse(
    viewer_client: Client, pair: tuple[Build, Build]
) -> None:
    Build.objects.filter(pk=pair[1].pk).update(scores={})
    text = read_comparison(viewer_client, *pair)
    assert text.count("Not reported") == 4 and ">better<" not in text
    Build.objects.update(scores={})
    assert "Neither provider gave scores" in read_comparison(viewer_client, *pair)


def test_sent_and_flagged_recordings_are_counted_for_each_build(
    viewer_client: Client, pair: tuple[Build, Build]
) -> None:
    first, second = pair
    assert "3 recordings, with the same transcript" in read_comparison(viewer_client, *pair)
    row = first.recordings.all()[0]
    first.recordings.update(has_report=True)
    first.recordings.filter(pk=row.pk).update(is_silent=True, discard_reason="Too short.")
    second.recordings.filter(recording=row.recording_id).update(transcript="Other text.")
    text = read_comparison(viewer_client, *pair)
    assert "2 recordings, with the same transcript" in text
    assert "<td>1 silent, 0 with another speaker or sound, 1 not used</td><td>No report</td>" in text
    assert "3, 12 s" in text


def test_two_finished_builds_can_be_chosen_for_comparison(viewer_client: Client, pair: tuple[Build, Build]) -> None:
    first, second = pair
    text = read_html(viewer_client.get(first.voice.get_builds_url()))
    assert f'action="{reverse("voices:compare")}"' in text
    assert text.count(f'value="{first.pk}"') == text.count(f'value="{second.pk}"') == 2
    build_page = read_html(viewer_client.get(second.get_absolute_url()))
    assert (
        f'<input type="hidden" name="a" value="{second.pk}">' in build_page
        and f'<option value="{first.pk}">' in build_page
    )
    Build.objects.filter(pk=first.pk).update(status="training", finished_at=None)
    assert "compare-pick" not in viewer_client.get(first.voice.get_builds_url()).content.decode()
    assert "compare-pick" not in viewer_client.get(second.get_absolute_url()).content.decode()


def test_only_two_different_finished_builds_of_one_voice_are_compared(
    viewer_client: Client, studio: Studio, pair: tuple[Build, Build]
) -> None:
    first, second = pair
    other_voice = studio.make_voice("Other", studio.make_talent("Nora Nye"))
    other_build = studio.make_build(other_voice, status="failed", consent=first.consent, contract=first.contract)
    path = reverse("voices:compare")
    for query in (
        "",
        "?a=x&b=y",
        f"?a={first.pk}",
        f"?a={first.pk}&b={uuid.uuid4()}",
        f"?a={first.pk}&b={other_build.pk}",
    ):
        assert viewer_client.get(path + query).status_code == 404, query
    same = viewer_client.get(make_path(first, first), follow=True)
    assert same.redirect_chain[0][0] == first.voice.get_builds_url()
    assert "Choose two different builds" in same.content.decode()
    Build.objects.filter(pk=second.pk).update(status="training", finished_at=None)
    assert "when it is finished" in viewer_client.get(make_path(*pair), follow=True).content.decode()


# --- previews of the same sentence --------------------------------------------------------


def test_request_makes_a_preview_of_the_sentence_at_both_voices(
    producer_client: Client, pair: tuple[Build, Build]
) -> None:
    assert "Generate both previews" in read_comparison(producer_client, *pair)
    response = request_previews(producer_client, *pair, text="  Good   morning. ")
    assert response.redirect_chain[0][0] == f"{make_path(*pair)}#sentences"
    previews = Preview.objects.all()
    assert {(preview.build_id, preview.text) for preview in previews} == {(build.pk, "Good morning.") for build in pair}
    assert Task.objects.filter(kind="make_preview").count() == 2
    request_previews(producer_client, *pair, text=" ")
    assert Preview.objects.count() == 2


def test_voice_that_cannot_make_previews_does_not_block_the_other_voice(
    producer_client: Client, pair: tuple[Build, Build]
) -> None:
    first, second = pair
    RemoteVoice.objects.filter(pk=second.remote_voice_id).update(deleted_at=timezone.now())
    text = read_comparison(producer_client, *pair)
    assert "cannot generate a new preview: The provider does not have this voice" in text and "Generate preview" in text
    text = read_html(request_previews(producer_client, *pair))
    assert "Resemble AI, rapid: The provider does not have this voice" in text
    assert [preview.build_id for preview in Preview.objects.all()] == [first.pk]
    Consent.objects.update(status=ConsentStatus.SUSPENDED)
    text = read_comparison(producer_client, *pair)
    assert "Generate preview" not in text and "is not in force: suspended" in text
    request_previews(producer_client, *pair)
    assert Preview.objects.count() == 1


def test_retrained_voice_generates_previews_only_for_its_last_build(
    producer_client: Client, pair: tuple[Build, Build]
) -> None:
    first, second = pair
    Build.objects.filter(pk=second.pk).update(remote_voice=first.remote_voice)
    make_preview(first, "Before retraining.")
    assert "has been retrained since" in read_comparison(producer_client, *pair)
    request_previews(producer_client, *pair)
    assert [preview.build_id for preview in Preview.objects.filter(text="Good morning.")] == [second.pk]
    assert "Before retraining." in read_comparison(producer_client, *pair)


def test_failed_build_in_a_comparison_gets_no_preview(producer_client: Client, pair: tuple[Build, Build]) -> None:
    Build.objects.filter(pk=pair[0].pk).update(status="failed")
    assert "did not produce a voice" in read_comparison(producer_client, *pair)
    request_previews(producer_client, *pair)
    assert [preview.build_id for preview in Preview.objects.all()] == [pair[1].pk]


def test_newest_previews_of_the_same_text_are_paired(viewer_client: Client, pair: tuple[Build, Build]) -> None:
    first, second = pair
    old, left, right = make_preview(first), make_preview(first), make_preview(second)
    preview_of_one_build = make_preview(second, "<b>Only here.</b>")
    text = read_comparison(viewer_client, *pair)
    preview_ids = re.findall(r'id="sound-([0-9a-f-]+)"', text)
    assert preview_ids == [str(left.pk), str(right.pk), str(preview_of_one_build.pk)] and str(old.pk) not in text
    assert text.count("Not requested.") == 1
    assert "&lt;b&gt;Only here." in text and "<b>Only" not in text


def test_list_of_previews_polls_while_a_preview_is_queued(viewer_client: Client, pair: tuple[Build, Build]) -> None:
    waiting = make_preview(pair[0], status=PreviewStatus.QUEUED)
    make_preview(pair[1], status=PreviewStatus.FAILED, issue="The provider's voice is <hoarse>.")
    text = read_comparison(viewer_client, *pair, "voices:compare_previews")
    poll = re.search(r'hx-get="([^"]+)" hx-trigger="every 2s"', text)
    assert poll and "voice is &lt;hoarse&gt;" in text
    path = poll.group(1).replace("&amp;", "&")
    assert viewer_client.get(path).status_code == 204
    Account.objects.update(paused_at=timezone.now())
    assert "The account Main is paused." in read_comparison(viewer_client, *pair, "voices:compare_previews")
    Preview.objects.filter(pk=waiting.pk).update(status=PreviewStatus.READY, file="x", content_type="audio/wav")
    final = viewer_client.get(path)
    assert final.status_code == 200 and "every 2s" not in final.content.decode()


def test_viewer_can_play_but_not_request_previews(viewer_client: Client, pair: tuple[Build, Build]) -> None:
    make_preview(pair[0])
    text = read_comparison(viewer_client, *pair)
    assert "<audio" in text and "Generate both previews" not in text
    assert request_previews(viewer_client, *pair).status_code == 403


def test_builds_at_two_providers_can_be_compared(
    viewer_client: Client, studio: Studio, pair: tuple[Build, Build]
) -> None:
    Contract.objects.update(providers=["resemble_v2", "voiceai"])
    other_account = Account.objects.create(name="Second", provider="voiceai")
    RemoteVoice.objects.filter(pk=pair[1].remote_voice_id).update(account=other_account)
    text = read_comparison(viewer_client, *pair)
    assert "Resemble AI, rapid and Voice.ai, side by side" in text


def test_query_count_does_not_grow_with_previews(viewer_client: Client, pair: tuple[Build, Build]) -> None:
    def count_queries() -> int:
        with CaptureQueriesContext(connection) as queries:
            read_comparison(viewer_client, *pair)
        return len(queries)

    make_preview(pair[0])
    count_queries()
    expected = count_queries()
    for number in range(5):
        for build in pair:
            make_preview(build, f"Sentence {number}.")
    assert count_queries() == expected
