"""Blind listening: samples without names, one vote for each person and sentence, and the names after it."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import IntegrityError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from consent.models import Consent, ConsentStatus
from consent.services.review import suspend_consent
from tests.support.html import read_html
from tests.voices.rows import Studio, make_clip
from voicehub.models import User
from voices.models import BlindVote, Build, Preview, PreviewStatus, VoteChoice
from voices.services.blind_listening import cast_vote, count_votes, load_sentences
from voices.services.builds.changes import number_build

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
TEXT = "The storm came without warning."
MakeClient = Callable[[User], Client]


def make_preview(build: Build, number: int, text: str = TEXT, **fields: Any) -> Preview:
    """A preview with a sound of its own."""
    preview = Preview(remote_voice=build.remote_voice, build=build, text=text, status=PreviewStatus.READY, **fields)
    preview.file.save("", ContentFile(make_clip(number)), save=False)
    preview.content_type = fields.get("content_type", "audio/wav")
    preview.save(force_insert=True)
    return preview


@pytest.fixture
def builds(studio: Studio) -> list[Build]:
    """Three builds of one voice with a preview of the same sentence each."""
    first = studio.make_build(status="ready")
    builds = [first, *(studio.make_build(first.voice, status="ready") for _ in range(2))]
    for number, build in enumerate(builds):
        make_preview(build, number)
    return builds


def make_path(builds: list[Build], name: str = "voices:compare", **query: str) -> str:
    names = [f"build={build.pk}" for build in builds] + [f"{key}={value}" for key, value in query.items()]
    return f"{reverse(name)}?{'&'.join(names)}"


def get_question(builds: list[Build]) -> str:
    return load_sentences(builds)[0].question


def vote(client: Client, builds: list[Build], answer: str, question: str = "") -> Any:
    data = {"question": question or get_question(builds), "answer": answer}
    return client.post(make_path(builds, "voices:compare_vote"), data, follow=True)


def read_panel(client: Client, builds: list[Build], **query: str) -> str:
    text = read_html(client.get(make_path(builds, **query)))
    return text[text.index('id="blind"') :].split("</section>")[0]


def list_sample_urls(client: Client, builds: list[Build]) -> list[str]:
    panel = read_panel(client, builds)
    return [url.replace("&amp;", "&") for url in re.findall(r'<audio[^>]* src="([^"]+)"', panel)]


def listen(client: Client, builds: list[Build]) -> list[int]:
    """Which build, by its place in `builds`, each sample is by, recognized by its sound."""
    sounds = {make_clip(number): number for number in range(len(builds))}
    return [sounds[client.get(url).content] for url in list_sample_urls(client, builds)]


# --- listening ------------------------------------------------------------------------


def test_samples_are_shuffled_for_each_person_and_stay_in_that_order(
    builds: list[Build], make_client: MakeClient, make_person: Callable[..., User]
) -> None:
    clients = [make_client(make_person(f"listener-{number}", "viewer")) for number in range(12)]
    orders = [listen(client, builds) for client in clients]
    assert len({tuple(order) for order in orders}) > 2 and all(sorted(order) == [0, 1, 2] for order in orders)
    assert [listen(client, builds) for client in clients] == orders
    assert [listen(client, builds[::-1]) for client in clients[:3]] == [
        listen(client, builds) for client in clients[:3]
    ]


def test_nothing_on_the_page_or_in_a_response_names_the_build_of_a_sample(
    viewer_client: Client, builds: list[Build]
) -> None:
    page = read_html(viewer_client.get(make_path(builds)))
    urls = list_sample_urls(viewer_client, builds)
    assert len({re.sub(r"number=\d", "", url) for url in urls}) == 1, "the addresses differ in their number only"
    for preview in Preview.objects.all():
        assert str(preview.pk) not in page and str(preview.remote_voice_id) not in page
        for url in urls:
            response = viewer_client.get(url)
            assert str(preview.pk) not in f"{response.headers}{response.url if hasattr(response, 'url') else ''}"
    assert "Sentence 1 of 1" in page and "btn-primary" not in read_panel(viewer_client, builds)


def test_samples_can_be_read_in_ranges(viewer_client: Client, builds: list[Build]) -> None:
    url = list_sample_urls(viewer_client, builds)[0]
    whole = viewer_client.get(url)
    part = viewer_client.get(url, headers={"Range": "bytes=4-9"})
    assert (part.status_code, part.content) == (206, whole.content[4:10]) and whole.headers[
        "Content-Type"
    ] == "audio/wav"
    assert viewer_client.get(url, headers={"Range": f"bytes={len(whole.content)}-"}).status_code == 416
    for number in ("0", "4", "x", ""):
        assert viewer_client.get(re.sub("number=1", f"number={number}", url)).status_code == 404


def test_sentence_needs_playable_samples_of_two_builds(viewer_client: Client, builds: list[Build]) -> None:
    Preview.objects.filter(build=builds[0]).update(content_type="application/octet-stream")
    assert len(list_sample_urls(viewer_client, builds)) == 2
    Preview.objects.filter(build=builds[1]).update(status=PreviewStatus.QUEUED)
    assert "Blind listening needs previews of the same sentence" in read_panel(viewer_client, builds)
    assert vote(viewer_client, builds, "1", "0" * 32).status_code == 404


# --- the vote -------------------------------------------------------------------------


def test_vote_is_stored_and_then_the_names_are_shown(viewer_client: Client, viewer: User, builds: list[Build]) -> None:
    order = listen(viewer_client, builds)
    response = vote(viewer_client, builds, "2")
    stored = BlindVote.objects.get()
    assert stored.chosen and stored.chosen.build_id == builds[order[1]].pk
    assert (stored.voter, stored.choice, stored.previews.count()) == (viewer, VoteChoice.SAMPLE, 3)
    assert stored.chosen.build
    letter = "ABC"[order[1]]
    panel = read_html(response)
    assert f"You voted for sample 2, which is {letter}." in panel.replace(" .", ".")
    assert "1 of 1 vote" in panel and "You have answered for every sentence." in panel
    number = number_build(stored.chosen.build)
    assert re.search(rf"Votes: [^.]*Build {number}: 1", panel)
    assert response.redirect_chain[0][0].endswith("#blind")
    players = re.findall(r'id="sound-([0-9a-f-]+)"', panel)
    assert set(players) == {str(preview.pk) for preview in Preview.objects.all()}


def test_verdict_leads_the_page_only_after_the_vote(viewer_client: Client, builds: list[Build]) -> None:
    Preview.objects.update(seconds=2.0, peaks=[-100, 100] * 400)
    page = read_html(viewer_client.get(make_path(builds)))
    assert page.index('id="blind-title"') < page.index('class="compare-lead"') < page.index('id="scores-title"')
    assert "data-wave" not in page and "data-seconds" not in page, "they could tell which build speaks"
    page = read_html(vote(viewer_client, builds, "1"))
    assert page.index('class="compare-lead"') < page.index('id="blind-title"')
    assert page.count('data-seconds="2.00"') == 3 and page.count('class="compare-lead"') == 1


@pytest.mark.parametrize(("answer", "text"), [("same", "Your answer: no difference."), ("skipped", "without a vote")])
def test_no_difference_and_names_without_a_vote_are_answers(
    viewer_client: Client, builds: list[Build], answer: str, text: str
) -> None:
    question = get_question(builds)
    assert text in read_html(vote(viewer_client, builds, answer))
    assert BlindVote.objects.get().chosen is None
    assert count_votes([question])[question].same == 1 if answer == "same" else count_votes([question]) == {}


def test_each_person_votes_once_for_each_sentence(
    viewer_client: Client, producer_client: Client, builds: list[Build]
) -> None:
    vote(viewer_client, builds, "1")
    again = vote(viewer_client, builds, "2")
    assert "You have voted on this sentence. The names were shown, so the vote stays." in again.content.decode()
    vote(producer_client, builds, "1")
    assert BlindVote.objects.count() == 2
    with pytest.raises(IntegrityError):
        BlindVote.objects.create(question=get_question(builds), voter=BlindVote.objects.all()[0].voter, choice="same")


@pytest.mark.parametrize("answer", ["", "4", "0", "sample", "-1"])
def test_answer_that_is_no_sample_is_refused(viewer_client: Client, builds: list[Build], answer: str) -> None:
    assert "Choose one of the samples" in vote(viewer_client, builds, answer).content.decode()
    assert not BlindVote.objects.exists()


def test_votes_of_others_are_shown_only_after_the_own_vote(
    viewer_client: Client, producer: User, builds: list[Build]
) -> None:
    cast_vote(load_sentences(builds)[0], producer, VoteChoice.SAMPLE, 1)
    before = read_html(viewer_client.get(make_path(builds)))
    assert "1 vote" not in before and "Votes:" not in before
    vote(viewer_client, builds, "same")
    after = read_html(viewer_client.get(make_path(builds)))
    assert re.search(r"Votes: [^.]*: 1[^.]*, no difference: 1\.", after)


def test_next_sentence_is_one_without_a_vote(viewer_client: Client, builds: list[Build]) -> None:
    for number, build in enumerate(builds):
        make_preview(build, number, "Another sentence.")
    first, second = load_sentences(builds)
    assert first.text in read_panel(viewer_client, builds)
    assert second.text in read_panel(viewer_client, builds, sentence=second.question)
    panel = read_html(vote(viewer_client, builds, "1", first.question))
    assert f"sentence={second.question}#blind" in panel and "Next sentence" in panel
    assert second.text in read_panel(viewer_client, builds)
    vote(viewer_client, builds, "1", second.question)
    assert "You have answered for all 2 sentences." in read_panel(viewer_client, builds)


def test_same_builds_and_text_are_one_question_in_every_comparison(builds: list[Build], viewer: User) -> None:
    cast_vote(load_sentences(builds[:2])[0], viewer, VoteChoice.SAME)
    assert get_question(builds[:2]) == get_question(builds[1::-1]) != get_question(builds)
    make_preview(builds[0], 5)
    assert BlindVote.objects.get().question == get_question(builds[:2]), (
        "a newer preview of the text is no new question"
    )


# --- what is closed -------------------------------------------------------------------


def test_closed_and_suspended_voices_are_neither_played_nor_judged(
    viewer_client: Client, studio: Studio, builds: list[Build]
) -> None:
    urls = list_sample_urls(viewer_client, builds)
    consent = Consent.objects.get(talent=builds[0].voice.talent)
    suspend_consent(consent, studio.producer, "A dispute.")
    assert "suspended" in read_panel(viewer_client, builds) and not list_sample_urls(viewer_client, builds)
    assert {viewer_client.get(url).status_code for url in urls} == {403}
    assert "cannot be played" in vote(viewer_client, builds, "1").content.decode()
    Consent.objects.update(status=ConsentStatus.WITHDRAWN)
    assert "Closed: the consent was withdrawn." in read_panel(viewer_client, builds)
    assert {viewer_client.get(url).status_code for url in urls} == {403}
    vote(viewer_client, builds, "1")
    assert not BlindVote.objects.exists()


def test_vote_counts_on_when_its_voter_is_deleted(builds: list[Build], make_person: Callable[..., User]) -> None:
    people = [make_person(f"guest-{number}", "viewer") for number in range(2)]
    for person in people:
        cast_vote(load_sentences(builds)[0], person, VoteChoice.SAME)
    for person in people:
        person.delete()
    question = get_question(builds)
    assert count_votes([question])[question].same == 2
    Preview.objects.all().delete()
    assert all(not one.previews.exists() for one in BlindVote.objects.all())


def test_query_count_does_not_grow_with_votes(viewer_client: Client, builds: list[Build], make_person: Any) -> None:
    def count_queries() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert viewer_client.get(make_path(builds)).status_code == 200
        return len(queries)

    vote(viewer_client, builds, "1")
    count_queries()
    few = count_queries()
    for number in range(60):
        cast_vote(load_sentences(builds)[0], make_person(f"listener-{number}", "viewer"), VoteChoice.SAMPLE, 1)
    assert count_queries() == few
