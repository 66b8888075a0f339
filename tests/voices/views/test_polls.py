"""A poll sends nothing if nothing moved, and otherwise only what moved, in less than 4 kB."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.voices.rows import Studio
from tests.voices.views.page_rows import GrowingStudio
from voices.models import Build, Preview, PreviewStatus, RemoteFile, RemoteVoice
from voices.row_polls import MAX_MOVED, RowPoll, RowState, compare_rows, make_list_token
from voices.views import dashboard_lists

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

LIMIT = 4096
POLL_OF_RECORDINGS = re.compile(r'hx-get="([^"]+/recordings/poll/[^"]+)"')
POLL = re.compile(r"hx-get=\"([^\"]+)\"[^>]*? hx-trigger=\"(?:load, )?every", re.DOTALL)


@pytest.fixture
def growing(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> GrowingStudio:
    monkeypatch.setattr(dashboard_lists, "MAX_BUILDS", 100)
    monkeypatch.setattr(dashboard_lists, "SHOWN_BUILDS", 100)
    growing = GrowingStudio(studio)
    growing.grow(40)
    return growing


@pytest.fixture
def stopped_clock(growing: GrowingStudio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative times change each minute, and a change of the minute would be a change of the page."""
    moment = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: moment)


def find_poll(response: Any) -> str:
    """The address that this part of the page polls."""
    found = POLL.search(response.content.decode())
    assert found, "nothing polls"
    return found.group(1).replace("&amp;", "&")


def move_build(growing: GrowingStudio) -> None:
    Build.objects.filter(pk=growing.active.pk).update(progress_done=5)


def move_deletion(growing: GrowingStudio) -> None:
    RemoteFile.objects.filter(remote_id="file-7").update(deleted_at=timezone.now())


def move_preview(growing: GrowingStudio) -> None:
    newest = growing.remote.previews.latest("created_at")
    Preview.objects.filter(pk=newest.pk).update(status=PreviewStatus.GENERATING)


POLLS: dict[str, tuple[Callable[[GrowingStudio], str], Callable[[GrowingStudio], None], str]] = {
    "build": (
        lambda growing: reverse("voices:build_progress", args=[growing.active.pk]),
        move_build,
        "Sending 5 of 9 recordings",
    ),
    "active builds": (lambda _growing: reverse("voices:active_builds"), move_build, "Sending 5 of 9 recordings"),
    "deletions": (lambda _growing: reverse("voices:running_deletions"), move_deletion, "2 of 39 files deleted"),
    "remote voice": (
        lambda growing: reverse("voices:remote_progress", args=[growing.remote.pk]),
        move_deletion,
        "2 of 39 files deleted",
    ),
    "previews": (lambda growing: reverse("voices:previews", args=[growing.remote.pk]), move_preview, "Generating"),
}


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize("name", POLLS)
def test_poll_sends_only_what_moved(producer_client: Client, growing: GrowingStudio, name: str) -> None:
    make_url, move, expected = POLLS[name]
    RemoteFile.objects.filter(remote_id="file-3").update(deleted_at=timezone.now())
    whole = producer_client.get(make_url(growing))
    assert len(whole.content) > LIMIT, "the list is too short to show that a poll does not send it"
    unchanged = producer_client.get(find_poll(whole))
    assert (unchanged.status_code, unchanged.content) == (204, b"")
    move(growing)
    moved = producer_client.get(find_poll(whole))
    assert expected in moved.content.decode() and len(moved.content) < LIMIT, len(moved.content)
    assert "HX-Retarget" not in moved.headers
    assert producer_client.get(find_poll(moved)).status_code == 204


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("build", lambda growing: finish(growing.active)),
        ("active builds", lambda growing: finish(growing.active)),
        ("deletions", lambda _growing: RemoteVoice.objects.filter(reference="vh-deleted-5").delete()),
        ("remote voice", lambda growing: RemoteVoice.objects.filter(pk=growing.remote.pk).update(alert="Why.")),
        ("previews", lambda growing: growing.remote.previews.latest("created_at").delete()),
    ],
)
def test_poll_replaces_the_whole_part_if_a_row_came_or_went(
    producer_client: Client, growing: GrowingStudio, name: str, end: Callable[[GrowingStudio], object]
) -> None:
    whole = producer_client.get(POLLS[name][0](growing))
    end(growing)
    response = producer_client.get(find_poll(whole))
    target = response.headers["HX-Retarget"].removeprefix("#")
    assert response.status_code == 200 and f'id="{target}"' in response.content.decode()


def finish(build: Build) -> None:
    Build.objects.filter(pk=build.pk).update(status="failed", finished_at=timezone.now(), issue="Why.")


def test_poll_of_recordings_sends_the_checked_rows_only(producer_client: Client, growing: GrowingStudio) -> None:
    rows = list(growing.voice.recordings.filter(status="accepted").order_by("file_name"))
    growing.voice.recordings.update(analyzed_at=None)
    growing.enqueue_analysis()
    whole = producer_client.get(reverse("voices:recording_table", args=[growing.voice.pk]))
    assert producer_client.get(find_poll(whole)).status_code == 204
    type(rows[0]).objects.filter(pk=rows[0].pk).update(analyzed_at=timezone.now(), checked_at=timezone.now())
    moved = producer_client.get(find_poll(whole))
    text = moved.content.decode()
    assert len(moved.content) < LIMIT, len(moved.content)
    assert f"#row-{rows[0].pk} > " in text and f"#row-{rows[1].pk}" not in text


def test_poll_of_recordings_sends_many_checked_rows_in_small_answers(
    producer_client: Client, growing: GrowingStudio
) -> None:
    growing.voice.recordings.update(analyzed_at=None, transcript="The north wind and the sun were disputing. " * 2)
    growing.enqueue_analysis()
    response = producer_client.get(f"{reverse('voices:recording_table', args=[growing.voice.pk])}?size=50")
    growing.voice.recordings.update(analyzed_at=timezone.now(), checked_at=timezone.now())
    sent: set[str] = set()
    for _ in range(50):
        response = producer_client.get(POLL_OF_RECORDINGS.findall(response.content.decode())[0].replace("&amp;", "&"))
        assert len(response.content) < LIMIT, len(response.content)
        if response.status_code == 204:
            break
        sent |= set(re.findall(r"#row-(\S+) > ", response.content.decode()))
    assert sent == {str(pk) for pk in growing.voice.recordings.values_list("pk", flat=True)}


# --- Lists of rows ------------------------------------------------------------------------


def make_states(*contents: str) -> list[RowState[int]]:
    return [RowState(number, f"row {number}", content) for number, content in enumerate(contents)]


def test_list_is_whole_without_a_token_and_when_rows_come_or_go() -> None:
    states = make_states("a", "b", "c")
    token = make_list_token(states)
    assert compare_rows("", states).is_whole and compare_rows(make_list_token(states[:2]), states).is_whole
    assert compare_rows(token, states[1:]).is_whole and compare_rows("nonsense", states).is_whole
    assert compare_rows(token, states) == RowPoll(token, [], is_whole=False)
    assert compare_rows("", []).is_empty


def test_rows_that_always_move_keep_no_other_row_waiting() -> None:
    seen = make_list_token(make_states(*"0" * 7))
    sent: list[int] = []
    for step in range(4):
        poll = compare_rows(seen, make_states(*str(step + 1) * 7))
        assert len(poll.moved) == MAX_MOVED and not poll.is_whole and not poll.is_complete
        seen, sent = poll.token, [*sent, *poll.moved]
    assert set(sent) == set(range(7))
