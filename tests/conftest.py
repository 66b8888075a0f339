"""What every test may ask for: named people, a browser, a real queue."""

import os
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from django.test import Client

from tests.support.session import Session, database_url

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

    from consent.models import Talent
    from tests.support.sandbox import Sandbox
    from voicehub.models import User

SESSION = Session()

# `make test-long` names them; a run of everything leaves them out.
collect_ignore = [] if any("tests/long" in argument for argument in sys.argv[1:]) else ["long"]

# The same examples each time, so that a change is judged by what it changed, and not by the speed of the machine.
hypothesis.settings.register_profile(
    "suite", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("suite")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Set up what the settings are read from, before pytest-django or any test reads them."""
    import django
    from django.conf import settings

    if settings.configured:
        pytest.exit("The settings were read too early. Run the tests without DJANGO_SETTINGS_MODULE or --ds.", 4)
    SESSION.begin()
    # A password is hashed for every person in every test, and files need not be collected to be linked to.
    # Before the set-up, which keeps a copy of the storages.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    django.setup()


def pytest_unconfigure(config: pytest.Config) -> None:
    SESSION.end()


# --- Skipping ---------------------------------------------------------------------------


def forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """With VOICEHUB_TEST_NO_SKIP=1 a test that could not be run is one that failed."""
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
    """On the second database only what touches a database is run again, and is not marked as saying nothing of it."""
    if os.environ.get("VOICEHUB_TEST_DATABASE") != "postgres":
        return
    left_out = [item for item in items if not touches_database(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if touches_database(item)]


def touches_database(item: pytest.Item) -> bool:
    if item.get_closest_marker("one_database"):
        return False
    fixtures = set(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("django_db") is not None or bool(fixtures & {"db", "transactional_db"})


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """A file for SQLite: one in memory cannot be seen by a second process, nor locked against."""
    from django.conf import settings
    from django.db import connections

    config = connections["default"].settings_dict
    if "sqlite" in config["ENGINE"]:
        config["TEST"]["NAME"] = settings.DATA_DIR / "test.sqlite3"


@pytest.fixture(autouse=True)
def _empty_queue() -> Iterator[None]:
    """What a test rang for is not heard by the next one."""
    yield
    import django_rq

    django_rq.get_connection("submit").flushall()


@pytest.fixture
def process_environment(transactional_db: None) -> dict[str, str]:
    """The environment for processes of a test's own: the same database, queue, files and secrets."""
    return {**os.environ, "DATABASE_URL": database_url()}


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Sandbox"]:
    """One sandbox for all tests that can share one; each has a key, and so an account, of its own in it."""
    from tests.support.sandbox import Sandbox

    sandbox = Sandbox(tmp_path_factory.mktemp("sandbox"))
    yield sandbox
    sandbox.kill()


# --- People -----------------------------------------------------------------------------


@pytest.fixture
def make_person(db: None) -> Callable[..., "User"]:
    """Make somebody who can sign in with the password "secret", with a role or (outsider) without one."""

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
    """Paula runs consents, contracts and builds."""
    return make_person("paula", "producer")


@pytest.fixture
def engineer(make_person: Callable[..., "User"]) -> "User":
    """Ed records, and keeps voices and their recordings."""
    return make_person("ed", "engineer")


@pytest.fixture
def viewer(make_person: Callable[..., "User"]) -> "User":
    """Vera only reads."""
    return make_person("vera", "viewer")


@pytest.fixture
def admin(make_person: Callable[..., "User"]) -> "User":
    """Ada may do everything, in the Django admin too."""
    return make_person("ada", "admin", is_staff=True, is_superuser=True)


@pytest.fixture
def outsider(make_person: Callable[..., "User"]) -> "User":
    """Otto has an account and no role."""
    return make_person("otto")


@pytest.fixture
def talent(producer: "User") -> "Talent":
    """Tara lends her voice. She has no account here: she comes by the link of an invitation."""
    from consent.models import Talent

    return Talent.objects.create(name="Tara Okafor", email="tara@voices.test", created_by=producer)


@pytest.fixture
def as_person() -> Callable[["User"], Client]:
    """A browser's session of somebody who has signed in."""

    def sign_in(person: "User") -> Client:
        client = Client()
        client.force_login(person)
        return client

    return sign_in


@pytest.fixture
def as_producer(as_person: Callable[["User"], Client], producer: "User") -> Client:
    return as_person(producer)


@pytest.fixture
def as_viewer(as_person: Callable[["User"], Client], viewer: "User") -> Client:
    return as_person(viewer)


@pytest.fixture
def as_engineer(as_person: Callable[["User"], Client], engineer: "User") -> Client:
    return as_person(engineer)


@pytest.fixture
def as_admin(as_person: Callable[["User"], Client], admin: "User") -> Client:
    return as_person(admin)


# --- Browser ----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def playwright() -> Iterator["Playwright"]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def chromium(playwright: "Playwright") -> Path:
    """The browser's program; the test is skipped, saying how to get one, where there is none."""
    from tests.support.browser import HOW_TO_GET_IT, find_chromium

    found = find_chromium(playwright)
    if not found:
        pytest.skip(HOW_TO_GET_IT)
    return found


@pytest.fixture
def open_browser(playwright: "Playwright", chromium: Path) -> Iterator[Callable[..., "Browser"]]:
    """Start a browser, with `microphone=` a WAV file that it hears; it is closed after the test."""
    from tests.support.browser import launch

    opened: list[Browser] = []

    def open_one(microphone: Path | None = None) -> "Browser":
        opened.append(launch(playwright, chromium, microphone))
        return opened[-1]

    yield open_one
    for browser in opened:
        browser.close()
