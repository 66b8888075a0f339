"""Two builds of one voice side by side: their facts and scores, and the same sentence said by each."""

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
    """Two builds that are ready, each with a voice of its own in one account."""
    first = studio.make_build(status="ready", scores=SCORES)
    return first, studio.make_build(first.voice, status="ready", scores={**SCORES, "pauses": 0.1, "fluency": 0.6})


def address(a: Build, b: Build, name: str = "voices:compare") -> str:
    return f"{reverse(name)}?a={a.pk}&b={b.pk}"


def shown(client: Client, a: Build, b: Build, name: str = "voices:compare") -> str:
    response = client.get(address(a, b, name))
    assert response.status_code == 200
    return read_html(response)


def say(client: Client, a: Build, b: Build, text: str = "Good morning.") -> Any:
    return client.post(address(a, b, "voices:compare_request_previews"), {"text": text}, follow=True)


def heard(build: Build, text: str = "Good morning.", status: str = PreviewStatus.READY, **fields: Any) -> Preview:
    preview = Preview(remote_voice=build.remote_voice, build=build, text=text, status=status, **fields)
    if status == PreviewStatus.READY:
        preview.file.save("", ContentFile(make_clip()), save=False)
        preview.content_type = "audio/wav"
    preview.save(force_insert=True)
    return preview


# --- facts and scores ---------------------------------------------------------------------


def test_the_better_score_is_named_in_its_own_direction(as_viewer: Client, pair: tuple[Build, Build]) -> None:
    rows = {row.info.key: row for row in as_viewer.get(address(*pair)).context["scores"]}
    assert {key: row.better_side for key, row in rows.items()} == {
        "voice_similarity": None, "resemble_score": None, "fluency": 0, "pauses": 1,
    }  # fmt: skip
    text = shown(as_viewer, *pair)
    assert text.count(">better</span>") == 2 and text.count(">the same</span>") == 4
    assert "Lower is better. How often the voice pauses" in text
    turned = {row.info.key: row.better_side for row in as_viewer.get(address(pair[1], pair[0])).context["scores"]}
    assert (turned["fluency"], turned["pauses"]) == (1, 0)


def test_a_score_that_one_side_lacks_is_neither_better_nor_worse(as_viewer: Client, pair: tuple[Build, Build]) -> None:
    Build.objects.filter(pk=pair[1].pk).update(scores={})
    text = shown(as_viewer, *pair)
    assert text.count("Not reported") == 4 and ">better<" not in text
    Build.objects.update(scores={})
    assert "Neither provider gave scores" in shown(as_viewer, *pair)


def test_what_was_sent_and_marked_stands_side_by_side(as_viewer: Client, pair: tuple[Build, Build]) -> None:
    first, second = pair
    assert "3 recordings, with the same text" in shown(as_viewer, *pair)
    row = first.recordings.all()[0]
    first.recordings.update(has_report=True)
    first.recordings.filter(pk=row.pk).update(is_silent=True, discard_reason="Too short.")
    second.recordings.filter(recording=row.recording_id).update(transcript="Other words.")
    text = shown(as_viewer, *pair)
    assert "2 recordings, with the same text" in text
    assert "<td>1 silent, 0 with another speaker or sound, 1 not used</td><td>No report</td>" in text
    assert "3, 12 s" in text


def test_two_builds_are_picked_where_they_are_listed(as_viewer: Client, pair: tuple[Build, Build]) -> None:
    first, second = pair
    text = read_html(as_viewer.get(first.voice.get_absolute_url()))
    assert f'action="{reverse("voices:compare")}"' in text
    assert text.count(f'value="{first.pk}"') == text.count(f'value="{second.pk}"') == 2
    one = read_html(as_viewer.get(second.get_absolute_url()))
    assert f'<input type="hidden" name="a" value="{second.pk}">' in one and f'<option value="{first.pk}">' in one
    Build.objects.filter(pk=first.pk).update(status="training", finished_at=None)
    assert "compare-pick" not in as_viewer.get(first.voice.get_absolute_url()).content.decode()
    assert "compare-pick" not in as_viewer.get(second.get_absolute_url()).content.decode()


def test_only_two_of_one_voice_that_are_over_are_compared(
    as_viewer: Client, studio: Studio, pair: tuple[Build, Build]
) -> None:
    first, second = pair
    other_voice = studio.make_voice("Other", studio.make_talent("Nora Nye"))
    other = studio.make_build(other_voice, status="failed", consent=first.consent, contract=first.contract)
    path = reverse("voices:compare")
    for query in ("", "?a=x&b=y", f"?a={first.pk}", f"?a={first.pk}&b={uuid.uuid4()}", f"?a={first.pk}&b={other.pk}"):
        assert as_viewer.get(path + query).status_code == 404, query
    same = as_viewer.get(address(first, first), follow=True)
    assert same.redirect_chain[0][0] == first.voice.get_absolute_url()
    assert "Choose two different builds" in same.content.decode()
    Build.objects.filter(pk=second.pk).update(status="training", finished_at=None)
    assert "when it is finished" in as_viewer.get(address(*pair), follow=True).content.decode()


# --- the same sentence by each ------------------------------------------------------------


