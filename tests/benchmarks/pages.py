"""How fast the pages are that grow with a studio: `python tests/benchmarks/pages.py`.

Makes a studio in a throw-away database and prints, for each page, how many a single process serves in a second, how
many questions each asks of the database, and two ratios: its time over that of a page that does nothing (healthz), and
its time over that of the same page with a tenth of the rows. The second one is what should stay near 1.
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

from tests.support.session import environment  # noqa: E402 - found through the line above

if TYPE_CHECKING:
    from django.test import Client

    from tests.benchmarks.rows import World

TALENTS = 200
RECORDINGS = 5000
SECONDS = 2.0  # that each page is asked for
LEAST_TIMES = 5


@dataclass(frozen=True, slots=True)
class Figure:
    """What one page costs."""

    page: str
    seconds: float
    queries: int
    size: int


def figure(client: "Client", page: str, path: str) -> Figure:
    """Ask for the page again and again, at first to warm up and to count; the median of the times."""
    from django.db import connection, reset_queries
    from django.test.utils import CaptureQueriesContext

    client.get(path)
    reset_queries()
    with CaptureQueriesContext(connection) as asked:
        content = client.get(path).content
    queries = len(asked)  # the next request forgets them
    times: list[float] = []
    while len(times) < LEAST_TIMES or sum(times) < SECONDS:
        began = time.perf_counter()
        answer = client.get(path)
        times.append(time.perf_counter() - began)
        assert answer.status_code == 200, (path, answer.status_code)
    return Figure(page, statistics.median(times), queries, len(content))


@contextmanager
def throw_away() -> Iterator[None]:
    """A migrated database in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="voicehub-pages-") as folder:
        given = environment(Path(folder)) | {"VOICEHUB_LOG_LEVEL": "ERROR"}
        os.environ.clear()
        os.environ.update(given)
        import django
        from django.conf import settings

        settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
        settings.ALLOWED_HOSTS = ["testserver"]
        (Path(folder) / "static").mkdir()
        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        yield


def voice_pages(world: "World", count: int) -> dict[str, str]:
    """The pages of a voice with so many recordings, by what they are called here."""
    path = world.voice_with(count).get_absolute_url()
    return {
        "voice": path,
        "voice, next page": f"{path}?page=2",
        "voice, last page": f"{path}?page=1000000",
        "voice, search": f"{path}?q=lantern",
        "voice, longest first": f"{path}?sort=longest",
        "voice, recordings alone": f"{path}recordings/",
    }


def measure() -> Iterator[tuple[Figure, Figure | None]]:
    """Each figure with that of a tenth of the rows, where there is one."""
    from django.test import Client

    from tests.benchmarks.rows import World

    world = World()
    yield figure(Client(), "healthz", "/healthz"), None
    small = voice_pages(world, RECORDINGS // 10)
    large = voice_pages(world, RECORDINGS)
    for name, path in large.items():
        yield figure(world.client, f"{name}, {RECORDINGS} recordings", path), figure(world.client, name, small[name])
    earlier: Figure | None = None
    for talents in (TALENTS // 10, TALENTS, TALENTS * 10):
        world.grow_to(talents)
        now = figure(world.client, f"Today, {talents} talents", "/")
        yield now, earlier
        earlier = now


def main() -> None:
    print(f"{'page':46} {'pages/s':>8} {'queries':>8} {'kB':>6} {'× healthz':>10} {'× a tenth of the rows':>22}")
    bare = 0.0
    with throw_away():
        for now, tenth in measure():
            bare = bare or now.seconds
            ratio = f"{now.seconds / tenth.seconds:.2f}" if tenth else ""
            more = f" (queries: {tenth.queries})" if tenth and tenth.queries != now.queries else ""
            print(
                f"{now.page:46} {1 / now.seconds:8.1f} {now.queries:8} {now.size / 1000:6.0f}"
                f" {now.seconds / bare:10.1f} {ratio:>22}{more}",
                flush=True,
            )


if __name__ == "__main__":
    main()
