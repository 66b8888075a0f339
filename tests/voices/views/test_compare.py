"""The comparison of builds of one voice: facts, scores, and previews of the same sentence."""

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

from consent.models import Consent, ConsentStatus
from tests.support.html import read_html
from tests.voices.rows import PROVIDER, Studio, make_clip
from voicehub.models import Task
from voices.models import Account, Build, Preview, PreviewStatus, RemoteVoice

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
SCORES = {"voice_similarity": 0.9, "fluency": 0.7, "pauses": 0.3, "resemble_score": 0.8}


@pytest.fixture
def pair(studio: Studio) -> tuple[Build, Build]:
    """Two ready builds, each with its own remote voice in the same account."""
    first = studio.make_build(status="ready", scores=SCORES)
    return first, studio.make_build(first.voice, status="ready", scores={**SCORES, "pauses": 0.1, "fluency": 0.6})


def make_path(*builds: Build, name: str = "voices:compare") -> str:
    return f"{reverse(name)}?{'&'.join(f'build={build.pk}' for build in builds)}"


def read_comparison(client: Client, *builds: Build, name: str = "voices:compare") -> str:
    response = client.get(make_path(*builds, name=name))
    assert response.status_code == 200
    return read_html(response)


def request_previews(client: Client, *builds: Build, text: str = "Good morning.") -> Any:
    return client.post(make_path(*builds, name="voices:compare_request_previews"), {"text": text}, follow=True)


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


def list_best_sides(client: Client, *builds: Build) -> dict[tuple[str, str], list[int]]:
    rows = client.get(make_path(*builds)).context["scores"]
    return {(row.provider, row.info.key): row.best_sides for row, _cells in rows}


def test_lower_score_is_better_where_the_provider_says_so(viewer_client: Client, pair: tuple[Build, Build]) -> None:
    assert list_best_sides(viewer_client, *pair) == {
        (PROVIDER, "voice_similarity"): [], (PROVIDER, "resemble_score"): [],
        (PROVIDER, "fluency"): [0], (PROVIDER, "pauses"): [1],
    }  # fmt: skip
    text = read_comparison(viewer_client, *pair)
    assert text.count(">better</span>") == 2 and text.count("the same</span>") == 4
    assert text.count('class="best"') == 2 and text.count('class="value" width=') == 6, "equal speech has no bars"
    assert re.search(r"<dt>Speech</dt>\s*<dd>12 s</dd>", text) and "rows are equal" in text
    assert re.search(r"Unintended pauses\s*<small>Lower is better", text) and re.search(
        r"Fluency\s*<small>Higher", text
    )
    assert "+0.20" in text and "−0.10" in text
    assert "Build 1 and Build 2 each lead in 1 of 4 scores." in text
    swapped = list_best_sides(viewer_client, pair[1], pair[0])
    assert (swapped[PROVIDER, "fluency"], swapped[PROVIDER, "pauses"]) == ([1], [0])


def test_best_of_three_builds_is_marked(viewer_client: Client, studio: Studio, pair: tuple[Build, Build]) -> None:
    third = studio.make_build(pair[0].voice, status="ready", scores={**SCORES, "fluency": 0.7, "pauses": 0.05})
    best = list_best_sides(viewer_client, *pair, third)
    assert (best[PROVIDER, "fluency"], best[PROVIDER, "pauses"]) == ([0, 2], [2])
    text = read_comparison(viewer_client, *pair, third)
    assert text.count(">best</span>") == 3 and "Build 3 leads in 2 of 4 scores." in text


def test_score_missing_on_one_side_is_neither_better_nor_worse(
    viewer_client: Client, pair: tuple[Build, Build]
) -> None:
    Build.objects.filter(pk=pair[1].pk).update(scores={})
    text = read_comparison(viewer_client, *pair)
    assert text.count("not stated</span>") == 4 and ">better<" not in text and "the same</span>" not in text
    Build.objects.update(scores={})
    assert "No provider gave scores" in read_comparison(viewer_client, *pair)


