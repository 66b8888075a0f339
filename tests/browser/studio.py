"""A studio that runs in real processes. Tests can read its database, files and mails."""

import json
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.support.processes import MANAGE, StartedProcess, find_free_port, find_processes, wait_for
from tests.support.sandbox import SandboxProcess
from tests.support.session import build_environment

PASSWORD = "password-for-the-tests"
GUARDED_ROLE = "guarded"  # a role of these tests, whose people must have a second factor
TRAINING_SECONDS = 1.5  # long enough for a page to show progress

CREATE_USERS = f"""
from django.contrib.auth.models import Group
from voicehub.models import User
for name, role in {{"paula": "producer", "ed": "engineer", "vera": "viewer", "ada": "admin"}}.items():
    admin = role == "admin"
    user = User.objects.create_user(
        name, name + "@studio.test", {PASSWORD!r}, first_name=name.title(), is_staff=admin, is_superuser=admin
    )
    user.groups.add(Group.objects.get(name=role))
"""
CREATE_USER = f"""
from django.contrib.auth.models import Group
from voicehub.models import User
user = User.objects.create_user({{name!r}}, {{name!r}} + "@studio.test", {PASSWORD!r}, first_name={{name!r}}.title())
user.groups.set([Group.objects.get_or_create(name=role)[0] for role in {{roles!r}}])
"""

MAKE_DUE = """
from django.utils import timezone
from voicehub.models import Task
Task.objects.filter(kind={kind!r}, status="waiting", lease=None).update(due_at=timezone.now())
"""
# Runs scripts, one in each line as JSON, and answers with what went wrong. Loading Django takes a second each time.
CONSOLE = """
import json, sys, traceback
for line in sys.stdin:
    try:
        exec(json.loads(line), {})
        problem = ""
    except Exception:
        problem = traceback.format_exc()
    print(json.dumps(problem), flush=True)
"""


class Studio:
    """`manage.py studio` on an empty folder, with a sandbox that the tests control."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = f"http://127.0.0.1:{find_free_port()}"
        self.sandbox = SandboxProcess(folder.parent / "sandbox", TRAINING_SECONDS)
        variables = build_environment(folder) | {
            "VOICEHUB_SANDBOX_URL": self.sandbox.address,
            "VOICEHUB_SECOND_FACTOR_ROLES": GUARDED_ROLE,
        }
        # The studio must set these variables itself.
        for name in ("VOICEHUB_SECRET_KEY", "VOICEHUB_FIELD_KEYS", "VOICEHUB_BASE_URL"):
            del variables[name]
        self._environment = variables
        port = self.address.rpartition(":")[2]
        self._process = StartedProcess([*MANAGE, "studio", "--no-sample", "--port", port], variables)
        self._console: subprocess.Popen[str] | None = None

    def wait_until_ready(self) -> None:
        """Wait until the studio serves requests, then create its users."""
        self._process.wait_for_output("VoiceHub is at", patience=240)
        self.run_script(CREATE_USERS)

    def run_script(self, script: str) -> None:
        """Run Python code in the studio's environment, for rows that no page can make quickly."""
        console = self._console = self._console or self._start_console()
        assert console.stdin and console.stdout
        console.stdin.write(f"{json.dumps(script)}\n")
        console.stdin.flush()
        answer = console.stdout.readline()
        assert answer, "the console has ended"
        assert not json.loads(answer), json.loads(answer)

    def create_user(self, name: str, *roles: str) -> None:
        """Create a user with the password PASSWORD, for a test that changes the user."""
        self.run_script(CREATE_USER.format(name=name, roles=roles))

    def make_due(self, kind: str) -> None:
        """Let the time pass until the waiting tasks of this kind are due, such as the next attempt after a failure."""
        self.run_script(MAKE_DUE.format(kind=kind))

    def _start_console(self) -> subprocess.Popen[str]:
        command = [*MANAGE, "shell", "-v", "0", "-c", CONSOLE]
        return subprocess.Popen(
            command, env=self._environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def stop(self) -> str:
        """Stop all processes. Return their output."""
        if self._console:
            self._console.communicate()  # it ends with its input
        self._process.stop()
        self._process.kill()
        self.sandbox.stop()
        wait_for(lambda: not find_processes("VOICEHUB_DATA_DIR", str(self.folder)), "the studio to end")
        return self._process.output

    def fetch_rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        with closing(sqlite3.connect(f"file:{self.folder / 'db.sqlite3'}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            return database.execute(
                query, [value.hex if isinstance(value, UUID) else value for value in values]
            ).fetchall()

    def read_newest_take(self, consent: UUID) -> dict[str, Any]:
        """The row of the newest take of a consent. Key `stored` holds the bytes of its file."""
        row = self.fetch_rows("SELECT * FROM consent_take WHERE consent_id = ? ORDER BY created_at DESC", consent)[0]
        return dict(row) | {"stored": (self.folder / "media" / row["file"]).read_bytes()}

    def wait_for_mail(self, address: str) -> str:
        """Wait for a mail to this address. Return the text of the newest one."""
        return wait_for(lambda: self._read_newest_mail(address), f"a mail to {address}")

    def _read_newest_mail(self, address: str) -> str:
        return next(self.read_mails(address), "")

    def read_mails(self, address: str) -> Iterator[str]:
        """The texts of the mails to this address, newest first."""
        files = sorted((self.folder / "mail").glob("*.log"), key=lambda path: path.stat().st_mtime)
        for path in reversed(files):
            mail = message_from_bytes(path.read_bytes(), policy=policy.default)
            text = mail.get_body(("plain",))
            if address in (mail["To"] or "") and text is not None:  # a mail that is being written has no head yet
                yield str(text.get_content())
