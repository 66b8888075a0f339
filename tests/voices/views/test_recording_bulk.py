"""The actions on many recordings as pages and htmx see them: selection, answers, undo, confirmation, table, export."""

import csv
import io
import json
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.support.html import read_html
from tests.support.task_runner import run_due_tasks
from tests.voices.rows import Studio
from voicehub.models import User
from voices.models import BulkChange, Recording, Voice
from voices.services.recordings.bulk import parts
from voices.services.recordings.bulk.parts import SET_TEXTS_TASK
from voices.views import recording_transcripts

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def voice(studio: Studio) -> Voice:
    """A voice with the recordings line-001.wav to line-004.wav. The last has no transcript."""
    voice = studio.make_voice()
    last = studio.make_recordings(voice, 4)[-1]
    Recording.objects.filter(pk=last.pk).update(transcript="")
    return voice


def send(client: Client, name: str, voice: Voice, data: dict[str, Any], **headers: Any) -> Any:
    return client.post(reverse(f"voices:{name}", args=[voice.pk]), data, **headers)


def list_ids(voice: Voice) -> list[str]:
    return [str(pk) for pk in voice.recordings.order_by("file_name").values_list("pk", flat=True)]


def count_active(voice: Voice) -> int:
    return voice.recordings.filter(active=True).count()


def read_events(response: Any) -> Any:
    assert response.status_code == 204
    return json.loads(response.headers["HX-Trigger"])


def test_page_without_scripts_says_what_was_done_and_undoes_it(voice: Voice, producer_client: Client) -> None:
    data = {"action": "leave_out", "recording": list_ids(voice)[:3], "filter": "show=usable&q=line"}
    response = send(producer_client, "recordings_bulk", voice, data)
    assert response.headers["Location"] == f"{voice.get_absolute_url()}?show=usable&q=line#recordings"
    page = read_html(producer_client.get(response.headers["Location"]))
    assert "3 recordings excluded from builds." in page
    change = re.search(r'name="change" value="([0-9a-f-]+)"', page)
    assert change and "csrfmiddlewaretoken" in page
    undone = send(producer_client, "recordings_undo", voice, {"change": change[1]})
    assert "Undone: 3 recordings are as before." in read_html(producer_client.get(undone.headers["Location"]))
    assert count_active(voice) == 4


def test_htmx_gets_events_and_no_page(voice: Voice, producer_client: Client) -> None:
    ids = list_ids(voice)[:2]
    done = read_events(
        send(producer_client, "recordings_bulk", voice, {"action": "leave_out", "recording": ids}, **HTMX)
    )
    change = BulkChange.objects.get()
    assert done["recordings-done"] == {
        "text": "2 recordings excluded from builds.",
        "undo": str(change.pk),
        "url": reverse("voices:recordings_undo", args=[voice.pk]),
    }
    assert {"recordings-changed", "readiness-changed"} < set(done)
    voice.recordings.filter(pk=ids[0]).update(active=True)
    undone = read_events(send(producer_client, "recordings_undo", voice, {"change": change.pk}, **HTMX))
    text = "Undone: 1 recording is as before. 1 was changed since and left alone."
    assert undone["recordings-done"] == {"text": text}
    again = read_events(send(producer_client, "recordings_undo", voice, {"change": change.pk}, **HTMX))
    assert "already undone" in again["action-refused"]["text"]


def test_all_that_match_are_those_of_the_filter_and_the_search(voice: Voice, producer_client: Client) -> None:
    data = {"action": "leave_out", "all": "1", "filter": "show=no_transcript"}
    send(producer_client, "recordings_bulk", voice, data)
    assert [one.file_name for one in voice.recordings.filter(active=False)] == ["line-004.wav"]
    send(producer_client, "recordings_bulk", voice, {"action": "leave_out", "all": "1", "filter": "q=-002&page=9"})
    assert count_active(voice) == 2
    send(producer_client, "recordings_bulk", voice, {"action": "include", "all": "1", "filter": ""})
    assert count_active(voice) == 4


def test_result_counts_what_was_not_changed(studio: Studio, voice: Voice, producer_client: Client) -> None:
    Recording.objects.filter(file_name="line-001.wav").update(status="refused")
    data = {"action": "include", "recording": list_ids(voice)}
    done = read_events(send(producer_client, "recordings_bulk", voice, data, **HTMX))
    text = "0 recordings included in builds. Not changed: 3 already in builds, 1 not usable."
    assert done["recordings-done"] == {"text": text}


