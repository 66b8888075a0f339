"""All that an import leaves out is named with its reason, on pages and in a file, however much it is."""

import csv
import io

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.support.zips import ZipMember, build_zip
from tests.voices.import_rows import add, make_checked_import
from tests.voices.rows import Studio, make_clip
from voices.models import Import, ImportClip, ImportFile, ImportLine, ImportText, Voice
from voices.services.imports.add import start_adding

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

MANY = 5000
MOST_BYTES = 60_000
LISTS = ("", "lines", "duplicates", "refused", "incomplete", "not-needed")


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


@pytest.fixture
def import_set(studio: Studio, voice: Voice) -> Import:
    """One of each kind that can be left out."""
    members = [
        ZipMember(b"in/short.wav", make_clip(1)[:2000]),
        ZipMember(b"in/good.wav", make_clip(2)),
        ZipMember(b"in/notes.txt", b"Nothing of interest here.\nAnd no name of a file.\n"),
    ]
    files = {
        "a.wav": make_clip(3), "day 1/copy.wav": make_clip(3), "broken.wav": b"RIFF", "cover.jpg": b"\xff\xd8\xff",
        "old.7z": b"7z\xbc\xaf\x27\x1c", "x.reapeaks": b"RPKN", "x.zip": build_zip(*members),
        "list.csv": b"a|Hello.\nnone|=1+1\n", "readme.txt": b"Recorded in May.\nBy us.\n",
    }  # fmt: skip
    made = make_checked_import(voice, studio.producer, files)
    text = made.files.get(name="readme.txt")
    ImportText.objects.create(file=text, name="damaged.csv", kind="table", problem="The table is longer than 8 MB.")
    ImportFile.objects.create(import_set=made, name="day 2/late.wav", size=9, received=4)
    return made


def fetch(client: Client, import_set: Import, **query: str) -> str:
    response = client.get(reverse("voices:import_detail", args=[import_set.pk], query=query or None))
    assert response.status_code == 200
    return str(response.content.decode())


def read_csv(client: Client, import_set: Import) -> list[dict[str, str]]:
    response = client.get(reverse("voices:import_left_out", args=[import_set.pk]))
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "-left-out-" in response.headers["Content-Disposition"]
    return list(csv.DictReader(io.StringIO(response.getvalue().decode())))


EXPECTED = {
    "cover.jpg": ("", "", "File", "It is neither a recording nor a text."),
    "old.7z": ("", "", "File", "The file is a 7z archive, which cannot be read."),
    "damaged.csv": ("readme.txt", "", "Text", "The table is longer than 8 MB."),
    "broken.wav": ("", "", "Recording", ""),
    "in/short.wav": ("x.zip", "", "Recording", ""),
    "day 2/late.wav": ("", "", "File", "Not uploaded completely"),
    "x.reapeaks": ("", "", "File", "A file of an editor or a system"),
    "in/notes.txt": ("x.zip", "", "Text", "No line of it names a recording"),
    "readme.txt": ("", "", "Text", "No line of it names a recording"),
    "day 1/copy.wav": ("", "", "Recording", "The same audio as a.wav"),
    "none": ("list.csv", "2", "Line of a table", "No file has this name"),
}


@pytest.mark.both_databases
def test_download_names_everything_with_its_reason(import_set: Import, producer_client: Client) -> None:
    found = {row["name"].rpartition("/")[2]: row for row in read_csv(producer_client, import_set)}
    assert set(found) == {name.rpartition("/")[2] for name in EXPECTED}
    for name, (place, number, kind, reason) in EXPECTED.items():
        row = found[name.rpartition("/")[2]]
        assert (row["in"], row["line"], row["kind"]) == (place, number, kind), name
        assert row["reason"].startswith(reason) and len(row["reason"]) > 10, name
    assert found["none"]["text"] == "'=1+1", "a spreadsheet must not compute it"


@pytest.mark.both_databases
def test_pages_name_everything_with_its_reason(import_set: Import, producer_client: Client) -> None:
    texts = {show: fetch(producer_client, import_set, show=show) for show in LISTS}
    lists = {
        "refused": ["cover.jpg", "old.7z", "damaged.csv", "broken.wav", "short.wav"], "incomplete": ["late.wav"],
        "not-needed": ["x.reapeaks", "notes.txt", "readme.txt"], "duplicates": ["copy.wav"], "lines": ["none"],
    }  # fmt: skip
    for show, names in lists.items():
        assert all(name in texts[show] for name in names), show
    assert "The table is longer than 8 MB." in texts["refused"] and "x.zip" in texts["refused"]
    address = reverse("voices:import_left_out", args=[import_set.pk])
    for show in lists:
        assert f'href="{address}"' in texts[show] and "Download all 11 as CSV" in texts[show], show
    assert 'href="?show=refused#list"' in texts[""], "the figure leads to them"


