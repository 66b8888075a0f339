"""What the tests stand on keeps its promises: no silent skip, no setting of the machine, a browser or a reason."""

import os
from pathlib import Path

import pytest

from tests.conftest import forbid_skip
from tests.support.browser import find_chromium
from tests.support.session import environment


def skipped() -> pytest.TestReport:
    why = ("file", 1, "Skipped: no browser")
    return pytest.TestReport("a test", ("file", 1, "a test"), {}, "skipped", why, "setup")


def test_skip_is_a_failure_where_it_is_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEHUB_TEST_NO_SKIP", "1")
    report = skipped()
    forbid_skip(report)
    assert report.outcome == "failed"
    assert "no browser" in str(report.longrepr)


def test_expected_failure_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEHUB_TEST_NO_SKIP", "1")
    report = skipped()
    report.wasxfail = "known"
    forbid_skip(report)
    assert report.outcome == "skipped"


def test_skip_is_a_skip_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VOICEHUB_TEST_NO_SKIP", raising=False)
    report = skipped()
    forbid_skip(report)
    assert report.outcome == "skipped"


def test_nothing_that_steers_a_studio_gets_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "VOICEHUB_S3_BUCKET", "VOICEHUB_EMAIL_URL", "VOICEHUB_SANDBOX_URL"):
        monkeypatch.setenv(name, "of the machine")
    monkeypatch.setenv("VOICEHUB_CHROMIUM", "/opt/chromium")
    given = environment(tmp_path)
    assert "of the machine" not in given.values()
    assert given["VOICEHUB_DATA_DIR"] == str(tmp_path)
    assert given["VOICEHUB_CHROMIUM"] == "/opt/chromium"


def test_named_browser_goes_first_and_is_never_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    on_path, named = tmp_path / "chromium", tmp_path / "mine"
    for program in (on_path, named):
        program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("VOICEHUB_CHROMIUM", raising=False)
    assert find_chromium() == on_path
    monkeypatch.setenv("VOICEHUB_CHROMIUM", str(named))
    assert find_chromium() == named
    monkeypatch.setenv("VOICEHUB_CHROMIUM", "/nowhere")
    assert find_chromium() is None


def test_real_queue_is_the_one_of_this_run() -> None:
    from django.conf import settings

    assert settings.REDIS_URL.startswith("unix://")
    assert os.environ["VOICEHUB_DATA_DIR"] in settings.REDIS_URL
