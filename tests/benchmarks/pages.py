"""Measures the speed of the pages whose rows grow with the studio: `python tests/benchmarks/pages.py`.

It makes a studio in a temporary database. For each page it prints how many pages one process serves per second, the
number of database queries, and two ratios. The first is the page's time over the time of a page that does nothing
(healthz). The second is its time over the time of the same page with a tenth of the rows, and should stay near 1.
The last row of Today is compared with the row above it: each voice is then judged at 7 tiers instead of 2.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.support.session import build_environment  # noqa: E402 - the line above makes it importable

if TYPE_CHECKING:
    from django.test import Client

    from tests.benchmarks.rows import StudioRows

TALENTS = 200
RECORDINGS = 5000
# Pages whose rows grow with the talents. Each list is sorted by its most expensive column.
LISTS = {
    "Today": "/",
    "Talents": "/talents/?sort=contract",
    "Voices": "/voices/?sort=speech",
    "Consents": "/consents/",
    "Builds": "/builds/?sort=status",
}
SECONDS_PER_PAGE = 2.0  # how long each page is requested again and again
MIN_REQUESTS = 5


@dataclass(frozen=True, slots=True)
class PageCost:
    """What one page costs."""

    page: str
    seconds: float
    queries: int
    size: int


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
        start = time.perf_counter()
        response = client.get(path)
        times.append(time.perf_counter() - start)
        assert response.status_code == 200, (path, response.status_code)
    return PageCost(page, statistics.median(times), queries, len(content))


@contextmanager
def make_temporary_studio() -> Iterator[None]:
    """Set up Django with a migrated database in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="voicehub-pages-") as folder:
        variables = build_environment(Path(folder)) | {"VOICEHUB_LOG_LEVEL": "ERROR"}
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
    """Make a voice with `count` recordings, and return the URLs of its pages by label."""
    path = rows.make_voice(count).get_absolute_url()
    return {
        "voice": path,
        "voice, next page": f"{path}?page=2",
        "voice, last page": f"{path}?page=1000000",
        "voice, search": f"{path}?q=lantern",
        "voice, longest first": f"{path}?sort=longest",
        "voice, only the recordings": f"{path}recordings/",
    }


def measure_pages() -> Iterator[tuple[PageCost, PageCost | None]]:
    """Yield the cost of each page, and its cost with a tenth of the rows (None if that is not measured)."""
    from django.test import Client

    from tests.benchmarks.rows import StudioRows

    rows = StudioRows()
    yield measure_page(Client(), "healthz", "/healthz"), None
    small = list_voice_urls(rows, RECORDINGS // 10)
    large = list_voice_urls(rows, RECORDINGS)
    for name, path in large.items():
        yield (
            measure_page(rows.client, f"{name}, {RECORDINGS} recordings", path),
            measure_page(rows.client, name, small[name]),
        )
    previous: dict[str, PageCost] = {}
    for talents in (TALENTS // 10, TALENTS, TALENTS * 10):
        rows.add_talents(talents)
        for name, path in LISTS.items():
            cost = measure_page(rows.client, f"{name}, {talents} talents", path)
            yield cost, previous.get(name)
            previous[name] = cost
    rows.allow_every_provider()
    yield measure_page(rows.client, "Today, every voice at every provider", LISTS["Today"]), previous["Today"]


def main() -> None:
    print(f"{'page':46} {'pages/s':>8} {'queries':>8} {'kB':>6} {'× healthz':>10} {'× a tenth of the rows':>22}")
    baseline = 0.0
    with make_temporary_studio():
        for cost, smaller in measure_pages():
            baseline = baseline or cost.seconds
            ratio = f"{cost.seconds / smaller.seconds:.2f}" if smaller else ""
            query_note = f" (queries: {smaller.queries})" if smaller and smaller.queries != cost.queries else ""
            print(
                f"{cost.page:46} {1 / cost.seconds:8.1f} {cost.queries:8} {cost.size / 1000:6.0f}"
                f" {cost.seconds / baseline:10.1f} {ratio:>22}{query_note}",
                flush=True,
            )


if __name__ == "__main__":
    main()
