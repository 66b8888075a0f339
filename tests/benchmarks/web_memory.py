"""Measures the memory of the web processes while recordings are imported: `python -m tests.benchmarks.web_memory`.

It starts a studio as `make run` does, without the sample, and opens the pages once in each web process. Then it uploads
an archive of 500 MB, and after that 2,000 small files, by tus as the page does: 3 at once, in parts of 8 MB. While they
are checked and added it polls the page, and between that it opens the preview and plays clips. It prints the memory of
each web process (RSS) before, the most that it had in each of these steps, and by how much its own memory has grown at
the end of the step. The rest are pages of files, such as the SQLite database, which is mapped: processes share them.
"""

import io
import os
import signal
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.benchmarks.imports import make_clips, make_voice
from tests.support.processes import MANAGE, StartedProcess, find_free_port, find_processes, get_parent_pid, wait_for
from tests.support.session import build_environment

ARCHIVE_BYTES = 500 << 20
SMALL_FILES, SMALL_BYTES = 2000, 90_044
PART_BYTES, MAX_PARALLEL = 8 << 20, 3  # as static/js/import-uploads.js
WARM_UP_ROUNDS, PREVIEW_PAGES = 20, 5
PATIENCE_SECONDS = 1800.0
POLL_SECONDS = 1.0
TOKEN = "t" * 32


@contextmanager
def run_studio(folder: Path) -> Iterator[str]:
    """Run the studio, and set up Django in this process for the same data. Yields its address."""
    port = find_free_port()
    environment = build_environment(folder) | {"VOICEHUB_BASE_URL": f"http://127.0.0.1:{port}"}
    studio = StartedProcess([*MANAGE, "studio", "--no-sample", "--port", str(port)], environment)
    try:
        studio.wait_for_output("VoiceHub is at")
        os.environ.update(environment)
        import django

        django.setup()
        yield environment["VOICEHUB_BASE_URL"]
        studio.stop(signal.SIGTERM)
    finally:
        studio.kill()


class WebProcesses:
    """The processes that serve requests, and their memory in bytes."""

    def __init__(self, folder: Path) -> None:
        found = [pid for pid, line in find_processes("VOICEHUB_DATA_DIR", str(folder)).items() if "gunicorn" in line]
        self._pids = [pid for pid in found if get_parent_pid(pid) in found]
        self._before = self._own_before = [0] * len(self._pids)

    def start(self) -> None:
        self._before, self._own_before = self._read("VmRSS"), self._read("RssAnon")
        sys.stdout.write(f"web processes before: {_format_sizes(self._before)}\n")

    @contextmanager
    def measure(self, step: str) -> Iterator[None]:
        for pid in self._pids:
            Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")  # VmHWM begins again
        yield
        highest, own = self._read("VmHWM"), self._read("RssAnon")
        growth = [_find_growth(self._before, highest), _find_growth(self._own_before, own)]
        sys.stdout.write(f"{step}: {_format_sizes(highest)}, at most {growth[0]:+.1f} MB, own {growth[1]:+.1f} MB\n")
        sys.stdout.flush()

    def _read(self, name: str) -> list[int]:
        texts = [Path(f"/proc/{pid}/status").read_text(encoding="ascii") for pid in self._pids]
        return [int(text.partition(f"{name}:")[2].split()[0]) * 1024 for text in texts]


def _find_growth(before: Sequence[int], after: Sequence[int]) -> float:
    """The growth of the process that grew most, in MB."""
    return max(one - first for first, one in zip(before, after, strict=True)) / 2**20


def _format_sizes(sizes: Sequence[int]) -> str:
    return ", ".join(f"{size / 2**20:.1f} MB" for size in sizes)


@dataclass(slots=True)
class Page:
    """What the page of an import does in a browser."""

    address: str
    cookies: dict[str, str]
    local: threading.local = field(default_factory=threading.local)

    def send(self, method: str, path: str, data: bytes | dict[str, str] = b"", **headers: str) -> requests.Response:
        if not hasattr(self.local, "session"):
            self.local.session = requests.Session()
        sent = {"X-CSRFToken": TOKEN, "Accept": "application/json", "Referer": self.address}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        response: requests.Response = self.local.session.request(
            method, self.address + path, data=data, headers=sent, cookies=self.cookies, timeout=300
        )
        response.raise_for_status()
        return response

    def open(self, path: str) -> None:
        self.send("GET", path, Accept="text/html")

    def upload(self, uploads: str, name: str, content: bytes) -> None:
        from tests.voices.uploads import PART_TYPE, VERSION, encode_metadata

        first = VERSION | {"Upload-Length": str(len(content)), "Content-Type": PART_TYPE}
        first["Upload-Metadata"] = encode_metadata(filename=name)
        url = self.send("POST", uploads, content[:PART_BYTES], **first).headers["Location"]
        for start in range(PART_BYTES, len(content), PART_BYTES):
            part = VERSION | {"Upload-Offset": str(start), "Content-Type": PART_TYPE}
            self.send("PATCH", url, content[start : start + PART_BYTES], **part)


