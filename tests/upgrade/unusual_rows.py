"""Rows that a studio of the version before may have, and that its upgrade treats in a special way."""

import json
import sqlite3
from typing import Any

from cryptography.fernet import Fernet

from tests.upgrade.data_folder import DataFolder

NEWEST, OLDEST = "0" * 31 + "1", "0" * 31 + "2"


def insert_row(database: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    marks = ", ".join("?" * len(row))
    statement = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"  # noqa: S608 - names of the schema
    database.execute(statement, list(row.values()))


def copy_approval(folder: DataFolder) -> str:
    """Copy an approved consent twice, with a later and an earlier approval. Return the id of the original."""
    with folder.open_database() as database:
        database.row_factory = sqlite3.Row
        original = dict(database.execute("SELECT * FROM consent_consent WHERE status = 'approved' LIMIT 1").fetchone())
        newest = {"id": NEWEST, "approved_at": "2099-01-01 09:00:00", "created_at": "2024-05-01 09:00:00"}
        oldest = {"id": OLDEST, "status": "suspended", "approved_at": "2024-05-01 09:00:00"}
        insert_row(database, "consent_consent", original | newest)
        insert_row(database, "consent_consent", original | oldest)
    return str(original["id"])


def add_consent_to_old_statement(folder: DataFolder) -> str:
    """Add an ended consent to Voice.ai's statement, which a migration replaces. Return the statement's text."""
    with folder.open_database() as database:
        database.row_factory = sqlite3.Row
        statement = database.execute("SELECT * FROM consent_statement WHERE provider = 'voiceai'").fetchone()
        consent = dict(database.execute("SELECT * FROM consent_consent LIMIT 1").fetchone())
        added = {"id": "0" * 31 + "3", "status": "expired", "provider": "voiceai", "statement_id": statement["id"]}
        insert_row(database, "consent_consent", consent | added)
    return str(statement["text"])


def prepare_uploads(folder: DataFolder, key: str) -> None:
    """Turn the account with a sent recording into one at AudioStack, with a pending upload and a logged one."""
    with folder.open_database() as database:
        ((account, remote, reference),) = database.execute(
            "SELECT v.account_id, v.id, v.reference FROM voices_remotevoice v"
            " JOIN voices_remoterecording r ON r.remote_voice_id = v.id"
        )
        database.execute("UPDATE voices_account SET provider = 'audiostack' WHERE id = ?", (account,))
        ((build,),) = database.execute("SELECT id FROM voices_build WHERE remote_voice_id = ?", (remote,))
        pending = {"reference": reference, "key": "consent", "file_id": "f-pending", "url": "x", "content_type": "y"}
        dashed = f"{build[:8]}-{build[8:12]}-{build[12:16]}-{build[16:20]}-{build[20:]}"
        state = Fernet(key).encrypt(f"build:{dashed}\n{json.dumps(pending)}".encode()).decode()
        database.execute("UPDATE voices_build SET kept = ? WHERE id = ?", (state, build))
        for text in (
            json.dumps({"fileId": "f-logged", "fileName": f"{reference}-consent.wav", "uploadUrl": "https://host/…"}),
            json.dumps({"fileId": "f-foreign", "fileName": "vh-000000000000-consent.wav"}),
            json.dumps({"fileId": "f-nameless"}),
            '{"fileId": "cut off',
        ):
            database.execute(
                "INSERT INTO voices_accountcall (at, operation, status, said, account_id)"
                " VALUES ('2026-11-28 03:00:00', 'announce file', 200, ?, ?)",
                (text, account),
            )


def end_builds(folder: DataFolder) -> list[str]:
    """Give a voice three builds: a failed one, a failed one, and a newest one. The other voices have one ready build.

    Return the ids of the three, the oldest first.
    """
    with folder.open_database() as database:
        builds = database.execute("SELECT id, voice_id FROM voices_build ORDER BY created_at").fetchall()
        (first, _voice), (second, _voice), (newest, voice), *others = builds
        statement = "UPDATE voices_build SET status = ?, finished_at = created_at, voice_id = ? WHERE id = ?"
        for build, status in ((first, "failed"), (second, "dataset_issue"), (newest, "failed")):
            database.execute(statement, (status, voice, build))
        for build, _voice in others:
            database.execute("DELETE FROM voices_buildrecording WHERE build_id = ?", (build,))
            ended = "UPDATE voices_build SET status = 'ready', finished_at = created_at WHERE id = ?"
            database.execute(ended, (build,))
        copy = "UPDATE voices_build SET created_at = '2020-01-01 00:00:00' WHERE id NOT IN (?, ?, ?)"
        database.execute(copy, (first, second, newest))
    return [first, second, newest]


def make_terms_unclear(folder: DataFolder) -> tuple[str, str]:
    """Add contracts with other territories, and change names and statements of consents.

    Return the ids of a consent in its talent's name, and of one whose talent has another name now.
    """
    with folder.open_database() as database:
        (talent,) = database.execute("SELECT talent_id FROM consent_contract").fetchone()
        (first, *others) = [row[0] for row in database.execute("SELECT id FROM consent_consent ORDER BY created_at")]
        assert others
        renamed = "f" * 32
        copy_talent = "INSERT INTO consent_talent SELECT ?, 'New Name', '', '', '', created_at, created_by_id "
        database.execute(copy_talent + "FROM consent_talent WHERE id = ?", (renamed, talent))
        database.execute("UPDATE consent_consent SET talent_id = ? WHERE id = ?", (renamed, others[-1]))
        text = "UPDATE consent_statement SET text = 'I, {talent}, let {company}.' WHERE provider = 'resemble_v2'"
        database.execute(text)
        database.execute("UPDATE consent_consent SET company = 'A', text = 'I, Tilda Strand, let A.'")
        columns = [row[1] for row in database.execute("PRAGMA table_info(consent_contract)")]
        for number, territory in enumerate((" worldWIDE ", "Worldwide, except Japan", "Japan only")):
            values = {"id": f"'{number:032}'", "territory": f"'{territory}'", "supersedes_id": "NULL"}
            chosen = ", ".join(values.get(column, column) for column in columns)
            statement = f"INSERT INTO consent_contract SELECT {chosen} FROM consent_contract LIMIT 1"  # noqa: S608 - fixed
            database.execute(statement)
    return first, others[-1]