def test_scores_of_different_providers_stand_in_different_rows(
    viewer_client: Client, studio: Studio, pair: tuple[Build, Build]
) -> None:
    account = Account.objects.create(name="Second", provider="voiceai")
    RemoteVoice.objects.filter(pk=pair[1].remote_voice_id).update(account=account)
    rows = list_best_sides(viewer_client, *pair)
    assert len(rows) == 8 and set(map(tuple, rows.values())) == {()}, "nothing is better than a score of another kind"
    assert "Overall, Voice.ai" in read_comparison(viewer_client, *pair)
    Account.objects.filter(pk=account.pk).update(provider="resemble_v1")
    assert len(list_best_sides(viewer_client, *pair)) == 4, "both versions of Resemble AI mean the same"


def test_sent_and_flagged_recordings_are_counted_for_each_build(
    viewer_client: Client, pair: tuple[Build, Build]
) -> None:
    first, second = pair
    assert "3 recordings with the same transcript. Nothing differs" in read_comparison(viewer_client, *pair)
    row = first.recordings.all()[0]
    first.recordings.update(has_report=True)
    first.recordings.filter(pk=row.pk).update(is_silent=True, discard_reason="Too short.")
    second.recordings.filter(recording=row.recording_id).update(transcript="Other text.")
    text = read_comparison(viewer_client, *pair)
    assert "2 recordings with the same transcript" in text and "Recordings that differ (1)" in text
    assert f"{row.recording.file_name}<small>Another file or transcript</small>" in text
    assert "1 silent, 1 not used" in text and "12 s" in text
    row.delete()
    assert "<td>no" in read_comparison(viewer_client, *pair).replace('<span class="quiet">', "")


def test_builds_are_chosen_on_the_voice_the_build_and_the_list(
    viewer_client: Client, pair: tuple[Build, Build]
) -> None:
    first, second = pair
    for path in (first.voice.get_builds_url(), reverse("voices:build_list")):
        text = read_html(viewer_client.get(path))
        assert f'action="{reverse("voices:compare")}"' in text
        for build in pair:
            assert re.search(rf'<input[^>]* name="build" value="{build.pk}"\s+form="compare-pick"', text), path
    pair_url = f"{reverse('voices:compare')}?build={second.pk}&amp;build={first.pk}"
    assert f'href="{pair_url}"' in read_html(viewer_client.get(second.get_absolute_url()))
    Build.objects.filter(pk=first.pk).update(status="training", finished_at=None)
    assert f'value="{first.pk}"' not in read_html(viewer_client.get(reverse("voices:build_list")))
    assert reverse("voices:compare") not in viewer_client.get(second.get_absolute_url()).content.decode()


def test_only_two_to_four_finished_builds_of_one_voice_are_compared(
    viewer_client: Client, studio: Studio, pair: tuple[Build, Build]
) -> None:
    first, second = pair
    other_voice = studio.make_voice("Other", studio.make_talent("Nora Nye"))
    other_build = studio.make_build(other_voice, status="failed", consent=first.consent, contract=first.contract)
    path = reverse("voices:compare")
    for query in ("", "?build=x", f"?build={first.pk}&build={uuid.uuid4()}"):
        assert viewer_client.get(path + query).status_code == 404, query
    same = viewer_client.get(make_path(first, first), follow=True)
    assert same.redirect_chain[0][0] == first.voice.get_builds_url()
    assert "Choose 2 to 4 different builds" in same.content.decode()
    mixed = viewer_client.get(make_path(first, other_build), follow=True)
    assert mixed.redirect_chain[0][0] == reverse("voices:build_list")
    assert "Choose builds of one voice." in mixed.content.decode()
    more = [studio.make_build(first.voice, status="ready") for _ in range(3)]
    assert "Choose 2 to 4 different" in viewer_client.get(make_path(*pair, *more), follow=True).content.decode()
    assert viewer_client.get(make_path(*pair, *more[:2])).status_code == 200
    Build.objects.filter(pk=second.pk).update(status="training", finished_at=None)
    assert "when it is finished" in viewer_client.get(make_path(*pair), follow=True).content.decode()


def test_builds_are_added_and_removed(viewer_client: Client, studio: Studio, pair: tuple[Build, Build]) -> None:
    third = studio.make_build(pair[0].voice, status="ready")
    studio.make_build(pair[0].voice, status="training")
    text = read_comparison(viewer_client, *pair)
    assert make_path(*pair, third).replace("&", "&amp;") in text and text.count(">Add build 3</a>") == 1
    assert "Remove a build" not in text
    text = read_comparison(viewer_client, *pair, third)
    assert "Add a build" not in text and make_path(pair[0], third).replace("&", "&amp;") in text


