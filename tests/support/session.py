"""Prepares a test run: its own environment, a real Valkey, and the requested database.

This happens before any setting is loaded, so this module must not import Django at the top.
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
from tests.support.postgres import run_postgres

# This key encrypts only data of test runs.
FIELD_KEY = "dGhlLXRlc3RzLW9mLXZvaWNlaHViLW9ubHktMzItYiE="


def build_environment(folder: Path) -> dict[str, str]:
    """Return this machine's environment, with all VoiceHub settings replaced by those of the tests.

    Python may store compiled modules: the tests start many processes.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "REDIS_URL", "PYTHONDONTWRITEBYTECODE"}
        and (
            not name.startswith("VOICEHUB_")
            or name.startswith(("VOICEHUB_TEST_", "VOICEHUB_CHROMIUM", "VOICEHUB_SHOTS"))
        )
    }
    return inherited | {
        "DJANGO_SETTINGS_MODULE": "voicehub.settings",
        # The audio library sets this variable on import, but many tests import numpy before.
        "OPENBLAS_NUM_THREADS": "1",
        # Playwright's event loop runs in the thread of the tests, so Django assumes async code.
        "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
        # Nearly all tests use one recording for many talents. The tests of the rule turn it on.
        "VOICEHUB_ALLOW_REPEATED_RECORDINGS": "true",
        "VOICEHUB_BASE_URL": "http://testserver",
        "VOICEHUB_DATA_DIR": str(folder),
        "VOICEHUB_FIELD_KEYS": FIELD_KEY,
        "VOICEHUB_SECRET_KEY": "only-for-tests-" + "0" * 50,
    }


class Session:
    """The environment, queue and database of one test run."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def start(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="voicehub-tests-"))
        self._stack.callback(shutil.rmtree, folder, ignore_errors=True)
        variables = build_environment(folder)
        for folder_name in ("static", "media", "mail"):
            (folder / folder_name).mkdir()
        if os.environ.get("VOICEHUB_TEST_DATABASE", "sqlite") == "postgres":
            variables["DATABASE_URL"] = self._stack.enter_context(run_postgres())
        self._stack.enter_context(run_queue(folder))
        variables["REDIS_URL"] = valkey.build_url(folder)
        os.environ.clear()
        os.environ.update(variables)

    def stop(self) -> None:
        self._stack.close()


@contextmanager
def run_queue(folder: Path) -> Iterator[None]:
    """Run a Valkey with its data under `folder`."""
    server = subprocess.Popen(valkey.build_command(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while not valkey.is_answering(valkey.get_socket_path(folder)):
            if server.poll() is not None or time.monotonic() > deadline:
                log = folder / "run" / "valkey" / "valkey.log"
                raise RuntimeError(f"Valkey did not start: {log.read_text() if log.exists() else 'there is no log'}")
            time.sleep(0.01)
        yield
    finally:
        server.kill()
        server.wait()


def build_database_url() -> str:
    """Return the URL of the test database, for processes that a test starts."""
    from django.db import connection

    config = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{config['NAME']}"
    return f"postgresql://{config['USER']}@{quote(config['HOST'], safe='')}/{config['NAME']}"
