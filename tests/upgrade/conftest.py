"""Studios of the version before with unusual rows, upgraded once for all tests: a migration of all takes seconds."""

from dataclasses import dataclass

import pytest
from cryptography.fernet import Fernet

from tests.support.session import FIELD_KEY
from tests.upgrade.data_folder import DataFolder
from tests.upgrade.unusual_rows import (
    add_consent_to_old_statement,
    copy_approval,
    end_builds,
    make_terms_unclear,
    prepare_uploads,
)

Rows = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """A studio that was upgraded, taken back to the version before, and upgraded again."""

    approval: str  # the id of the approved consent that was copied
    old_text: str  # of Voice.ai's statement
    before: Rows
    upgraded: DataFolder  # tests read it, and change only copies of it
    reversed: Rows
    upgraded_again: DataFolder


@pytest.fixture(scope="session")
def round_trip(tmp_path_factory: pytest.TempPathFactory) -> RoundTrip:
    upgraded = DataFolder(tmp_path_factory.mktemp("upgraded"))
    approval, old_text = copy_approval(upgraded), add_consent_to_old_statement(upgraded)
    prepare_uploads(upgraded, FIELD_KEY)
    before = upgraded.read_rows()
    upgraded.migrate()
    again = upgraded.copy(tmp_path_factory.mktemp("again"))
    again.migrate_back()
    rows = again.read_rows()
    again.migrate()
    return RoundTrip(approval, old_text, before, upgraded, rows, again)


@dataclass(frozen=True, slots=True)
class Unclear:
    """A studio with ended builds, unclear terms and an upload under a lost key, after its upgrade."""

    builds: list[str]  # the ids of the three builds of one voice, the oldest first
    before: Rows
    named: str  # the id of a consent in its talent's name
    renamed: str  # the id of a consent whose talent has another name now
    upgraded: DataFolder


@pytest.fixture(scope="session")
def unclear(tmp_path_factory: pytest.TempPathFactory) -> Unclear:
    folder = DataFolder(tmp_path_factory.mktemp("unclear"))
    prepare_uploads(folder, Fernet.generate_key().decode())
    builds, (named, renamed) = end_builds(folder), make_terms_unclear(folder)
    before = folder.read_rows()
    folder.migrate()
    return Unclear(builds, before, named, renamed, folder)


@pytest.fixture(scope="session")
def before_long_recordings(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """The studio with deleted voices, upgraded up to the migration before that of long recordings.

    Tests change only copies of it.
    """
    folder = DataFolder(tmp_path_factory.mktemp("before-long"))
    with folder.open_database() as database:
        database.execute("UPDATE voices_remotevoice SET deleted_at = '2026-11-28 04:00:00'")
    folder.migrate("voices", "0037")
    return folder
