"""Every URL of the studio and of the administration, with every method, by every role, with ids of rows."""

from collections.abc import Callable

import pytest
from django.test import Client

from tests.access_matrix import METHODS, ROLES, Requests, find_wrong_answers, list_answers, make_studio
from tests.test_admin_matrix import SITE_PAGES, is_row_page, list_admin_answers, make_admin_studio
from voicehub.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.mark.parametrize("role", ROLES)
def test_each_role_does_what_the_table_says(
    role: str, producer: User, make_person: Callable[..., User], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_studio(producer)
    client.force_login(make_person("someone", role))
    wrong = find_wrong_answers(role, list_answers(Requests(client, monkeypatch), METHODS, is_drawn=True))
    assert wrong == [], "\n".join(wrong)


@pytest.mark.parametrize("role", ROLES)
def test_only_staff_with_permissions_opens_rows_of_the_administration(
    role: str, producer: User, make_person: Callable[..., User], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_admin_studio(producer)
    client.force_login(make_person("someone", role, is_staff=True))
    for (name, pattern), statuses in list_admin_answers(client, monkeypatch, METHODS).items():
        assert max(statuses.values()) < 500, (name, pattern, statuses)
        if role == "admin" and is_row_page(name, pattern):
            assert statuses["GET"] == statuses["HEAD"] == 200, (name, pattern, statuses)
        elif role in {"", "viewer"} and name not in SITE_PAGES:
            assert {statuses["GET"], statuses["HEAD"], statuses["POST"]} <= {302, 403, 404, 405}, (name, statuses)