def test_recordings_are_checked_again(voice: Voice, producer_client: Client) -> None:
    data = {"action": "check", "recording": list_ids(voice)[:2]}
    done = read_events(send(producer_client, "recordings_bulk", voice, data, **HTMX))
    assert done["recordings-done"] == {"text": "2 recordings being checked again."}
    assert voice.recordings.filter(analyzed_at=None).count() == 2


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"action": "leave_out"}, "No recording is selected"),
        ({"action": "leave_out", "recording": ["no-id"]}, "could not be read"),
        ({"action": "leave_out", "others": "no-id"}, "could not be read"),
        ({"action": "leave_out", "others": ","}, "No recording is selected"),
        ({"action": "explode", "all": "1"}, "does not exist"),
        ({"action": "leave_out", "all": "1", "filter": "q=nothing-like-this"}, "No recording is selected"),
    ],
)
def test_requests_that_make_no_sense_change_nothing(
    data: dict[str, Any], problem: str, voice: Voice, producer_client: Client
) -> None:
    events = read_events(send(producer_client, "recordings_bulk", voice, data, **HTMX))
    assert problem in events["action-refused"]["text"]
    page = producer_client.get(send(producer_client, "recordings_bulk", voice, data).headers["Location"])
    assert problem in read_html(page)
    assert count_active(voice) == 4


def test_forged_undo_is_refused(voice: Voice, producer_client: Client, engineer_client: Client) -> None:
    send(producer_client, "recordings_bulk", voice, {"action": "leave_out", "all": "1"})
    change = BulkChange.objects.get()
    for client, value in ((producer_client, "forged"), (producer_client, ""), (engineer_client, change.pk)):
        events = read_events(send(client, "recordings_undo", voice, {"change": value}, **HTMX))
        assert set(events) == {"action-refused"}
    assert count_active(voice) == 0


def test_rows_of_another_voice_are_out_of_reach(studio: Studio, voice: Voice, producer_client: Client) -> None:
    other = studio.make_voice("Other", voice.talent)
    (row,) = studio.make_recordings(other, 1)
    ids = {"recording": [str(row.pk)]}
    send(producer_client, "recordings_bulk", voice, {"action": "leave_out", **ids})
    send(producer_client, "recordings_bulk_delete", voice, ids)
    assert (
        "line-005"
        not in producer_client.post(reverse("voices:recordings_export", args=[voice.pk]), ids).getvalue().decode()
    )
    row.refresh_from_db()
    assert row.active


# --- Deletion ---


def read_digest(page: str) -> str:
    found = re.search(r'name="confirmed" value="([0-9a-f]+)"', page)
    assert found
    return found[1]


def test_rows_of_other_pages_come_in_one_field_for_any_number(
    studio: Studio, voice: Voice, producer_client: Client
) -> None:
    first, *others = list_ids(voice)
    foreign = [str(row.pk) for row in studio.make_recordings(studio.make_voice("Other"), 2)]
    unknown = [str(uuid4()) for _ in range(1500)]  # more than the fields that a form may have
    data = {"action": "leave_out", "recording": first, "others": ",".join([*others[:2], *foreign, *unknown])}
    done = read_events(send(producer_client, "recordings_bulk", voice, data, **HTMX))["recordings-done"]
    assert done["text"] == "3 recordings excluded from builds. Not changed: 1502 deleted meanwhile."
    assert Recording.objects.filter(pk__in=foreign, active=True).count() == 2
    page = read_html(send(producer_client, "recordings_bulk_delete", voice, {"recording": first, "others": others[0]}))
    assert "Delete 2 recordings?" in page
    assert f'name="others" value="{first},{others[0]}"' in page


def test_deletion_asks_first_with_the_exact_number(studio: Studio, voice: Voice, producer_client: Client) -> None:
    studio.make_build(voice)
    free = studio.make_recordings(voice, 2)
    data: dict[str, Any] = {"all": "1", "filter": "q=line"}
    page = read_html(send(producer_client, "recordings_bulk_delete", voice, data))
    assert "Delete 2 recordings?" in page and "4 used in a build" in page
    assert voice.recordings.count() == 6
    data["confirmed"] = read_digest(page)
    studio.make_recordings(voice, 1)
    page = read_html(send(producer_client, "recordings_bulk_delete", voice, data))
    assert "Nothing was deleted. Check the number again." in page and "Delete 3 recordings?" in page
    data = {"recording": [str(one.pk) for one in free], "filter": "q=line"}
    data["confirmed"] = read_digest(read_html(send(producer_client, "recordings_bulk_delete", voice, data)))
    response = send(producer_client, "recordings_bulk_delete", voice, data)
    page = read_html(producer_client.get(response.headers["Location"]))
    assert "2 recordings deleted." in page and 'name="change"' not in page
    assert voice.recordings.count() == 5


