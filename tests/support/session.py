"""What a test run stands on: an environment of its own, a real Valkey, and the database that was asked for.

It is set up before any setting is read, and knows nothing of Django until then.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

from launcher import valkey
from tests.support.postgres import postgres

# Made up for the tests; nothing outside a test run is kept with it.
FIELD_KEY = "dGhlLXRlc3RzLW9mLXZvaWNlaHViLW9ubHktMzItYiE="


def environment(folder: Path) -> dict[str, str]:
    """The environment of this machine with all that steers VoiceHub replaced by what the tests want."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "REDIS_URL"}
        and (
            not name.startswith("VOICEHUB_")
            or name.startswith(("VOICEHUB_TEST_", "VOICEHUB_CHROMIUM", "VOICEHUB_SHOTS"))
        )
    }
    return kept | {
        "DJANGO_SETTINGS_MODULE": "voicehub.settings",
        # As audio wants it; many a test imports numpy before that.
        "OPENBLAS_NUM_THREADS": "1",
        # Playwright's loop runs in the thread of the tests, which is all that Django sees of it.
        "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
        "VOICEHUB_BASE_URL": "http://testserver",
        "VOICEHUB_DATA_DIR": str(folder),
        "VOICEHUB_FIELD_KEYS": FIELD_KEY,
        "VOICEHUB_SECRET_KEY": "only-for-tests-" + "0" * 50,
    }


class Session:
    """Begins with the test run and ends with it; `url` is the database's, empty for SQLite."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def begin(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="voicehub-tests-"))
        self._stack.callback(shutil.rmtree, folder, ignore_errors=True)
        prepared = environment(folder)
        for part in ("static", "media", "mail"):
            (folder / part).mkdir()
        if os.environ.get("VOICEHUB_TEST_DATABASE", "sqlite") == "postgres":
            prepared["DATABASE_URL"] = self._stack.enter_context(postgres())
        self._stack.enter_context(queue(folder))
        prepared["REDIS_URL"] = valkey.build_url(folder)
        os.environ.clear()
        os.environ.update(prepared)

    def end(self) -> None:
        self._stack.close()


@contextmanager
def queue(folder: Path) -> Iterator[None]:
    """A real Valkey with its data under `folder`, up when this is entered."""
    server = subprocess.Popen(valkey.build_command(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 10
        while not valkey.is_answering(valkey.get_socket_path(folder)):
            if server.poll() is not None or time.monotonic() > until:
                log = folder / "run" / "valkey" / "valkey.log"
                raise RuntimeError(f"Valkey did not start: {log.read_text() if log.exists() else 'it said nothing'}")
            time.sleep(0.01)
        yield
    finally:
        server.kill()
        server.wait()


def database_url() -> str:
    """The address of the test database, for processes that a test starts."""
    from django.db import connection

    config = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{config['NAME']}"
    return f"postgresql://{config['USER']}@{quote(config['HOST'], safe='')}/{config['NAME']}"