def test_report_names_everything_too(studio: Studio, import_set: Import, producer_client: Client) -> None:
    before = read_csv(producer_client, import_set)
    start_adding(import_set, studio.producer)
    add(import_set)
    assert read_csv(producer_client, import_set) == before
    assert "cover.jpg" in fetch(producer_client, import_set, show="refused")


def test_nothing_left_out_offers_no_download(studio: Studio, voice: Voice, producer_client: Client) -> None:
    import_set = make_checked_import(voice, studio.producer, {"a.wav": make_clip(1)})
    assert "Left out" not in fetch(producer_client, import_set) and read_csv(producer_client, import_set) == []


def test_thousands_are_paged_with_as_many_queries(import_set: Import, producer_client: Client) -> None:
    counts, rows = count_all_queries(producer_client, import_set), len(read_csv(producer_client, import_set))
    multiply(import_set)
    after = count_all_queries(producer_client, import_set)
    assert all(after[show] <= counts[show] for show in counts), (counts, after)
    for show in LISTS:
        assert len(fetch(producer_client, import_set, show=show, page="2").encode()) < MOST_BYTES, show
    text = fetch(producer_client, import_set, show="refused", page="101")
    assert "5,001 to 5,050 of 10,005" in text.replace("5001 to 5050 of 10005", "5,001 to 5,050 of 10,005")
    assert len(read_csv(producer_client, import_set)) == rows + 5 * MANY


def count_all_queries(client: Client, import_set: Import) -> dict[str, int]:
    counts = {}
    for show in LISTS:
        with CaptureQueriesContext(connection) as queries:
            fetch(client, import_set, show=show)
        counts[show] = len(queries)
    with CaptureQueriesContext(connection) as queries:
        read_csv(client, import_set)
    return counts | {"csv": len(queries)}


def multiply(import_set: Import) -> None:
    """Many of those kinds that any number of files has."""
    files = import_set.files
    table, archive = ImportText.objects.get(name="list.csv"), files.get(name="x.zip")
    ImportFile.objects.bulk_create(
        ImportFile(import_set=import_set, name=f"{kind}/{n}.jpg", size=1, kind=kind, status="checked")
        for kind in ("other", "side")
        for n in range(MANY)
    )
    ImportLine.objects.bulk_create(
        ImportLine(
            import_set=import_set, text_file=table, number=n, name=f"n{n}", text="Words. " * 30, reason="unknown"
        )
        for n in range(MANY)
    )
    clip = import_set.clips.get(name="broken.wav")
    ImportClip.objects.bulk_create(
        ImportClip(
            import_set=import_set, source=archive, position=100 + n, name=f"in/{n}.wav", status=status,
            findings=clip.findings, is_usable=False,
        )
        for n, status in enumerate(["refused", "duplicate"] * MANY)
    )  # fmt: skip


def test_every_table_and_archive_has_its_page(import_set: Import, producer_client: Client) -> None:
    text = import_set.files.get(name="readme.txt")
    for number in range(24):
        ImportText.objects.create(file=text, name=f"table-{number:02}.csv", kind="table", samples=[["a"], ["b"]])
        findings = [{"code": "x", "severity": "warning", "text": "A note.", "advice": ""}]
        ImportFile.objects.create(
            import_set=import_set, name=f"archive-{number:02}.zip", size=1, kind="archive", status="checked",
            findings=findings,
        )  # fmt: skip
    pages = [fetch(producer_client, import_set, tables=str(n), archives=str(n)) for n in (1, 2, 3)]
    for number in range(24):
        for name in (f"table-{number:02}.csv", f"archive-{number:02}.zip"):
            assert [name in page for page in pages].count(True) == 1, name
    assert (
        "11 to 20 of 26" in pages[1]
        and "11 to 20 of 24" in pages[1]
        and "?tables=2&amp;archives=1#texts-title" in pages[0]
    )
