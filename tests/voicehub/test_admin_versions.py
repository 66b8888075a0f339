"""Forms of the admin overwrite nothing that someone else saved while they were open."""

from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from consent.models import Pronunciation, Statement, Talent
from voicehub.models import ThresholdOverride, User
from voices.models import Account, LimitOverride

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

CONFLICT = "Someone else changed this meanwhile."


@pytest.fixture
def staff(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def get_url(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def read_form(client: Client, row: Model) -> dict[str, Any]:
    """What a browser would send if the user saved the page unchanged."""
    response = client.get(get_url(row))
    form = response.context["adminform"].form
    assert f'name="{form.version_field}"' in response.content.decode()
    values = {field.html_name: field.value() for field in form if not field.field.disabled}
    return {name: "on" if value is True else value for name, value in values.items() if value not in (None, False)}


def make_row(model: type[Model], user: User) -> Model:
    fields: dict[type[Model], dict[str, Any]] = {
        Talent: {"name": "Tilda", "created_by": user},
        Statement: {"provider": "voiceai", "language": "fi", "text": "T", "source": "S", "source_date": date.today()},
        Account: {"name": "Main", "provider": "voiceai", "encrypted_key": "x"},
        LimitOverride: {"provider": "voiceai", "tier": "rapid", "limit": "least_recordings", "value": 3, "source": "S"},
        ThresholdOverride: {"name": "snr_low_db", "value": 3, "reason": "R"},
        Pronunciation: {"name": "Zyntrex", "sounds_like": "zin trecks"},
        User: {"username": "somebody"},
    }
    return model._default_manager.create(**fields[model])


@pytest.mark.parametrize(
    ("model", "field", "theirs", "mine"),
    [
        (Talent, "email", "theirs@people.test", "mine@people.test"),
        (Statement, "retired", True, ""),
        (Account, "name", "Theirs", "Mine"),
        (LimitOverride, "source", "Theirs", "Mine"),
        (ThresholdOverride, "reason", "Theirs", "Mine"),
        (Pronunciation, "sounds_like", "theirs", "mine"),
        (User, "first_name", "Theirs", "Mine"),
    ],
)
def test_second_edit_is_shown_again_and_not_saved(
    staff: Client, admin: User, model: type[Model], field: str, theirs: Any, mine: Any
) -> None:
    row = make_row(model, admin)
    data = read_form(staff, row)
    model._default_manager.filter(pk=row.pk).update(**{field: theirs})
    response = staff.post(get_url(row), data | {field: mine})
    assert response.status_code == 200, response.headers
    assert CONFLICT in response.content.decode()
    row.refresh_from_db()
    assert getattr(row, field) == theirs


def test_second_edit_is_saved_after_the_conflict_was_shown(staff: Client, admin: User) -> None:
    row = make_row(Talent, admin)
    data = read_form(staff, row)
    Talent.objects.update(email="theirs@people.test")
    form = staff.post(get_url(row), data | {"email": "mine@people.test"}).context["adminform"].form
    again = data | {"email": "mine@people.test", "row_version": form["row_version"].value()}
    assert staff.post(get_url(row), again).status_code == 302
    assert Talent.objects.get().email == "mine@people.test"


def test_roles_that_someone_else_assigned_are_not_lost(staff: Client, admin: User) -> None:
    row = User.objects.create(username="somebody")
    data = read_form(staff, row)
    row.groups.set(Group.objects.filter(name="viewer"))
    response = staff.post(get_url(row), data | {"first_name": "Some"})
    assert CONFLICT in response.content.decode() and "Roles is now “Viewer”." in response.content.decode()
    assert [group.name for group in row.groups.all()] == ["viewer"]
    assert staff.post(get_url(row), read_form(staff, row) | {"first_name": "Some"}).status_code == 302
    assert [group.name for group in row.groups.all()] == ["viewer"]