def test_page_says_when_nothing_can_be_deleted(studio: Studio, voice: Voice, producer_client: Client) -> None:
    studio.make_build(voice)
    page = read_html(send(producer_client, "recordings_bulk_delete", voice, {"all": "1"}))
    assert "Nothing to delete" in page and "4 used in a build" in page and 'name="confirmed"' not in page


# --- Transcripts from a table ---


def send_table(client: Client, voice: Voice, text: str, **data: Any) -> Any:
    table = SimpleUploadedFile("texts.csv", text.encode())
    fields = {"all": "1", "step": "preview", "table": table, **data}
    return send(client, "recordings_transcripts", voice, fields)


def test_table_is_shown_first_and_then_applied(voice: Voice, producer_client: Client) -> None:
    url = reverse("voices:recordings_transcripts", args=[voice.pk])
    assert "For 4 recordings of Warm narrator" in read_html(producer_client.get(url))
    assert "For 1 recording of" in read_html(producer_client.get(f"{url}?show=no_transcript"))
    page = read_html(send_table(producer_client, voice, "line-001|New <b>text</b>.\nline-004|Added.\nother|No.\n"))
    assert "2 transcripts will change." in page and "New &lt;b&gt;text&lt;/b&gt;." in page
    assert "No recording has this name: 1" in page and "Line 3: other" in page
    change = BulkChange.objects.get()
    response = send(producer_client, "recordings_transcripts", voice, {"change": change.pk, "filter": "q=line"})
    page = read_html(producer_client.get(response.headers["Location"]))
    assert "2 transcripts set." in page and f'value="{change.pk}"' in page
    send(producer_client, "recordings_undo", voice, {"change": change.pk})
    texts = list(voice.recordings.order_by("file_name").values_list("transcript", flat=True))
    assert texts == ["The north wind."] * 3 + [""]


