"""The fields of the sign-in forms: names for password managers, and passwords that stay as they were typed."""

import re

import pytest
from django.test import Client

from tests.voicehub.sign_in.codes import is_signed_in, sign_in
from voicehub.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def read_autocomplete(page: str) -> dict[str, str]:
    """The `autocomplete` of each field in the page's own part, by the name of the field."""
    fields = {}
    for tag in re.findall(r"<input [^>]+>", page.partition('<main id="content"')[2].partition("</main>")[0]):
        name, value = (re.search(rf'{attribute}="([^"]+)"', tag) for attribute in ("name", "autocomplete"))
        if name and value:
            fields[name[1]] = value[1]
    return fields


def test_password_managers_know_each_field(producer: User) -> None:
    client = Client()
    assert read_autocomplete(client.get("/sign-in/").content.decode()) == {
        "login": "username",
        "password": "current-password",
    }
    client.force_login(producer)
    assert read_autocomplete(client.get("/profile/password/").content.decode()) == {
        "oldpassword": "current-password",
        "password1": "new-password",
        "password2": "new-password",
    }


@pytest.mark.parametrize(
    "password", [" spaces at both ends ", "ﬁ ligature and é combined", "日本語のパスワードです", "x" * 300]
)
def test_password_is_used_as_it_was_typed(producer: User, password: str) -> None:
    producer.set_password(password)
    producer.save()
    client = Client()
    sign_in(client, "paula", password.strip() + "x")
    assert not is_signed_in(client)
    sign_in(client, "paula", password)
    assert is_signed_in(client)
