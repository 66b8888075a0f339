"""The lock files of the dependencies pin every package by hash and contain no host and no local folder."""

import json
import re
from pathlib import Path

import pytest

import bootstrap
from tests.support.processes import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
HOST_OR_PATH = re.compile(r"https?:|file:|git\+|--(extra-)?index-url|--find-links|(^|\s)/", re.MULTILINE)


def test_each_dependency_group_has_a_lock_file() -> None:
    groups = {name for names in bootstrap.INSTALLED.values() for name in names}
    assert {path.stem for path in LOCKS} == groups | {"node"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_package_is_pinned_by_hash(lock: Path) -> None:
    packages = re.split(r"\n(?=[A-Za-z0-9])", lock.read_text().strip())
    assert packages
    for package in packages:
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==\S+", package)
        assert "--hash=sha256:" in package


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_python_lock_file_contains_no_host_or_path(lock: Path) -> None:
    assert not HOST_OR_PATH.search(lock.read_text())


def test_browser_lock_file_contains_no_host_and_pins_by_hash() -> None:
    text = (ROOT / "package-lock.json").read_text()
    assert "://" not in text
    packages = {name: package for name, package in json.loads(text)["packages"].items() if name}
    assert packages
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())


def test_lock_file_of_extras_contains_that_of_run_and_dev_contains_both() -> None:
    """`make test` and `make run` install into the same environment, so versions must match."""
    run, extras, dev = (
        list_pins((ROOT / "requirements" / name).read_text()) for name in ("run.txt", "extras.txt", "dev.txt")
    )
    assert run < extras < dev


def list_pins(text: str) -> set[str]:
    return set(re.findall(r"^[^\s#].*?==\S+", text, re.MULTILINE))


def test_source_map_comments_are_removed_from_vendored_files() -> None:
    css = b"a{}\n/*# sourceMappingURL=a.css.map */\n"
    script = b"let a;\n//# sourceMappingURL=a.js.map"
    assert bootstrap.SOURCE_MAP.sub(b"", css).strip() == b"a{}"
    assert bootstrap.SOURCE_MAP.sub(b"", script).strip() == b"let a;"
    assert bootstrap.SOURCE_MAP.sub(b"", b'x = "//# sourceMappingURL=no";') == b'x = "//# sourceMappingURL=no";'


def test_vendored_browser_libraries_are_installed() -> None:
    for target in bootstrap.VENDORED.values():
        assert (bootstrap.VENDOR / target).stat().st_size > 0
