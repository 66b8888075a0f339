"""Rules of the test run: skips are counted, settings of the machine are ignored, a missing browser is reported."""

import os
from pathlib import Path

import pytest

from tests.conftest import forbid_skip
from tests.support.browser import find_chromium
from tests.support.session import build_environment


def make_skip_report() -> pytest.TestReport:
    reason = ("file", 1, "Skipped: no browser")
    return pytest.TestReport("a test", ("file", 1, "a test"), {}, "skipped", reason, "setup")


def test_skipped_test_fails_when_skipping_is_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEHUB_TEST_NO_SKIP", "1")
    report = make_skip_report()
    forbid_skip(report)
    assert report.outcome == "failed"
    assert "no browser" in str(report.longrepr)


def test_expected_failure_is_allowed_when_skipping_is_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEHUB_TEST_NO_SKIP", "1")
    report = make_skip_report()
    report.wasxfail = "known"
    forbid_skip(report)
    assert report.outcome == "skipped"


def test_skipped_test_does_not_fail_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VOICEHUB_TEST_NO_SKIP", raising=False)
    report = make_skip_report()
    forbid_skip(report)
    assert report.outcome == "skipped"


def test_settings_of_the_machine_do_not_reach_the_tests(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "VOICEHUB_S3_BUCKET", "VOICEHUB_EMAIL_URL", "VOICEHUB_SANDBOX_URL"):
        monkeypatch.setenv(name, "machine value")
    monkeypatch.setenv("VOICEHUB_CHROMIUM", "/opt/chromium")
    variables = build_environment(tmp_path)
    assert "machine value" not in variables.values()
    assert variables["VOICEHUB_DATA_DIR"] == str(tmp_path)
    assert variables["VOICEHUB_CHROMIUM"] == "/opt/chromium"


def test_configured_browser_is_used_and_a_missing_one_not_replaced(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path_program, configured_program = tmp_path / "chromium", tmp_path / "mine"
    for program in (path_program, configured_program):
        program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("VOICEHUB_CHROMIUM", raising=False)
    assert find_chromium() == path_program
    monkeypatch.setenv("VOICEHUB_CHROMIUM", str(configured_program))
    assert find_chromium() == configured_program
    monkeypatch.setenv("VOICEHUB_CHROMIUM", "/nowhere")
    assert find_chromium() is None


def test_queue_server_is_that_of_this_test_run() -> None:
    from django.conf import settings

    assert settings.REDIS_URL.startswith("unix://")
    assert os.environ["VOICEHUB_DATA_DIR"] in settings.REDIS_URL
