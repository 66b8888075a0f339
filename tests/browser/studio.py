"""A whole studio with real processes, and what a test may look up behind its pages."""

import sqlite3
import subprocess
from contextlib import closing
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.support.processes import MANAGE, Started, free_port, processes_with, wait_for
from tests.support.sandbox import Sandbox
from tests.support.session import environment

PASSWORD = "a-word-for-the-tests"
TRAINING_SECONDS = 1.5  # long enough for a page to be seen moving

PEOPLE = f"""
from django.contrib.auth.models import Group
from voicehub.models import User
for name, role in {{"paula": "producer", "ed": "engineer", "vera": "viewer", "ada": "admin"}}.items():
    admin = role == "admin"
    user = User.objects.create_user(
        name, name + "@studio.test", {PASSWORD!r}, first_name=name.title(), is_staff=admin, is_superuser=admin
    )
    user.groups.add(Group.objects.get(name=role))
"""


class Studio:
    """`manage.py studio` on an empty folder, with a sandbox of the tests beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = f"http://127.0.0.1:{free_port()}"
        self.sandbox = Sandbox(folder.parent / "sandbox", TRAINING_SECONDS)
        given = environment(folder) | {"VOICEHUB_SANDBOX_URL": self.sandbox.address}
        # The studio makes these by itself.
        for name in ("VOICEHUB_SECRET_KEY", "VOICEHUB_FIELD_KEYS", "VOICEHUB_BASE_URL"):
            del given[name]
        self._environment = given
        port = self.address.rpartition(":")[2]
        self._started = Started([*MANAGE, "studio", "--no-sample", "--port", port], given)

    def open(self) -> None:
        """Wait until it is served, and let its people in."""
        self._started.says("VoiceHub is at", patience=90)
        subprocess.run([*MANAGE, "shell", "-v", "0", "-c", PEOPLE], env=self._environment, check=True)

    def close(self) -> str:
        """End all of it; gives back what it said."""
        self._started.stop()
        self._started.kill()
        self.sandbox.stop()
        wait_for(lambda: not processes_with("VOICEHUB_DATA_DIR", str(self.folder)), "the studio to end")
        return self._started.said

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """What the database holds, read beside the studio."""
        with closing(sqlite3.connect(f"file:{self.folder / 'db.sqlite3'}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            return database.execute(query, [one.hex if isinstance(one, UUID) else one for one in values]).fetchall()

    def take(self, consent: UUID) -> dict[str, Any]:
        """The newest take of a consent, with the bytes that are stored of it under `stored`."""
        found = self.rows("SELECT * FROM consent_take WHERE consent_id = ? ORDER BY created_at DESC", consent)[0]
        return dict(found) | {"stored": (self.folder / "media" / found["file"]).read_bytes()}

    def mail_to(self, address: str) -> str:
        """The text of the newest mail to this address, waited for."""
        return wait_for(lambda: self._newest_mail(address), f"a mail to {address}")

    def _newest_mail(self, address: str) -> str:
        files = sorted((self.folder / "mail").glob("*.log"), key=lambda path: path.stat().st_mtime)
        for path in reversed(files):
            mail = message_from_bytes(path.read_bytes(), policy=policy.default)
            if address in mail["To"]:
                return str(mail.get_content())
        return ""