def sign_in(address: str, user: Any) -> Page:
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(user)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    return Page(address, {settings.SESSION_COOKIE_NAME: session, settings.CSRF_COOKIE_NAME: TOKEN})


def import_files(page: Page, web: WebProcesses, label: str, voice: Any, files: Sequence[tuple[str, bytes]]) -> None:
    """Upload, check, preview and add these files, as a person does with the page."""
    from voices.models import Import, ImportClip, ImportStatus

    created = page.send("POST", f"{voice.get_absolute_url()}imports/").json()
    import_set, url = Import.objects.get(pk=created["id"]), created["url"]
    with web.measure(f"{label}, upload"), ThreadPoolExecutor(MAX_PARALLEL) as pool:
        list(pool.map(lambda file: page.upload(created["uploads"], *file), files))
    with web.measure(f"{label}, check"):
        poll(page, url, lambda: has_ended(import_set))
    with web.measure(f"{label}, preview"):
        for number in range(1, PREVIEW_PAGES + 1):
            page.open(f"{url}?page={number}")
        for clip in ImportClip.objects.filter(import_set=import_set)[:PREVIEW_PAGES]:
            page.open(f"/imports/clips/{clip.pk}/audio")
    with web.measure(f"{label}, add"):
        page.send("POST", f"{url}add/")
        poll(page, url, lambda: has_status(import_set, ImportStatus.ADDED))
        page.open(voice.get_absolute_url())


def poll(page: Page, url: str, is_done: Callable[[], bool]) -> None:
    def look() -> bool:
        page.open(url)
        time.sleep(POLL_SECONDS)
        return is_done()

    wait_for(look, "the import does not end", PATIENCE_SECONDS)


def has_ended(import_set: Any) -> bool:
    """Whether each file is checked and matched."""
    from voices.services.imports.rows import query_unchecked

    import_set.refresh_from_db()
    return import_set.work_started_at is None and not query_unchecked(import_set).exists()


def has_status(import_set: Any, status: str) -> bool:
    import_set.refresh_from_db()
    return bool(import_set.status == status)


def warm_up(page: Page, voice: Any) -> None:
    """Open the pages in each web process: the first time, it loads templates and what they need."""
    created = page.send("POST", f"{voice.get_absolute_url()}imports/").json()
    page.upload(created["uploads"], "first.wav", next(make_clips(1)))
    for _ in range(WARM_UP_ROUNDS):
        page.local = threading.local()  # another connection, perhaps to the other process
        for path in ("/", voice.get_absolute_url(), created["url"]):
            page.open(path)
    page.send("POST", f"{created['url']}discard/")


def make_archive() -> bytes:
    packed, size = io.BytesIO(), 0
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for number, clip in enumerate(make_clips(ARCHIVE_BYTES // 352_844 + 1)):
            archive.writestr(f"{number:05}.wav", clip)
            size += len(clip)
    return packed.getvalue()


def make_small_files() -> list[tuple[str, bytes]]:
    return [(f"{number:05}.wav", cut_clip(clip)) for number, clip in enumerate(make_clips(SMALL_FILES))]


def cut_clip(clip: bytes) -> bytes:
    """The first second of a clip, as a file."""
    from audio.wav.pcm import HEADER_BYTES, build_wav_header

    return build_wav_header(44100, SMALL_BYTES - HEADER_BYTES) + clip[HEADER_BYTES:SMALL_BYTES]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="voicehub-memory-") as name, run_studio(Path(name)) as address:
        from voicehub.models import User

        user = User.objects.create_superuser("paula", "paula@studio.test", "password")
        page, web = sign_in(address, user), WebProcesses(Path(name))
        warm_up(page, make_voice(user))
        web.start()
        import_files(page, web, "archive of 500 MB", make_voice(user), [("clips.zip", make_archive())])
        import_files(page, web, "2,000 small files", make_voice(user), make_small_files())


if __name__ == "__main__":
    main()
