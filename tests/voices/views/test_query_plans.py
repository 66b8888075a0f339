"""No page of one voice, talent, consent, build or remote voice reads a whole table that grows with the studio.

Each query of these pages is explained by the database that runs the tests. A table is growing if years of work add
rows to it. A scan of one is found in the plan even while the table is small: PostgreSQL is set to avoid scans.
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
from voices.models import Preview, Recording, VoteChoice
from voices.services.blind_listening import cast_vote, load_sentences
from voices.services.recordings.copies import find_copies
from voices.services.recordings.repairs import find_repairs
from voices.services.recordings.store import ANALYZE_TASK
from voices.views.comparison import make_compare_url
from voices.views.recording_filters import FILTER_LABELS, count_filters
from voices.views.recording_table import SORT_ORDERS

pytestmark = pytest.mark.django_db

ROWS = 1000
GROWING = {
    "voices_recording",
    "voices_buildrecording",
    "voices_build",
    "voices_callback",
    "voices_preview",
    "voices_blindvote",
    "voices_usagereading",
    "voices_accountcall",
    "voicehub_task",
    "consent_event",
}
# `fill_tables` adds rows to these. PostgreSQL rightly reads the others whole while one voice has all their rows.
FILLED = {"voices_recording", "voices_buildrecording", "voicehub_task"}
ALIAS = re.compile(r'"(\w+)" "?([A-Z]\d+)"?(?=\W)')
SQLITE_SCAN = re.compile(r"^SCAN (\w+)(?:.* INDEX (\w+))?")
# Indexes that are read from their end, up to a LIMIT.
BOUNDED_INDEXES = {"build_recording_predicts", "task_failed_unseen"}
# The few rows that a provider marked. PostgreSQL reads them first if they are fewer than the rows of the page.
SMALL_INDEXES = {"build_recording_marked", "build_recording_build_marked"}
INDEX_NODES = {"Index Scan", "Index Only Scan", "Bitmap Index Scan"}


@pytest.fixture
def growing(studio: Studio) -> GrowingStudio:
    growing = GrowingStudio(studio)
    growing.grow(8)
    if connection.vendor == "postgresql":
        fill_tables(studio)
    return growing


def fill_tables(studio: Studio) -> None:
    """Add many rows of another voice, and tell PostgreSQL of them: it reads a small table whole even with an index."""
    voice = studio.make_voice("Other")
    studio.make_fileless_recordings(voice, ROWS)
    studio.make_build(voice, status="failed").recordings.update(has_report=True)
    Task.objects.bulk_create(Task(kind=ANALYZE_TASK, object_id=str(number)) for number in range(ROWS))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def find_scans(sql: str) -> set[str]:
    """The growing tables where the database would read every row, or every entry of an index."""
    aliases = {alias: table for table, alias in ALIAS.findall(sql)}
    scanned = find_sqlite_scans(sql) if connection.vendor == "sqlite" else find_postgres_scans(sql)
    judged = GROWING if connection.vendor == "sqlite" else FILLED
    return {aliases.get(name, name) for name in scanned} & judged


def find_sqlite_scans(sql: str) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        details = [row[3] for row in cursor.fetchall()]
    scans = (found for detail in details if (found := SQLITE_SCAN.match(detail)))
    return (found.group(1) for found in scans if not is_bounded(found.group(2), sql))


def is_bounded(index: str | None, sql: str) -> bool:
    return index in SMALL_INDEXES or (index in BOUNDED_INDEXES and " LIMIT " in sql)


def find_postgres_scans(sql: str) -> Iterator[str]:
    with connection.cursor() as cursor:
        for path in ("seqscan", "hashjoin", "mergejoin"):
            cursor.execute(f"SET LOCAL enable_{path} = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}")
        (plan,) = cursor.fetchone()
    roots = json.loads(plan) if isinstance(plan, str) else plan
    nodes = list_nodes(roots[0]["Plan"], "")
    return (table for table, node in nodes if not is_bounded(node.get("Index Name"), sql) and reads_whole(node))


def list_nodes(node: dict[str, Any], table: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each node of a plan with its table. The scan of an index has that of the node above it."""
    table = node.get("Relation Name", table)
    yield table, node
    for child in node.get("Plans", ()):
        yield from list_nodes(child, table)


def reads_whole(node: dict[str, Any]) -> bool:
    is_unconditional = node["Node Type"] in INDEX_NODES and "Index Cond" not in node
    return node["Node Type"] == "Seq Scan" or is_unconditional


def explain_page(client: Client, url: str) -> dict[str, set[str]]:
    """The queries of a page that read a growing table whole, each with these tables."""
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    queries = [query["sql"] for query in captured if query["sql"].startswith("SELECT")]
    assert len(queries) > 3
    return {sql[sql.index(" FROM ") :]: scans for sql in queries if (scans := find_scans(sql))}


