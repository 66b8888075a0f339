"""`make check` runs the tests that a change affects, closest first, and skips the slow ones."""

from pathlib import Path
from typing import Any, cast

import pytest

from tests.selection import select_tests
from tests.support.time_budget import Budget

TREE = {
    "voices/services/poll.py": "import json",
    "voices/tasks.py": "from voices.services import poll",
    "voices/views/builds.py": 'from voices.tasks import x\nrender(request, "voices/build.html")',
    "voices/urls.py": "from voices.views import builds",
    "voicehub/urls.py": 'include("voices.urls")',
    "providers/speechgen/adapter.py": "",
    "tests/support/rows.py": "from voices.views import builds",
    "tests/voices/services/test_poll.py": "",
    "tests/voices/views/test_builds.py": "",
    "tests/voices/test_rows.py": "from tests.support.rows import rows",
    "tests/voices/test_unrelated.py": "import json",
    "tests/providers/test_speechgen.py": "",
    "tests/browser/test_pages.py": "from voices.views import builds",
    "templates/voices/build.html": '{% include "voices/_progress.html" %}',
    "templates/voices/_progress.html": "a progress bar",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in TREE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


POLL, VIEW, ROWS = (
    "tests/voices/services/test_poll.py",
    "tests/voices/views/test_builds.py",
    "tests/voices/test_rows.py",
)


@pytest.mark.parametrize(
    ("changed", "selected"),
    [
        (["voices/services/poll.py"], (POLL, VIEW)),
        (["voices/tasks.py"], (VIEW, ROWS)),
        (["voices/views/builds.py"], (VIEW, ROWS)),
        (["providers/speechgen/adapter.py"], ("tests/providers/test_speechgen.py",)),
        (["templates/voices/build.html"], (VIEW, ROWS)),
        (["templates/voices/_progress.html"], (VIEW,)),
        (["tests/support/rows.py"], (ROWS,)),
        ([POLL], (POLL,)),
        (["README.md"], ()),
    ],
)
def test_change_selects_affected_tests_closest_first(tree: Path, changed: list[str], selected: tuple[str, ...]) -> None:
    selection = select_tests(tree, changed)
    assert selection.selected == selected
    all_tests = {name for name in TREE if name.startswith("tests/") and "/test_" in name}
    assert {*selection.selected, *selection.skipped} == all_tests
    assert not any(name.startswith("tests/browser/") for name in selection.selected)


def test_changed_files_that_affect_every_test_are_reported(tree: Path) -> None:
    assert select_tests(tree, ["pyproject.toml", "voices/tasks.py"]).full_run_files == ("pyproject.toml",)


def test_tests_after_the_time_budget_are_skipped_and_counted() -> None:
    item = cast(Any, None)
    active, expired = Budget(1000.0), Budget(0.0)
    assert (active.pytest_runtest_protocol(item), active.skipped) == (None, 0)
    assert (expired.pytest_runtest_protocol(item), expired.skipped) == (True, 1)
