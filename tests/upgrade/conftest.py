"""A studio of the version before with unusual rows, upgraded once for all tests: a migration of all takes seconds."""

from dataclasses import dataclass

import pytest

from tests.support.session import FIELD_KEY
from tests.upgrade.data_folder import DataFolder
from tests.upgrade.unusual_rows import add_consent_to_old_statement, copy_approval, prepare_uploads

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
