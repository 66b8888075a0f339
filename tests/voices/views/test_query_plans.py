"""No page of one voice, talent, consent, build or remote voice reads a whole table that grows with the studio.

Each query of these pages is explained by the database that runs the tests. A table is growing if years of work add
rows to it. A scan of one is found in the plan even while the table is small: PostgreSQL is told to avoid scans.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet, Value
from django.db.models.functions import Replace
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.voices.rows import Studio
from tests.voices.views.page_rows import GrowingStudio
from voicehub.models import Task
from voices.models import Recording
from voices.views.recording_table import FILTER_LABELS, SORT_ORDERS

pytestmark = pytest.mark.django_db

GROWING = {
    "voices_recording",
    "voices_buildrecording",
    "voices_build",
    "voices_callback",
    "voices_preview",
    "voices_accountcall",
    "voicehub_task",
    "consent_event",
    "consent_take",
}
ALIAS = re.compile(r'"(\w+)" "?([A-Z]\d+)"?(?=\W)')
SQLITE_SCAN = re.compile(r"^SCAN (\w+)")
INDEX_NODES = {"Index Scan", "Index Only Scan", "Bitmap Index Scan"}


@pytest.fixture
def growing(studio: Studio) -> GrowingStudio:
    growing = GrowingStudio(studio)
    growing.grow(8)
    return growing


def find_scans(sql: str) -> set[str]:
    """The growing tables of which the database would read every row, or every entry of an index."""
    aliases = {alias: table for table, alias in ALIAS.findall(sql)}
    scanned = find_sqlite_scans(sql) if connection.vendor == "sqlite" else find_postgres_scans(sql)
    return {aliases.get(name, name) for name in scanned} & GROWING


def find_sqlite_scans(sql: str) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        details = [row[3] for row in cursor.fetchall()]
    return (found.group(1) for detail in details if (found := SQLITE_SCAN.match(detail)))


def find_postgres_scans(sql: str) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}")
        (plan,) = cursor.fetchone()
    roots = json.loads(plan) if isinstance(plan, str) else plan
    return list_full_reads(roots[0]["Plan"], "")


def list_full_reads(node: dict[str, Any], table: str) -> Iterator[str]:
    table = node.get("Relation Name", table)
    is_index_read_whole = node["Node Type"] in INDEX_NODES and "Index Cond" not in node
    if node["Node Type"] == "Seq Scan" or is_index_read_whole:
        yield table
    for child in node.get("Plans", ()):
        yield from list_full_reads(child, table)


def explain_page(client: Client, url: str) -> dict[str, set[str]]:
    """The queries of a page that read a growing table whole, each with these tables."""
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    queries = [query["sql"] for query in captured if query["sql"].startswith("SELECT")]
    assert len(queries) > 3
    return {sql: scans for sql in queries if (scans := find_scans(sql))}


@pytest.mark.parametrize("show", FILTER_LABELS)
def test_no_filter_of_the_recordings_reads_every_recording(
    viewer_client: Client, growing: GrowingStudio, show: str
) -> None:
    url = reverse("voices:recording_table", args=[growing.voice.pk])
    assert explain_page(viewer_client, f"{url}?show={show}") == {}


@pytest.mark.parametrize("sort", SORT_ORDERS)
def test_no_order_of_the_recordings_reads_or_sorts_every_recording(
    viewer_client: Client, growing: GrowingStudio, sort: str
) -> None:
    url = reverse("voices:recording_table", args=[growing.voice.pk])
    assert explain_page(viewer_client, f"{url}?sort={sort}&page=2") == {}
    ids = Recording.objects.filter(voice=growing.voice).order_by(*SORT_ORDERS[sort][1]).values_list("pk")[:50]
    assert "SORT" not in ids.explain().upper().replace("INCREMENTAL SORT", "") and "B-TREE" not in ids.explain()


def test_no_page_reads_a_growing_table_whole(producer_client: Client, growing: GrowingStudio) -> None:
    urls = {
        "voice": growing.voice.get_absolute_url(),
        "readiness": reverse("voices:readiness", args=[growing.voice.pk]),
        "recordings poll": reverse("voices:recordings_poll", args=[growing.voice.pk]),
        "talent": growing.talent.get_absolute_url(),
        "consent": growing.consent.get_absolute_url(),
        "build": growing.finished.get_absolute_url(),
        "build poll": reverse("voices:build_progress", args=[growing.active.pk]),
        "remote voice": growing.remote.get_absolute_url(),
        "previews": reverse("voices:previews", args=[growing.remote.pk]),
        "account": reverse("voices:account", args=[growing.account.pk]),
    }
    scans = {name: explain_page(producer_client, url) for name, url in urls.items()}
    assert {name: found for name, found in scans.items() if found} == {}


def explain_rows(rows: QuerySet[Any]) -> set[str]:
    with CaptureQueriesContext(connection) as captured:
        list(rows)
    return find_scans(captured[0]["sql"])


def test_scan_of_a_growing_table_is_found(growing: GrowingStudio) -> None:
    """The tests above would see a filter without an index, and a look-up of tasks by a computed column."""
    computed = Task.objects.annotate(plain_id=Replace("object_id", Value("-"), Value(""))).filter(plain_id="x")
    assert explain_rows(computed) == {"voicehub_task"}
    recordings = Recording.objects.order_by()
    assert explain_rows(recordings.filter(sample_rate=44100).values("pk")) == {"voices_recording"}
    assert explain_rows(recordings.filter(voice=growing.voice).values("pk")) == set()
