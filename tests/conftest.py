"""Fixtures for all tests: users, clients, a browser, a real queue."""

import functools
import gc
import hashlib
import os
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from django.test import Client

from tests.support.session import Session, build_database_url

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

    from consent.models import Talent
    from tests.support.sandbox import SandboxProcess
    from voicehub.models import User

SESSION = Session()

# The long tests run only if their folder is given on the command line, as `make test-long` does.
collect_ignore = [] if any("tests/long" in argument for argument in sys.argv[1:]) else ["long"]

# Hypothesis uses the same examples in each run and no deadline, so chance and machine speed change no result.
hypothesis.settings.register_profile(
    "suite", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("suite")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Prepare the environment before pytest-django or any test loads the settings."""
    import django
    from django.conf import settings

    if settings.configured:
        pytest.exit("The settings were loaded too early. Run the tests without DJANGO_SETTINGS_MODULE or --ds.", 4)
    SESSION.start()
    # Fast hashing, because every test user gets a password. Plain storage, because static files are not collected.
    # These must be set before django.setup(), which copies the storages.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    django.setup()


def pytest_unconfigure(config: pytest.Config) -> None:
    SESSION.stop()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let the garbage collector skip the loaded modules and tests, and run less often: it took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


# --- Skipping ---------------------------------------------------------------------------


def forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """With VOICEHUB_TEST_NO_SKIP=1, count a skipped test as failed."""
    if os.environ.get("VOICEHUB_TEST_NO_SKIP") == "1" and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"Skipping is forbidden in this run. {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    forbid_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    forbid_skip(report)
    return report


# --- Database and queue -----------------------------------------------------------------


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL, run only tests that use a database and are not marked `one_database`."""
    if os.environ.get("VOICEHUB_TEST_DATABASE") != "postgres":
        return
    deselected = [item for item in items if not uses_database(item)]
    config.hook.pytest_deselected(items=deselected)
    items[:] = [item for item in items if uses_database(item)]


def uses_database(item: pytest.Item) -> bool:
    if item.get_closest_marker("one_database") and not item.get_closest_marker("both_databases"):
        return False
    fixtures = set(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("django_db") is not None or bool(fixtures & {"db", "transactional_db"})


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Use a file for SQLite: a second process cannot read or lock an in-memory database."""
    from django.conf import settings
    from django.db import connections

    config = connections["default"].settings_dict
    if "sqlite" in config["ENGINE"]:
        config["TEST"]["NAME"] = settings.DATA_DIR / "test.sqlite3"


@pytest.fixture(autouse=True)
def _empty_queue() -> Iterator[None]:
    """After each test, remove its queued jobs, so that no job reaches the next test."""
    yield
    import django_rq

    django_rq.get_connection("submit").flushall()


@pytest.fixture
def process_environment(transactional_db: None) -> dict[str, str]:
    """The environment for processes that a test starts: they use the test's database, queue, files and secrets."""
    return {**os.environ, "DATABASE_URL": build_database_url()}


@pytest.fixture(scope="session")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator["SandboxProcess"]:
    """One sandbox shared by many tests. Each test uses its own key and so its own account."""
    from tests.support.sandbox import SandboxProcess

    sandbox = SandboxProcess(tmp_path_factory.mktemp("sandbox"))
    yield sandbox
    sandbox.kill()


@pytest.fixture
def once_per_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compute the voiceprint and the estimates of each sound once in all tests: networks take a second for each."""
    from audio.networks import speaker_match
    from voices.services.recordings import analysis

    for module, name in ((speaker_match, "compute_voiceprint"), (analysis, "estimate_quality")):
        monkeypatch.setattr(module, name, functools.partial(compute_once, name, getattr(module, name)))


NETWORK_RESULTS: dict[tuple[str, int, bytes], Any] = {}


def compute_once(name: str, compute: Callable[[Any, int], Any], samples: Any, rate: int) -> Any:
    key = (name, rate, hashlib.sha256(samples.tobytes()).digest())
    if key not in NETWORK_RESULTS:
        NETWORK_RESULTS[key] = compute(samples, rate)
    return NETWORK_RESULTS[key]


# --- Users ------------------------------------------------------------------------------


@pytest.fixture
def make_person(db: None) -> Callable[..., "User"]:
    """Make a user with the password "secret", with or without a role."""

    def make(username: str, role: str = "", **fields: Any) -> "User":
        from django.contrib.auth.models import Group

        from voicehub.models import User

        person = User.objects.create_user(
            username, f"{username}@studio.test", "secret", first_name=username.capitalize(), **fields
        )
        if role:
            person.groups.add(Group.objects.get(name=role))
        return person

    return make


@pytest.fixture
def producer(make_person: Callable[..., "User"]) -> "User":
    """Paula manages consents, contracts and builds."""
    return make_person("paula", "producer")


@pytest.fixture
def engineer(make_person: Callable[..., "User"]) -> "User":
    """Ed records, and manages voices and their recordings."""
    return make_person("ed", "engineer")


@pytest.fixture
def viewer(make_person: Callable[..., "User"]) -> "User":
    """Vera has read access only."""
    return make_person("vera", "viewer")


@pytest.fixture
def admin(make_person: Callable[..., "User"]) -> "User":
    """Ada has all permissions, also in the Django admin."""
    return make_person("ada", "admin", is_staff=True, is_superuser=True)


@pytest.fixture
def outsider(make_person: Callable[..., "User"]) -> "User":
    """Otto has an account but no role."""
    return make_person("otto")


@pytest.fixture
def talent(producer: "User") -> "Talent":
    """Tara is a talent. She has no user account: she opens an invitation link."""
    from consent.models import Talent

    return Talent.objects.create(name="Tara Okafor", email="tara@voices.test", created_by=producer)


@pytest.fixture
def make_client() -> Callable[["User"], Client]:

    def sign_in(person: "User") -> Client:
        client = Client()
        client.force_login(person)
        return client

    return sign_in


@pytest.fixture
def producer_client(make_client: Callable[["User"], Client], producer: "User") -> Client:
    return make_client(producer)


@pytest.fixture
def viewer_client(make_client: Callable[["User"], Client], viewer: "User") -> Client:
    return make_client(viewer)


@pytest.fixture
def engineer_client(make_client: Callable[["User"], Client], engineer: "User") -> Client:
    return make_client(engineer)


@pytest.fixture
def superuser_client(make_client: Callable[["User"], Client], admin: "User") -> Client:
    return make_client(admin)


@pytest.fixture
def reads_names() -> Iterator[None]:
    """What services write in the test is for a reader who may see real names. Without it, they write short names."""
    from types import SimpleNamespace

    from voicehub.viewer import view_as

    with view_as(SimpleNamespace(has_perm=lambda _permission: True)):
        yield


# --- Browser ----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def playwright() -> Iterator["Playwright"]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def chromium(playwright: "Playwright") -> Path:
    """The Chromium program. If none is installed, the test is skipped with a hint how to install it."""
    from tests.support.browser import INSTALL_HINT, find_chromium

    program = find_chromium(playwright)
    if not program:
        pytest.skip(INSTALL_HINT)
    return program


@pytest.fixture
def open_browser(playwright: "Playwright", chromium: Path) -> Iterator[Callable[..., "Browser"]]:
    """Start a browser that is closed after the test. Its microphone plays the WAV file `microphone`."""
    from tests.support.browser import launch_browser

    browsers: list[Browser] = []

    def start_browser(microphone: Path | None = None) -> "Browser":
        browsers.append(launch_browser(playwright, chromium, microphone))
        return browsers[-1]

    yield start_browser
    for browser in browsers:
        browser.close()
