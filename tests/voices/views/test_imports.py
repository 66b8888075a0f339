"""The page of an import: its preview, its choices, and adding or discarding it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from tests.support.task_runner import run_due_tasks
from tests.support.wav import make_speech_like, make_wav_bytes
from tests.support.zips import ZipMember, build_zip
from tests.voices.import_rows import add, add_files, check, make_checked_import, make_import
from tests.voices.rows import Studio, make_clip
from voicehub.models import Task, User
from voices.models import Import, ImportClip, ImportClipState, ImportFile, ImportLine, ImportStatus, ImportText, Voice
from voices.services.imports.add import start_adding
from voices.services.imports.check import handle_check_failure
from voices.services.imports.clear import CLEAR_TASK
from voices.services.imports.rows import CHECK_TASK
from voices.services.imports.work import start_work

# Also on PostgreSQL: the figures look into JSON.
pytestmark = pytest.mark.django_db


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


def make_url(import_set: Import, **query: str) -> str:
    return reverse("voices:import_detail", args=[import_set.pk], query=query or None)


def fetch(client: Client, import_set: Import, **query: str) -> Any:
    response = client.get(make_url(import_set, **query))
    assert response.status_code == 200
    return response


def read_words(client: Client, import_set: Import, **query: str) -> str:
    """The text of the page without its tags."""
    return " ".join(strip_tags(fetch(client, import_set, **query).content.decode()).split())


def test_plain_drop_needs_one_click(studio: Studio, voice: Voice, producer_client: Client) -> None:
    import_set = make_checked_import(voice, studio.producer, {f"{n}.wav": make_clip(n) for n in range(3)})
    text = fetch(producer_client, import_set).content.decode()
    assert "Add 3 recordings</button>" in text and "3 recordings, 12 s of sound" in text
    assert "vh-figures" not in text and "Tables and archives" not in text


def test_page_polls_while_files_are_checked(studio: Studio, voice: Voice, producer_client: Client) -> None:
    import_set = make_import(voice, studio.producer, {"a.wav": make_clip(1)})
    response = fetch(producer_client, import_set)
    assert "0 of 1 checked" in response.content.decode() and "Add 1 recording" not in response.content.decode()
    token = response.context["token"]
    assert producer_client.get(make_url(import_set, seen=token)).status_code == 204
    Import.objects.filter(pk=import_set.pk).update(work_done=1, work_total=2, work_started_at=timezone.now())
    assert "1 of 2 checked" in fetch(producer_client, import_set, seen=token).content.decode()


def test_page_shows_what_a_check_found_so_far(studio: Studio, voice: Voice, producer_client: Client) -> None:
    import_set = make_checked_import(voice, studio.producer, {"a.wav": make_clip(1), "b.wav": b"RIFF"})
    add_files(import_set, {"late.wav": make_clip(2)})
    start_work(import_set, total=3)
    words = read_words(producer_client, import_set)
    assert "Recordings 1" in words and "Not usable 1" in words and "Still to check 1 Of 3 files" in words
    assert words.index("b.wav Not usable") < words.index("a.wav Usable"), "the worst first"
    response = producer_client.get(reverse("voices:import_discard", args=[import_set.pk]))
    page = response.content.decode()
    assert "Discard this import?" in page and "hx-trigger" not in page, "no poll takes the question away"


def test_decisions_are_one_line_above_a_chosen_list(studio: Studio, voice: Voice, producer_client: Client) -> None:
    files = {"0001.wav": make_clip(1), "0002.wav": make_clip(2), "ids.csv": b"1;One.\n2;Two.\n"}
    import_set = make_checked_import(voice, studio.producer, files)
    ImportFile.objects.create(import_set=import_set, name="late.wav", size=9, received=4)
    summary = "2 decisions to make before adding"
    assert summary not in read_words(producer_client, import_set)
    assert summary in read_words(producer_client, import_set, show="lines")
    assert "1 decision to make before adding" in read_words(producer_client, import_set, show="incomplete")


TABLE = b"id|speaker|text\na|tilda|One.\nb|tilda|Two.\nnone|tilda|Three.\n"


def make_mixed_import(studio: Studio, voice: Voice) -> Import:
    (recording,) = studio.make_recordings(voice, 1)
    with recording.file.open("rb") as stored:
        same = stored.read()
    files = {
        "wavs/a.wav": make_clip(11), "wavs/b.wav": make_clip(12), "copy.wav": make_clip(11), "c.wav": make_clip(13),
        "old.wav": same, "broken.wav": b"RIFF", "cover.jpg": b"\xff\xd8\xff", "metadata.csv": TABLE,
        "x.reapeaks": b"RPKN", "long.wav": make_wav_bytes(make_speech_like(65.0, 8000, 99.0), rate=8000),
        "fix.csv": f"{recording.file_name}|New words for it.\n".encode(),
    }  # fmt: skip
    return make_checked_import(voice, studio.producer, files)


def test_figures_lead_to_their_lists(studio: Studio, voice: Voice, producer_client: Client) -> None:
    import_set = make_mixed_import(studio, voice)
    response = fetch(producer_client, import_set)
    figures = {figure.show.value: figure.count for figure in response.context["figures"]}
    groups = {group.label: group.count for group in response.context["groups"]}
    assert groups == {"Ready to add": 4, "Earlier transcripts": 1, "Left out": 6}
    assert figures == {
        "": 4,
        "no-transcript": 2,
        "lines": 1,
        "duplicates": 2,
        "refused": 2,
        "earlier": 1,
        "not-needed": 1,
    }
    lists = {
        "": "Long recording: it can be cut into clips after it is added",
        "no-transcript": "c.wav",
        "lines": "No file has this name",
        "duplicates": "copy.wav",
        "refused": "It is neither a recording nor a text.",
        "earlier": "New words for it.",
        "not-needed": "A file of an editor or a system",
    }
    for show, expected in lists.items():
        text = fetch(producer_client, import_set, show=show).content.decode()
        assert expected in text, show
        assert f'href="?show={show}#list" aria-current="true"' in text or not show
    words = read_words(producer_client, import_set, show="duplicates")
    assert "The same audio as a.wav wavs One." in words, "the kept file and its transcript"
    assert "The same audio as line-001.wav in the voice" in words and "The voice has it" in words


def test_page_opens_with_what_is_left_out_if_nothing_can_be_added(
    studio: Studio, voice: Voice, producer_client: Client
) -> None:
    import_set = make_checked_import(voice, studio.producer, {"cover.jpg": b"\xff\xd8\xff", "x.reapeaks": b"RPKN"})
    text = fetch(producer_client, import_set).content.decode()
    assert "It is neither a recording nor a text." in text and 'href="?show=refused#list" aria-current="true"' in text
    assert "None." in fetch(producer_client, import_set, show="all").content.decode()


def test_adding_shows_progress_and_then_the_report(studio: Studio, voice: Voice, producer_client: Client) -> None:
    import_set = make_mixed_import(studio, voice)
    response = producer_client.post(reverse("voices:import_add", args=[import_set.pk]), follow=True)
    assert "0 of 4 added" in response.content.decode()
    add(import_set)
    text = fetch(producer_client, import_set).content.decode()
    assert "Show the recordings" in text and "Discard" not in text and "Set in recordings of the voice" in text
    assert "of earlier recordings" not in text, "the figure says it"
    assert 'href="?show=all#list" aria-current="true"' in text, "it opens with what was added"
    Import.objects.update(text_count=3)
    assert "with 3 transcripts of earlier recordings" in fetch(producer_client, import_set).content.decode()
    assert "The same audio as a.wav wavs" in read_words(producer_client, import_set, show="duplicates")


def test_failed_adding_says_so(studio: Studio, voice: Voice, producer_client: Client) -> None:
    import_set = make_import(voice, studio.producer, {"a.wav": make_clip(1)})
    Task.objects.filter(kind=CHECK_TASK).update(status="failed", finished_at=timezone.now())
    text = fetch(producer_client, import_set).content.decode()
    assert "The check failed. An admin can start it again under Tasks." in text and "<progress" not in text


def test_discarding_asks_once(studio: Studio, voice: Voice, producer_client: Client) -> None:
    import_set = make_checked_import(voice, studio.producer, {"a.wav": make_clip(1)})
    url = reverse("voices:import_discard", args=[import_set.pk])
    page = producer_client.get(url).content.decode()
    question, preview = page.index("Discard this import?"), page.index("a.wav</th>")
    assert question < preview, "what would be lost stands below the question"
    assert "1 recording with 4 s of sound" in page and "Add 1 recording" not in page and "btn-primary" not in page
    import_set.refresh_from_db()
    assert import_set.status == ImportStatus.OPEN
    producer_client.post(url)
    run_due_tasks(CLEAR_TASK)
    assert "This import was discarded" in fetch(producer_client, import_set).content.decode()


def test_columns_are_chosen_on_the_page(studio: Studio, voice: Voice, producer_client: Client) -> None:
    files = {"a.wav": make_clip(1), "b.wav": make_clip(2), "list.csv": b"a|Berlin|Anna\nb|Bonn|Bert\n"}
    import_set = make_checked_import(voice, studio.producer, files)
    text = fetch(producer_client, import_set).content.decode()
    assert "It is not certain which column has the transcripts" in text and "3: Anna" in text
    url = reverse("voices:import_columns", args=[ImportText.objects.get().pk])
    response = producer_client.post(url, {"names": "0", "texts": "0", "normalized": ""}, follow=True)
    assert "Two of the chosen columns are the same" in response.content.decode()
    producer_client.post(url, {"names": "0", "texts": "2", "normalized": "1"})
    check(import_set)
    text = fetch(producer_client, import_set).content.decode()
    assert "Anna" in text and "Normalized: Berlin" in text and "Find the columns again" in text
    producer_client.post(url, {"find": "1"})
    check(import_set)
    assert "Normalized:" not in fetch(producer_client, import_set).content.decode()


def test_lost_zeros_are_put_back_in_one_click(studio: Studio, voice: Voice, producer_client: Client) -> None:
    files = {"0001.wav": make_clip(1), "0002.wav": make_clip(2), "ids.csv": b"1;One.\n2;Two.\n"}
    import_set = make_checked_import(voice, studio.producer, files)
    text = " ".join(fetch(producer_client, import_set).content.decode().split())
    assert "2 names lost their leading zeros" in text and "“1” for 0001.wav" in text
    assert text.count("Restore zeros") == 1
    assert fetch(producer_client, import_set, show="lines").content.decode().count("Restore zeros") == 1, "once"
    producer_client.post(reverse("voices:import_zeros", args=[ImportText.objects.get().pk]))
    check(import_set)
    text = fetch(producer_client, import_set).content.decode()
    assert "One." in text and "Restore zeros" not in text


def test_code_page_is_chosen_on_the_page(studio: Studio, voice: Voice, producer_client: Client) -> None:
    packed = build_zip(ZipMember("Grüße.wav".encode("cp850"), make_clip(1)))
    import_set = make_checked_import(voice, studio.producer, {"x.zip": packed})
    assert "Names read as code page" in fetch(producer_client, import_set).content.decode()
    url = reverse("voices:import_code_page", args=[import_set.files.get().pk])
    producer_client.post(url, {"code_page": "cp866"})
    check(import_set)
    assert "Names read as code page 866" in fetch(producer_client, import_set).content.decode()
    assert "There is no such code page" in producer_client.post(url, {"code_page": "x"}, follow=True).content.decode()
    same = producer_client.post(url, {"code_page": "cp866"}, follow=True).content.decode()
    assert "The names are read in this code page already." in same
    assert not Task.objects.filter(kind=CHECK_TASK, status="waiting").exists()


def test_code_page_is_offered_only_while_it_can_change_names(
    studio: Studio, voice: Voice, producer_client: Client
) -> None:
    files = {f"{n}.zip": build_zip(ZipMember(f"Grü{n}.wav".encode("cp850"), make_clip(n))) for n in (1, 2)}
    import_set = make_checked_import(voice, studio.producer, files)
    first, second = import_set.files.order_by("name")
    urls = [reverse("voices:import_code_page", args=[file.pk]) for file in (first, second)]
    stays = "Recordings of this archive are in the voice already, so the names stay as they are."

    def choose(url: str) -> str:
        return str(producer_client.post(url, {"code_page": "cp866"}, follow=True).content.decode())

    text = fetch(producer_client, import_set).content.decode()
    assert all(url in text for url in urls) and stays not in text
    # The adding failed after the first archive, and the import is open again.
    ImportClip.objects.filter(source=first).update(status="added")
    text = fetch(producer_client, import_set).content.decode()
    assert urls[0] not in text and urls[1] in text and text.count(stays) == 1
    assert "Recordings of this archive are in the voice already, under their present names." in choose(urls[0])
    start_adding(Import.objects.get(), studio.producer)
    text = fetch(producer_client, import_set).content.decode()
    assert not any(url in text for url in urls)
    assert "This import is being added to the voice already." in choose(urls[1])
    add(import_set)
    text = fetch(producer_client, import_set).content.decode()
    assert not any(url in text for url in urls) and stays not in text
    assert "This import was added to the voice already." in choose(urls[1])
    assert {file.chosen_code_page for file in import_set.files.all()} == {""}


def test_clip_can_be_played(studio: Studio, voice: Voice, producer_client: Client) -> None:
    import_set = make_mixed_import(studio, voice)
    clip = import_set.clips.get(name="c.wav")
    url = reverse("voices:import_clip_audio", args=[clip.pk])
    assert f'data-import-play="{url}"' in fetch(producer_client, import_set).content.decode()
    response = producer_client.get(url)
    assert response.headers["Content-Type"] == "audio/wav" and response.getvalue() == make_clip(13)
    broken = import_set.clips.get(name="broken.wav")
    assert producer_client.get(reverse("voices:import_clip_audio", args=[broken.pk])).status_code == 404


def test_voice_page_lists_open_imports(studio: Studio, voice: Voice, producer_client: Client) -> None:
    import_set = make_mixed_import(studio, voice)
    text = producer_client.get(voice.get_absolute_url()).content.decode()
    assert "4 recordings ready, 2 without transcript, 1 not usable" in text and make_url(import_set) in text
    broken_off = ImportFile.objects.create(import_set=import_set, name="late.wav", size=9, received=4)
    assert "Ready to review" in producer_client.get(voice.get_absolute_url()).content.decode(), "a choice of it"
    ImportFile.objects.filter(pk=broken_off.pk).update(received=9)
    assert "Being checked" in producer_client.get(voice.get_absolute_url()).content.decode()
    broken_off.delete()
    start_adding(import_set, studio.producer)
    assert "Being added" in producer_client.get(voice.get_absolute_url()).content.decode()
    add(import_set)
    assert make_url(import_set) not in producer_client.get(voice.get_absolute_url()).content.decode()


def test_queries_stay_equal_as_an_import_grows(
    studio: Studio, voice: Voice, producer_client: Client, django_assert_num_queries: Any
) -> None:
    import_set = make_mixed_import(studio, voice)
    shows = ("", "no-transcript", "lines", "duplicates", "refused", "earlier")
    counts = {}
    for show in shows:
        with CaptureQueriesContext(connection) as queries:
            fetch(producer_client, import_set, show=show)
        counts[show] = len(queries)
    _multiply(import_set, 120)
    for show in shows:
        with django_assert_num_queries(counts[show]):
            response = fetch(producer_client, import_set, show=show)
        assert len(response.context["page"].object_list) == 50, show
    assert max(counts.values()) <= 20


def _multiply(import_set: Import, times: int) -> None:
    """Add copies of each clip, line, table and left-out file."""
    file = import_set.files.get(name="cover.jpg")
    for clip in list(import_set.clips.all()):
        fields = {name: getattr(clip, name) for name in ("status", "text", "wav", "twin", "recording", "is_long")}
        ImportClip.objects.bulk_create(
            ImportClip(
                import_set=import_set, source=clip.source, position=number, name=f"{clip.name} {number}", **fields
            )
            for number in range(1, times)
        )
    for line in list(import_set.lines.all()):
        ImportLine.objects.bulk_create(
            ImportLine(
                import_set=import_set,
                text_file=line.text_file,
                number=n,
                name="x",
                reason=line.reason,
                recording=line.recording,
            )
            for n in range(times)
        )
    for number in range(20):
        ImportFile.objects.create(import_set=import_set, name=f"{number}.jpg", size=1, kind="other", status="checked")
        ImportText.objects.create(file=file, name=f"{number}.csv", kind="table", samples=[["a"], ["b"]])


def test_import_that_waits_for_a_day_is_a_step_on_today(
    studio: Studio, voice: Voice, producer_client: Client, viewer_client: Client
) -> None:
    import_set = make_checked_import(voice, studio.producer, {"a.wav": make_clip(1)})
    url = make_url(import_set)
    assert url not in producer_client.get(reverse("today")).content.decode()
    Import.objects.update(created_at=timezone.now() - timedelta(hours=25))
    text = producer_client.get(reverse("today")).content.decode()
    assert url in text and "Import to review" in text and "1 recording ready" in text
    assert url not in viewer_client.get(reverse("today")).content.decode()
    start_adding(import_set, studio.producer)
    assert url not in producer_client.get(reverse("today")).content.decode()


def test_failed_match_shows_what_was_checked(studio: Studio, voice: Voice, producer_client: Client) -> None:
    import_set = make_checked_import(voice, studio.producer, {"a.wav": make_clip(1)})
    start_work(import_set)
    Task.objects.filter(kind=CHECK_TASK).update(status="failed", finished_at=timezone.now())
    handle_check_failure(str(import_set.pk))
    text = fetch(producer_client, import_set).content.decode()
    assert "The check failed." in text and "a.wav" in text and "Add 1 recording</button>" in text
    start_adding(Import.objects.get(), studio.producer)


def test_file_whose_parts_are_not_joined_is_work_under_way(
    studio: Studio, voice: Voice, producer_client: Client
) -> None:
    import_set = make_checked_import(voice, studio.producer, {"a.wav": make_clip(1)})
    import_set.files.create(name="b.wav", size=9, received=9)
    text = fetch(producer_client, import_set).content.decode()
    assert "0 of 1 checked" in text and "not uploaded completely" not in text and "Add 1 recording" not in text
    ImportFile.objects.filter(name="b.wav").update(received=8)
    text = fetch(producer_client, import_set).content.decode()
    assert (
        "not uploaded completely</span>" in text
        and "Choose it again</a>" in text
        and "Add 1 recording</button>" in text
    )
    text = fetch(producer_client, import_set, show="incomplete").content.decode().replace("\xa0", " ")
    assert "8 bytes of 9 bytes arrived." in text


def test_other_file_with_the_same_audio_is_added_instead(studio: Studio, voice: Voice, producer_client: Client) -> None:
    files = {"a.wav": make_clip(1), "b.wav": make_clip(1), "c.wav": make_clip(1)}
    import_set = make_checked_import(voice, studio.producer, files)
    assert "Use this one" not in fetch(producer_client, import_set).content.decode()
    assert fetch(producer_client, import_set, show="duplicates").content.decode().count("Use this one") == 2
    clip = import_set.clips.get(name="b.wav")
    response = producer_client.post(reverse("voices:import_twin", args=[clip.pk]), follow=True)
    text = response.content.decode()
    assert "b.wav is added instead of a.wav." in text and text.count("The same audio as </span>b.wav") == 2
    add_files(import_set, {"later.csv": b"a|One.\nb|One.\nc|One.\n"})
    check(import_set)
    assert import_set.clips.get(status=ImportClipState.READY).name == "b.wav"
    response = producer_client.post(reverse("voices:import_twin", args=[clip.pk]), follow=True)
    assert "This file is no longer left out" in response.content.decode()


def test_file_without_the_transcript_does_not_replace_the_one_with_it(
    studio: Studio, voice: Voice, producer_client: Client
) -> None:
    files = {"a.wav": make_clip(1), "b.wav": make_clip(1), "list.csv": b"a|One.\n"}
    import_set = make_checked_import(voice, studio.producer, files)
    assert "Use this one" not in fetch(producer_client, import_set, show="duplicates").content.decode()
    producer_client.post(reverse("voices:import_twin", args=[import_set.clips.get(name="b.wav").pk]))
    assert import_set.clips.get(status=ImportClipState.READY).name == "a.wav"


def test_report_names_who_added_it(studio: Studio, voice: Voice, producer_client: Client) -> None:
    import_set = make_checked_import(voice, User.objects.create(username="Uploader"), {"a.wav": make_clip(1)})
    producer_client.post(reverse("voices:import_add", args=[import_set.pk]))
    add(import_set)
    assert f"by {studio.producer}</span></span>" in fetch(producer_client, import_set).content.decode()
