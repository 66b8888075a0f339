"""What docs/running.md tells people to set passes `check --deploy`, and its web server refuses users of the sample."""

import os
import re
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import settings as django_settings
from django.contrib.auth.models import Group
from django.db import connection
from django.middleware.csrf import CsrfViewMiddleware

from tests.voicehub.sign_in.codes import PASSWORD, is_signed_in, sign_in
from voicehub.checks import check_second_factor_roles
from voicehub.middleware import FormOriginMiddleware
from voicehub.models import SecurityEvent, User

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

ROOT = Path(django_settings.BASE_DIR)
PAGE = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
STEPS = PAGE.partition("\n1. ")[2].partition("\n5. ")[0]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The settings of the steps, and nothing else of ours."""
    files = {"secret": os.urandom(40).hex(), "field-key": Fernet.generate_key().decode()}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    values = {
        "VOICEHUB_SECRET_KEY_FILE": str(tmp_path / "secret"),
        "VOICEHUB_FIELD_KEYS_FILE": str(tmp_path / "field-key"),
        "DATABASE_URL": f"sqlite:///{tmp_path}/studio.sqlite3",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "VOICEHUB_S3_BUCKET": "voices",
        "VOICEHUB_EMAIL_URL": "smtp://user:password@mail.studio.test:587?tls=1",
        "VOICEHUB_BASE_URL": "https://voices.studio.test",
        "VOICEHUB_ALLOWED_HOSTS": "voices.studio.test",
        "VOICEHUB_COMPANY": "Our Voices",
        "VOICEHUB_COMPANY_ADDRESS": "1 Quay Street",
        "VOICEHUB_SUPERVISORY_AUTHORITY": "The authority",
        "VOICEHUB_DATA_LOCATION": "Ireland",
        "VOICEHUB_PROXIES": "1",
    }
    assert set(values) == set(re.findall(r"\b(?:VOICEHUB_\w+|DATABASE_URL|REDIS_URL)\b", STEPS))
    ours = ("VOICEHUB_", "DJANGO_", "DATABASE_URL", "REDIS_URL")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | values | {"VOICEHUB_DATA_DIR": str(tmp_path / "var")}


@pytest.fixture
def run(environment: dict[str, str]) -> Run:
    def run_module(*command: str, **changes: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, *command], env=environment | changes, cwd=ROOT, capture_output=True, text=True, check=False
        )

    return run_module


@pytest.fixture
def sample_user(tmp_path: Path) -> User:
    """A user of the sample, also in the database of the server, which has only this table."""
    user = User.objects.create_user("ada", "ada@studio.example", PASSWORD)
    with connection.cursor() as cursor, sqlite3.connect(tmp_path / "studio.sqlite3") as copy:
        ((statement,),) = cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'voicehub_user'").fetchall()
        (row,) = cursor.execute("SELECT * FROM voicehub_user").fetchall()
        copy.execute(statement)
        copy.execute(f"INSERT INTO voicehub_user VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608 - only question marks
    return user


def test_documented_settings_pass_the_deployment_check(run: Run) -> None:
    result = run("manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert (result.returncode, result.stderr) == (0, "")
    assert "no issues" in result.stdout


def test_deployment_check_finds_what_is_missing(run: Run) -> None:
    result = run("manage.py", "check", "--deploy", "--fail-level", "WARNING", VOICEHUB_DATA_LOCATION="")
    assert result.returncode == 1
    assert "VOICEHUB_DATA_LOCATION is empty" in result.stderr


def test_unknown_role_would_demand_a_factor_of_no_one(settings: Any) -> None:
    assert check_second_factor_roles() == []
    settings.VOICEHUB_SECOND_FACTOR_ROLES = {"admin", "producer", "admins"}
    (warning,) = check_second_factor_roles()
    assert warning.id == "voicehub.W004" and "'admins'" in warning.msg
    Group.objects.create(name="admins")
    assert check_second_factor_roles() == [], "a studio may have groups of its own"


def test_silenced_warning_is_about_a_class_that_is_there() -> None:
    assert django_settings.SILENCED_SYSTEM_CHECKS == ["security.W003"]
    assert "voicehub.middleware.FormOriginMiddleware" in django_settings.MIDDLEWARE
    assert issubclass(FormOriginMiddleware, CsrfViewMiddleware)


def test_documented_server_refuses_users_of_the_sample(run: Run, sample_user: User) -> None:
    (command,) = re.findall(r"`gunicorn ([^`]+)`", STEPS)
    check = ["-m", "gunicorn", *shlex.split(command), "--check-config"]
    refused = run(*check)
    assert refused.returncode != 0
    assert "Users of the sample studio can sign in: ada." in refused.stderr + refused.stdout
    assert run(*check, VOICEHUB_BASE_URL="http://127.0.0.1:8000").returncode == 0


def test_sample_user_cannot_sign_in_at_an_https_address(client: Any, settings: Any) -> None:
    User.objects.create_user("ada", "ada@studio.example", PASSWORD)
    settings.HTTPS = True
    response = sign_in(client, "ada")
    assert (is_signed_in(client), response.headers["Location"]) == (False, "/sign-in/closed/")
    assert SecurityEvent.objects.get().kind == "sign_in_failed"
    settings.HTTPS = False
    sign_in(client, "ada")
    assert is_signed_in(client)