def test_large_table_is_set_in_the_background(
    voice: Voice, producer_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (parts, recording_transcripts):
        monkeypatch.setattr(module, "PART_SIZE", 1)
    page = read_html(send_table(producer_client, voice, "".join(f"line-00{number}|New.\n" for number in range(1, 5))))
    assert "4 transcripts will change." in page and "3 of them are set in the background." in page
    change = BulkChange.objects.earliest("pk")
    assert f'value="{change.pk}"' in page
    response = send(producer_client, "recordings_transcripts", voice, {"change": change.pk})
    page = read_html(producer_client.get(response.headers["Location"]))
    assert "1 transcript set. 3 more follow in the background." in page and f'value="{change.pk}"' in page
    run_due_tasks(SET_TEXTS_TASK)
    assert voice.recordings.filter(transcript="New.").count() == 4
    undone = read_events(send(producer_client, "recordings_undo", voice, {"change": change.pk}, **HTMX))
    text = "Undone: 1 recording is as before. 3 more follow in the background."
    assert undone["recordings-done"] == {"text": text}
    run_due_tasks(SET_TEXTS_TASK)
    assert not voice.recordings.filter(transcript="New.").exists()


def test_preview_shows_the_columns_and_takes_others(voice: Voice, producer_client: Client) -> None:
    table = "line-001|Loud wind blew.|Sing it softly.\nline-002|No one spoke.|With more force.\n"
    page = read_html(send_table(producer_client, voice, table))
    assert "It is not certain which column has the transcripts." in page
    assert 'scope="row">2</th><td>Transcript</td><td>Loud wind blew.</td>' in re.sub(r">\s+<", "><", page)
    page = read_html(send_table(producer_client, voice, table, names="1", texts="3"))
    assert "not certain" not in page and "<ins>Sing it softly.</ins>" in page
    for number in ("0", "65", "two"):
        response = send_table(producer_client, voice, table, names="1", texts=number)
        page = read_html(response)
        assert response.status_code == 400 and "between 1 and 64" in page and f'value="{number}"' in page


def test_names_without_their_zeros_are_set_only_on_request(voice: Voice, producer_client: Client) -> None:
    table = "line-1\tThe first.\nline-002\tThe second.\n"
    page = read_html(send_table(producer_client, voice, table))
    assert "1 transcript will change." in page and "1 name fits no recording," in page
    assert "Set 2, with the zeros put back" in page
    with_zeros = re.search(r'name="with_zeros"\s+value="([^"]+)"', page)
    assert with_zeros
    change = BulkChange.objects.exclude(pk=with_zeros[1]).get()
    send(producer_client, "recordings_transcripts", voice, {"change": change.pk, "with_zeros": with_zeros[1]})
    texts = dict(voice.recordings.values_list("file_name", "transcript"))
    assert (texts["line-001.wav"], texts["line-002.wav"]) == ("The first.", "The second.")


@pytest.mark.parametrize("text", ["", "no columns"])
def test_table_that_cannot_be_read_is_refused_on_the_page(text: str, voice: Voice, producer_client: Client) -> None:
    response = send_table(producer_client, voice, text)
    assert response.status_code == 400 and "no lines with a file name and a text" in read_html(response)


def test_missing_table_and_forged_change_are_refused(voice: Voice, producer_client: Client) -> None:
    response = send(producer_client, "recordings_transcripts", voice, {"all": "1", "step": "preview"})
    assert response.status_code == 400 and "No table is chosen" in read_html(response)
    for value in ("forged", "00000000-0000-0000-0000-000000000000"):
        response = send(producer_client, "recordings_transcripts", voice, {"change": value})
        assert response.status_code == 302
    assert not voice.recordings.filter(transcript__startswith="New").exists()


# --- Export ---


def read_export(response: Any) -> list[dict[str, str]]:
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="warm-narrator-recordings.csv"'
    return list(csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig"), newline="")))


def test_export_has_the_texts_findings_and_measures(voice: Voice, viewer_client: Client) -> None:
    finding = {"severity": "look", "code": "noisy", "text": "Noise.", "advice": "Look.", "at": None}
    Recording.objects.filter(file_name="line-001.wav").update(
        transcript='=HYPERLINK("x")', findings=[finding], set_findings=[finding | {"text": "Other."}], active=False,
        measures={"snr_db": 31.5, "estimates": {"dnsmos_overall": 3.25}},
    )  # fmt: skip
    rows = read_export(viewer_client.get(reverse("voices:recordings_export", args=[voice.pk])))
    assert [row["file"] for row in rows] == [f"line-00{number}.wav" for number in (1, 2, 3, 4)]
    assert rows[0]["transcript"] == '\'=HYPERLINK("x")'
    assert (rows[0]["findings"], rows[0]["in_builds"], rows[1]["in_builds"]) == ("Noise.; Other.", "no", "yes")
    assert (rows[0]["snr_db"], rows[0]["estimated_dnsmos_overall"], rows[1]["snr_db"]) == ("31.5", "3.25", "")
    assert not [name for name in rows[0] if name.endswith("_spans")]


def test_export_of_a_selection_or_of_a_filter(voice: Voice, viewer_client: Client) -> None:
    url = reverse("voices:recordings_export", args=[voice.pk])
    assert [row["file"] for row in read_export(viewer_client.get(f"{url}?show=no_transcript"))] == ["line-004.wav"]
    data: dict[str, Any] = {"recording": list_ids(voice)[2:0:-1]}
    assert [row["file"] for row in read_export(viewer_client.post(url, data))] == ["line-002.wav", "line-003.wav"]
    data = {"all": "1", "filter": "q=-003"}
    assert [row["file"] for row in read_export(viewer_client.post(url, data))] == ["line-003.wav"]
    assert viewer_client.post(url, {}).status_code == 302


def test_own_export_is_a_table_that_changes_nothing(voice: Voice, producer_client: Client) -> None:
    Recording.objects.filter(file_name="line-002.wav").update(transcript="-Well, “so”; yes.")
    text = producer_client.get(reverse("voices:recordings_export", args=[voice.pk])).getvalue().decode()
    page = read_html(send_table(producer_client, voice, text))
    assert "0 transcripts will change." in page and "3 are the same already" in page
    assert "The text is empty: 1" in page


# --- The bar ---


def test_bar_has_the_actions_of_the_role(
    studio: Studio, voice: Voice, make_client: Callable[[User], Client], viewer: User, engineer: User
) -> None:
    url = voice.get_absolute_url()
    labels = ("Exclude", "Include", "Check again", "Set transcripts", "Export as CSV", "Delete")
    bars = {one: read_bar(make_client(one).get(url)) for one in (viewer, engineer)}
    assert [label in bars[viewer] for label in labels] == [False, False, False, False, True, False]
    assert all(label in bars[engineer] for label in labels)
    assert 'name="all"' not in bars[engineer]
    studio.make_fileless_recordings(voice, 60)
    assert "Select all 64" in " ".join(read_bar(make_client(engineer).get(url)).split())


def read_bar(response: Any) -> str:
    found = re.search(r'<form id="bulk".*?</form>', read_html(response), re.DOTALL)
    assert found
    return found[0]
