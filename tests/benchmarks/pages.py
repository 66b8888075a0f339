"""Measures the speed of the pages whose rows grow with the studio: `python -m tests.benchmarks.pages`.

It makes a studio in a temporary SQLite database, or with VOICEHUB_TEST_DATABASE=postgres on a temporary PostgreSQL
server. With `talents` or `recordings` after its name it measures only these pages. For each page it prints how many
pages one process serves per second, the number of database queries, and two ratios. The first is the page's time over
the time of a page that does nothing (healthz). The second is its time over that of the same page with few rows: with
50 recordings, or with 20 talents. It should be at most 2. The number of queries should stay the same.
All times are those of processors, so that a busy machine changes no ratio: on PostgreSQL, of this process and of the
server's process that answers it. The pages of a filter have 25 rows at each size. The last row of Today is compared
with the row above it: each voice is then judged at 7 tiers instead of 2.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.support.postgres import run_postgres  # noqa: E402 - the line above makes it importable
from tests.support.session import build_environment  # noqa: E402

if TYPE_CHECKING:
    from django.test import Client

    from tests.benchmarks.rows import StudioRows

TALENTS = (20, 1000)
RECORDINGS = (50, 5000, 20000)
# Pages whose rows grow with the talents. Each list is sorted by its most expensive column.
LISTS = {
    "Today": "/",
    "Talents": "/talents/?sort=contract",
    "Voices": "/voices/?sort=speech",
    "Consents": "/consents/",
    "Builds": "/builds/?sort=status",
}
SECONDS_PER_PAGE = 0.5  # how long each page is requested again and again
MIN_REQUESTS = 5


@dataclass(frozen=True, slots=True)
class PageCost:
    """What one page costs."""

    page: str
    seconds: float
    queries: int
    size: int


def read_clock() -> float:
    """The processor seconds of this process, in which SQLite works too, and of the process of a PostgreSQL server."""
    from django.db import connection

    if connection.vendor == "sqlite":
        return time.process_time()
    pid = connection.connection.info.backend_pid
    nanoseconds, *_ = Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()
    return time.process_time() + int(nanoseconds) / 1e9


def measure_page(client: "Client", page: str, path: str) -> PageCost:
    """Return the median time of repeated requests. The requests before them warm up and count the queries."""
    from django.db import connection, reset_queries
    from django.test.utils import CaptureQueriesContext

    client.get(path)
    reset_queries()
    with CaptureQueriesContext(connection) as captured:
        content = client.get(path).content
    queries = len(captured)  # the next request resets the captured queries
    times: list[float] = []
    while len(times) < MIN_REQUESTS or sum(times) < SECONDS_PER_PAGE:
        start = read_clock()
        response = client.get(path)
        times.append(read_clock() - start)
        assert response.status_code == 200, (path, response.status_code)
    return PageCost(page, statistics.median(times), queries, len(content))


@contextmanager
def make_temporary_studio() -> Iterator[None]:
    """Set up Django with a migrated database in a temporary folder."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="voicehub-pages-"))
        is_postgres = os.environ.get("VOICEHUB_TEST_DATABASE") == "postgres"
        database = {"DATABASE_URL": stack.enter_context(run_postgres())} if is_postgres else {}
        variables = build_environment(Path(folder)) | {"VOICEHUB_LOG_LEVEL": "ERROR"} | database
        os.environ.clear()
        os.environ.update(variables)
        import django
        from django.conf import settings

        settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
        settings.ALLOWED_HOSTS = ["testserver"]
        (Path(folder) / "static").mkdir()
        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        yield


def list_voice_urls(rows: "StudioRows", count: int) -> dict[str, str]:
    """Make a voice with `count` recordings and 40 builds, and return the URLs of its pages by label."""
    voice = rows.make_voice(count)
    build = rows.add_builds(voice)
    path = voice.get_absolute_url()
    return {
        "voice": path,
        "voice, last page": f"{path}?page=1000000",
        "voice, search": f"{path}?q=lantern",
        "recordings": f"{path}recordings/",
        "recordings, last page": f"{path}recordings/?page=1000000",
        "recordings, newest first": f"{path}recordings/?sort=newest",
        "recordings, longest first": f"{path}recordings/?sort=longest",
        "recordings, to review": f"{path}recordings/?show=look&size=25",
        "recordings, flagged": f"{path}recordings/?show=flagged&size=25",
        "recordings, excluded": f"{path}recordings/?show=inactive&size=25",
        "recordings, poll": f"{path}recordings/poll/",
        "readiness": f"{path}readiness/",
        "readiness, with improvements": f"{path}readiness/?improvements=show",
        "readiness, improvements alone": f"{path}improvements/",
        "build": build.get_absolute_url(),
        "build, with details": f"{build.get_absolute_url()}?details=show",
        "build, details alone": f"{build.get_absolute_url()}details/",
        "talent": voice.talent.get_absolute_url(),
        "talents": "/talents/",
        "Today": "/",
    }


def measure_pages(parts: Collection[str]) -> Iterator[tuple[PageCost, PageCost | None]]:
    """Yield the cost of each page, and its cost with few rows (None if that is not measured)."""
    from django.test import Client

    from tests.benchmarks.rows import StudioRows

    rows = StudioRows()
    yield measure_page(Client(), "healthz", "/healthz"), None
    if "recordings" in parts:
        yield from measure_voices(rows)
    if "talents" in parts:
        yield from measure_lists(rows)


def measure_voices(rows: "StudioRows") -> Iterator[tuple[PageCost, PageCost | None]]:
    few: dict[str, PageCost] = {}
    for count in RECORDINGS:
        urls = list_voice_urls(rows, count)
        update_statistics()
        for name, path in urls.items():
            cost = measure_page(rows.client, f"{name}, {count:,} recordings", path)
            yield cost, few.get(name)
            few.setdefault(name, cost)


def measure_lists(rows: "StudioRows") -> Iterator[tuple[PageCost, PageCost | None]]:
    few: dict[str, PageCost] = {}
    for talents in TALENTS:
        rows.add_talents(talents)
        update_statistics()
        for name, path in LISTS.items():
            cost = measure_page(rows.client, f"{name}, {talents:,} talents", path)
            yield cost, few.get(name)
            few[name] = cost
    rows.allow_every_provider()
    yield measure_page(rows.client, "Today, every voice at every provider", LISTS["Today"]), few["Today"]


def update_statistics() -> None:
    """What PostgreSQL does by itself a while after many rows were added."""
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def main() -> None:
    print(f"{'page':46} {'pages/s':>8} {'queries':>8} {'kB':>6} {'× healthz':>10} {'× few rows':>12}")
    baseline = 0.0
    with make_temporary_studio():
        for cost, smaller in measure_pages(sys.argv[1:] or ("recordings", "talents")):
            baseline = baseline or cost.seconds
            ratio = f"{cost.seconds / smaller.seconds:.2f}" if smaller else ""
            query_note = f" (queries: {smaller.queries})" if smaller and smaller.queries != cost.queries else ""
            print(
                f"{cost.page:46} {1 / cost.seconds:8.1f} {cost.queries:8} {cost.size / 1000:6.0f}"
                f" {cost.seconds / baseline:10.1f} {ratio:>12}{query_note}",
                flush=True,
            )


if __name__ == "__main__":
    main()