def test_both_are_asked_for_the_same_sentence(as_producer: Client, pair: tuple[Build, Build]) -> None:
    assert "Generate both previews" in shown(as_producer, *pair)
    answer = say(as_producer, *pair, text="  Good   morning. ")
    assert answer.redirect_chain[0][0] == f"{address(*pair)}#sentences"
    asked = Preview.objects.all()
    assert {(one.build_id, one.text) for one in asked} == {(build.pk, "Good morning.") for build in pair}
    assert Task.objects.filter(kind="make_preview").count() == 2
    say(as_producer, *pair, text=" ")
    assert Preview.objects.count() == 2


def test_what_one_cannot_do_does_not_keep_the_other_from_it(as_producer: Client, pair: tuple[Build, Build]) -> None:
    first, second = pair
    RemoteVoice.objects.filter(pk=second.remote_voice_id).update(deleted_at=timezone.now())
    text = shown(as_producer, *pair)
    assert "cannot say anything new: The provider does not have this voice" in text and "Generate preview" in text
    said = read_html(say(as_producer, *pair))
    assert "Resemble AI, rapid: The provider does not have this voice" in said
    assert [one.build_id for one in Preview.objects.all()] == [first.pk]
    Consent.objects.update(status=ConsentStatus.SUSPENDED)
    text = shown(as_producer, *pair)
    assert "Generate preview" not in text and "is not in force: suspended" in text
    say(as_producer, *pair)
    assert Preview.objects.count() == 1


def test_of_two_trainings_of_one_voice_only_the_last_speaks(as_producer: Client, pair: tuple[Build, Build]) -> None:
    first, second = pair
    Build.objects.filter(pk=second.pk).update(remote_voice=first.remote_voice)
    heard(first, "As it was.")
    assert "has been retrained since" in shown(as_producer, *pair)
    say(as_producer, *pair)
    assert [one.build_id for one in Preview.objects.filter(text="Good morning.")] == [second.pk]
    assert "As it was." in shown(as_producer, *pair)


def test_a_failed_build_has_no_voice_to_hear(as_producer: Client, pair: tuple[Build, Build]) -> None:
    Build.objects.filter(pk=pair[0].pk).update(status="failed")
    assert "did not produce a voice" in shown(as_producer, *pair)
    say(as_producer, *pair)
    assert [one.build_id for one in Preview.objects.all()] == [pair[1].pk]


def test_the_same_text_stands_side_by_side_the_newest_of_each(as_viewer: Client, pair: tuple[Build, Build]) -> None:
    first, second = pair
    old, left, right = heard(first), heard(first), heard(second)
    alone = heard(second, "<b>Only here.</b>")
    text = shown(as_viewer, *pair)
    sounds = re.findall(r'id="sound-([0-9a-f-]+)"', text)
    assert sounds == [str(left.pk), str(right.pk), str(alone.pk)] and str(old.pk) not in text
    assert text.count("Not requested.") == 1
    assert "&lt;b&gt;Only here." in text and "<b>Only" not in text


def test_it_moves_by_itself_while_one_is_being_spoken(as_viewer: Client, pair: tuple[Build, Build]) -> None:
    waiting = heard(pair[0], status=PreviewStatus.QUEUED)
    heard(pair[1], status=PreviewStatus.FAILED, issue="The provider's voice is <hoarse>.")
    text = shown(as_viewer, *pair, "voices:compare_previews")
    poll = re.search(r'hx-get="([^"]+)" hx-trigger="every 2s"', text)
    assert poll and "voice is &lt;hoarse&gt;" in text
    path = poll.group(1).replace("&amp;", "&")
    assert as_viewer.get(path).status_code == 204
    Account.objects.update(paused_at=timezone.now())
    assert "The account Main is paused." in shown(as_viewer, *pair, "voices:compare_previews")
    Preview.objects.filter(pk=waiting.pk).update(status=PreviewStatus.READY, file="x", content_type="audio/wav")
    last = as_viewer.get(path)
    assert last.status_code == 200 and "every 2s" not in last.content.decode()


def test_a_viewer_hears_and_does_not_ask(as_viewer: Client, pair: tuple[Build, Build]) -> None:
    heard(pair[0])
    text = shown(as_viewer, *pair)
    assert "<audio" in text and "Generate both previews" not in text
    assert say(as_viewer, *pair).status_code == 403


def test_two_vendors_are_compared(as_viewer: Client, studio: Studio, pair: tuple[Build, Build]) -> None:
    Contract.objects.update(providers=["resemble_v2", "voiceai"])
    other = Account.objects.create(name="There", provider="voiceai")
    RemoteVoice.objects.filter(pk=pair[1].remote_voice_id).update(account=other)
    text = shown(as_viewer, *pair)
    assert "Resemble AI, rapid and Voice.ai, side by side" in text


def test_the_page_costs_the_same_however_much_was_said(as_viewer: Client, pair: tuple[Build, Build]) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            shown(as_viewer, *pair)
        return len(asked)

    heard(pair[0])
    cost()
    before = cost()
    for number in range(5):
        for build in pair:
            heard(build, f"Sentence {number}.")
    assert cost() == before