def test_no_filter_of_the_recordings_reads_every_recording(viewer_client: Client, growing: GrowingStudio) -> None:
    url = reverse("voices:recording_table", args=[growing.voice.pk])
    scans = {show: explain_page(viewer_client, f"{url}?show={show}") for show in FILTER_LABELS}
    assert scans == dict.fromkeys(FILTER_LABELS, {})


def test_no_order_of_the_recordings_reads_or_sorts_every_recording(
    viewer_client: Client, growing: GrowingStudio
) -> None:
    url = reverse("voices:recording_table", args=[growing.voice.pk])
    scans = {sort: explain_page(viewer_client, f"{url}?sort={sort}&page=2") for sort in SORT_ORDERS}
    assert scans == dict.fromkeys(SORT_ORDERS, {})
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
    assert [sort for sort in SORT_ORDERS if sorts_rows(growing, sort)] == []


def sorts_rows(growing: GrowingStudio, sort: str) -> bool:
    """Whether the database sorts the recordings of the voice in place of reading an index in this order."""
    ids = Recording.objects.filter(voice=growing.voice).order_by(*SORT_ORDERS[sort][1]).values_list("pk")[:50]
    plan = ids.explain().upper().replace("INCREMENTAL SORT", "")
    return "SORT" in plan or "B-TREE" in plan


def make_comparison(growing: GrowingStudio) -> str:
    """The address of two builds with a sentence that both have spoken, and a vote."""
    builds = list(growing.remote.builds.order_by("created_at")[:2])
    for build in builds:
        Preview.objects.create(
            remote_voice=growing.remote, build=build, text="Hello.", status="ready", file="x", content_type="audio/wav"
        )
    cast_vote(load_sentences(builds)[0], growing.studio.producer, VoteChoice.SAME)
    return make_compare_url(builds)


def test_no_page_reads_a_growing_table_whole(producer_client: Client, growing: GrowingStudio) -> None:
    urls = {
        "voice": growing.voice.get_absolute_url(),
        "readiness": growing.voice.get_readiness_url(),
        "readiness with improvements": f"{growing.voice.get_readiness_url()}?improvements=show",
        "builds of the voice": growing.voice.get_builds_url(),
        "voices at providers": growing.voice.get_providers_url(),
        "build options": reverse("voices:build_options", args=[growing.voice.pk]),
        "ready count": reverse("voices:ready_count", args=[growing.voice.pk]),
        "findings": reverse("voices:finding_list", args=[growing.voice.pk]),
        "improvements": reverse("voices:improvements", args=[growing.voice.pk]),
        "readiness poll": reverse("voices:readiness_poll", args=[growing.voice.pk]),
        "recordings poll": reverse("voices:recordings_poll", args=[growing.voice.pk]),
        "talent": growing.talent.get_absolute_url(),
        "consent": growing.consent.get_absolute_url(),
        "build": growing.finished.get_absolute_url(),
        "build details": reverse("voices:build_details", args=[growing.finished.pk]),
        "build with details": f"{growing.finished.get_absolute_url()}?details=show",
        "build poll": reverse("voices:build_progress", args=[growing.active.pk]),
        "remote voice": growing.remote.get_absolute_url(),
        "previews": reverse("voices:previews", args=[growing.remote.pk]),
        "account": reverse("voices:account", args=[growing.account.pk]),
        "comparison": make_comparison(growing),
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
    assert explain_rows(recordings.filter(size=1).values("pk")) == {"voices_recording"}
    assert explain_rows(recordings.filter(voice=growing.voice).values("pk")) == set()


@pytest.mark.one_database  # PostgreSQL chooses an index by its statistics
def test_each_filter_is_counted_in_its_own_index(growing: GrowingStudio) -> None:
    """SQLite would read each recording of the voice, as it expects no less of any other index."""
    with CaptureQueriesContext(connection) as captured:
        count_filters(growing.voice, "", "")
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {captured[0]['sql']}")
        details = [row[3] for row in cursor.fetchall()]
    used = re.findall(r"INDEX (recording_\w+)", "\n".join(details))
    refused, excluded, without_text = "recording_refused", "recording_excluded", "recording_without_text"
    own_indexes = ["recording_to_review", "recording_to_review", refused, excluded, excluded, without_text]
    assert [index for index in used if index in own_indexes] == own_indexes


@pytest.mark.one_database
@pytest.mark.parametrize("find", [find_copies, find_repairs])
def test_improvements_are_found_in_the_index_of_what_needs_review(growing: GrowingStudio, find: Any) -> None:
    with CaptureQueriesContext(connection) as captured:
        find(growing.voice)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {captured[0]['sql']}")
        assert "USING INDEX recording_to_review" in cursor.fetchone()[3]
