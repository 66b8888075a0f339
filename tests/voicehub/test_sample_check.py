"""Sample users share a password that stands in a file. No studio at an https address starts with them."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from launcher import gunicorn_conf
from voicehub.checks import check_sample_users
from voicehub.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", "ada@studio.example", "made-by-the-sample")


def test_sample_users_are_an_error_only_at_an_https_address(settings: Any, ada: User) -> None:
    assert check_sample_users() == []
    settings.HTTPS = True
    (error,) = check_sample_users()
    assert (error.id, error.is_serious()) == ("voicehub.E004", True)
    with pytest.raises(CommandError, match="Users of the sample studio can sign in: ada"):
        call_command("check")
    with pytest.raises(SystemExit, match="ada"):
        gunicorn_conf.refuse_sample()


def test_studio_without_sample_users_starts(settings: Any, ada: User) -> None:
    settings.HTTPS = True
    User.objects.create_user("nora", "nora@studio.test", "chosen-by-herself")
    User.objects.filter(pk=ada.pk).update(is_active=False)
    assert check_sample_users() == []


def test_sample_is_not_created_at_an_https_address(settings: Any) -> None:
    settings.HTTPS = True
    with pytest.raises(CommandError, match="not created at an https address"):
        call_command("sample_studio")
    assert not User.objects.exists()