def test_builds_whose_voice_speaks_as_a_newer_one_offer_to_add_it(
    producer_client: Client, studio: Studio, pair: tuple[Build, Build]
) -> None:
    third = studio.make_build(pair[0].voice, status="ready")
    same = Build.objects.filter(pk__in=[pair[1].pk, third.pk])
    same.update(remote_voice=pair[0].remote_voice)
    text = read_comparison(producer_client, *pair)
    assert "Next: add build 3" in text and text.count(">Add build 3</a>") == 1
    same.update(status="failed")
    Build.objects.update(status="failed")
    assert "Next: add build" not in read_comparison(producer_client, *pair), "none can speak"


# --- previews of the same sentence --------------------------------------------------------


def test_request_makes_a_preview_of_the_sentence_at_both_voices(
    producer_client: Client, pair: tuple[Build, Build]
) -> None:
    assert "Sentence for both builds" in read_comparison(producer_client, *pair)
    response = request_previews(producer_client, *pair, text="  Good   morning. ")
    assert response.redirect_chain[0][0] == f"{make_path(*pair)}#sentences"
    previews = Preview.objects.all()
    assert {(preview.build_id, preview.text) for preview in previews} == {(build.pk, "Good morning.") for build in pair}
    assert Task.objects.filter(kind="make_preview").count() == 2
    request_previews(producer_client, *pair, text=" ")
    assert Preview.objects.count() == 2


def test_failed_sample_is_requested_again_from_its_build_only(
    producer_client: Client, viewer_client: Client, pair: tuple[Build, Build]
) -> None:
    first, second = pair
    make_preview(first, status=PreviewStatus.FAILED, issue="Too many requests.")
    field = f'name="only" value="{first.pk}"'
    assert field in " ".join(read_comparison(producer_client, *pair).split())
    assert 'name="only"' not in read_comparison(viewer_client, *pair)
    data = {"text": "Good morning.", "only": str(first.pk)}
    producer_client.post(make_path(*pair, name="voices:compare_request_previews"), data)
    assert Preview.objects.filter(remote_voice=first.remote_voice).count() == 2
    assert not Preview.objects.filter(remote_voice=second.remote_voice).exists()


def test_voice_that_cannot_make_previews_does_not_block_the_other_voice(
    producer_client: Client, pair: tuple[Build, Build]
) -> None:
    first, second = pair
    RemoteVoice.objects.filter(pk=second.remote_voice_id).update(deleted_at=timezone.now())
    text = read_comparison(producer_client, *pair)
    assert "Only Build 1 can. Build 2: The provider does not have this voice" in text
    assert "Generate previews" not in text and f'href="{first.get_absolute_url()}#previews"' in text
    text = read_html(request_previews(producer_client, *pair))
    assert "B, Build 2: The provider does not have this voice" in text
    assert [preview.build_id for preview in Preview.objects.all()] == [first.pk]
    Consent.objects.update(status=ConsentStatus.SUSPENDED)
    text = read_comparison(producer_client, *pair)
    assert "Generate previews" not in text and "is not in force: suspended" in text
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
    make_preview(first)
    left, right = make_preview(first), make_preview(second)
    preview_of_one_build = make_preview(second, "<b>Only here.</b>")
    response = viewer_client.get(make_path(*pair))
    sentences = response.context["comparison"].sentences
    assert [sentence.previews for sentence in sentences] == [(left, right), (None, preview_of_one_build)]
    text = read_html(response)
    assert re.findall(r'id="sound-([0-9a-f-]+)"', text) == [str(preview_of_one_build.pk)], (
        "the others have no names yet"
    )
    assert text.count("Not requested.") == 1
    assert "&lt;b&gt;Only here." in text and "<b>Only" not in text


def test_list_of_previews_polls_while_a_preview_is_queued(viewer_client: Client, pair: tuple[Build, Build]) -> None:
    waiting = make_preview(pair[0], status=PreviewStatus.QUEUED)
    make_preview(pair[1], status=PreviewStatus.FAILED, issue="The provider's voice is <hoarse>.")
    text = read_comparison(viewer_client, *pair, name="voices:compare_previews")
    poll = re.search(r'hx-get="([^"]+)" hx-trigger="every 2s"', text)
    assert poll and "voice is &lt;hoarse&gt;" in text
    path = poll.group(1).replace("&amp;", "&")
    assert viewer_client.get(path).status_code == 204
    Account.objects.update(paused_at=timezone.now())
    assert "The account Main is paused." in read_comparison(viewer_client, *pair, name="voices:compare_previews")
    Preview.objects.filter(pk=waiting.pk).update(status=PreviewStatus.READY, file="x", content_type="audio/wav")
    final = viewer_client.get(path)
    assert final.status_code == 200 and "every 2s" not in final.content.decode()


