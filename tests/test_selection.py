"""`make check` runs the tests that a change touches, the closest first, and leaves the slow ones out."""

from pathlib import Path
from typing import Any, cast

import pytest

from tests.selection import select
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
    "tests/voices/test_nothing.py": "import json",
    "tests/providers/test_speechgen.py": "",
    "tests/browser/test_pages.py": "from voices.views import builds",
    "templates/voices/build.html": '{% include "voices/_progress.html" %}',
    "templates/voices/_bar.html": "a bar",
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
    ("changed", "chosen"),
    [
        (["voices/services/poll.py"], (POLL, VIEW)),
        (["voices/tasks.py"], (VIEW, ROWS)),
        (["voices/views/builds.py"], (VIEW, ROWS)),
        (["providers/speechgen/adapter.py"], ("tests/providers/test_speechgen.py",)),
        (["templates/voices/build.html"], (VIEW, ROWS)),
        (["templates/voices/_bar.html"], (VIEW,)),
        (["tests/support/rows.py"], (ROWS,)),
        ([POLL], (POLL,)),
        (["README.md"], ()),
    ],
)
def test_change_selects_what_it_touches_the_closest_first(
    tree: Path, changed: list[str], chosen: tuple[str, ...]
) -> None:
    selection = select(tree, changed)
    assert selection.chosen == chosen
    every = {name for name in TREE if name.startswith("tests/") and "/test_" in name}
    assert {*selection.chosen, *selection.left_out} == every
    assert not any(name.startswith("tests/browser/") for name in selection.chosen)


def test_what_touches_every_test_is_named(tree: Path) -> None:
    assert select(tree, ["pyproject.toml", "voices/tasks.py"]).everything == ("pyproject.toml",)


def test_no_test_begins_when_the_time_is_over() -> None:
    item = cast(Any, None)
    in_time, over = Budget(1000.0), Budget(0.0)
    assert (in_time.pytest_runtest_protocol(item), in_time.left_out) == (None, 0)
    assert (over.pytest_runtest_protocol(item), over.left_out) == (True, 1)