def read_poll(client: Client, text: str) -> Any:
    poll = re.search(r'hx-get="([^"]+)"\s+hx-trigger="every 2s"', text)
    assert poll, "nothing polls"
    return client.get(poll.group(1).replace("&amp;", "&"))


def test_poll_sends_only_the_sentences_that_moved(viewer_client: Client, pair: tuple[Build, Build]) -> None:
    waiting = [make_preview(pair[0], f"Sentence {number}.", PreviewStatus.QUEUED) for number in range(20)]
    page = read_comparison(viewer_client, *pair)
    assert read_poll(viewer_client, page).status_code == 204
    Preview.objects.filter(pk=waiting[7].pk).update(status=PreviewStatus.FAILED, issue="It was refused.")
    moved = read_poll(viewer_client, page)
    text = read_html(moved)
    assert "It was refused." in text and text.count("<li ") == 1 and len(moved.content) < 4096
    assert "HX-Retarget" not in moved.headers and read_poll(viewer_client, text).status_code == 204
    make_preview(pair[1], "Another sentence.", PreviewStatus.QUEUED)
    whole = read_poll(viewer_client, page)
    assert whole.headers["HX-Retarget"] == "#spoken" and whole.content.decode().count("<li ") == 20


def test_poll_brings_the_first_sentence_to_listen_to(viewer_client: Client, pair: tuple[Build, Build]) -> None:
    previews = [make_preview(build, status=PreviewStatus.QUEUED) for build in pair]
    page = read_comparison(viewer_client, *pair)
    assert "Blind listening needs previews of the same sentence" in page
    for preview in previews:
        preview.file.save("", ContentFile(make_clip()), save=False)
        Preview.objects.filter(pk=preview.pk).update(
            status=PreviewStatus.READY, file=preview.file.name, content_type="audio/wav"
        )
    text = read_html(read_poll(viewer_client, page))
    assert (
        'id="blind"' in text and text.count("<audio") == 2 and "Sample 1 is better" in text and "every 2s" not in text
    )
    make_preview(pair[0], "Another sentence.", PreviewStatus.QUEUED)
    page = read_comparison(viewer_client, *pair)
    Preview.objects.filter(status=PreviewStatus.QUEUED).update(status=PreviewStatus.FAILED)
    assert 'id="blind"' not in read_poll(viewer_client, page).content.decode(), "the person may be listening"


def test_viewer_can_play_but_not_request_previews(viewer_client: Client, pair: tuple[Build, Build]) -> None:
    make_preview(pair[0])
    text = read_comparison(viewer_client, *pair)
    assert "<audio" in text and "Generate previews" not in text
    assert request_previews(viewer_client, *pair).status_code == 403


def test_query_count_does_not_grow_with_previews(viewer_client: Client, pair: tuple[Build, Build]) -> None:
    def count_queries() -> int:
        with CaptureQueriesContext(connection) as queries:
            read_comparison(viewer_client, *pair)
        return len(queries)

    for build in pair:
        make_preview(build)
    count_queries()
    expected = count_queries()
    for number in range(5):
        for build in pair:
            make_preview(build, f"Sentence {number}.")
    assert count_queries() == expected


def test_lists_name_the_builds_and_their_provider_only_where_it_differs(
    producer_client: Client, pair: tuple[Build, Build]
) -> None:
    for build in pair:
        Preview.objects.create(remote_voice=build.remote_voice, build=build, text=f"By {build.pk}.")
    text = read_comparison(producer_client, *pair)
    sentences = text[text.index('id="sentences"') : text.index('id="builds-title"')]
    assert "Build 1" in sentences and "Build 2" in sentences and "Resemble AI" not in sentences
    assert "measured by Resemble AI, rapid." in text
    RemoteVoice.objects.filter(pk=pair[1].remote_voice_id).update(tier="professional")
    text = read_comparison(producer_client, *pair)
    assert "Build 2, Resemble AI, professional" in text and "measured by the provider." in text
