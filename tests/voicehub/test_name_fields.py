"""Names have no bidi controls and something visible, wherever they are entered, stored or shown."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.urls import reverse

from consent.models import Consent, Talent
from consent.request_forms import ManyUsesForm
from consent.services.invitations import request_consent
from tests.consent.rows import ConsentFactory, get_guest_url, read_page
from voicehub.models import User
from voicehub.name_fields import STAND_IN, UNREADABLE, NameField, clean_name, is_visible

CONTROLS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
UNREADABLE_NAMES = ["\u200b\u200d\u2060", CONTROLS, "\ufeff \u00ad", "\u3164", "\u2800\u2800", "\u0301"]
READABLE_NAMES = ["Tess Malloy", "דנה לוי", "محمد", "نامه\u200cها", "क्\u200dष", "山田 太郎", "1", "*", "👩\u200d🎤"]


@pytest.fixture
def factory(producer: User) -> ConsentFactory:
    return ConsentFactory(producer)


@pytest.mark.parametrize("name", READABLE_NAMES)
def test_readable_names_stay_as_they_are(name: str) -> None:
    assert clean_name(name) == name


def test_bidi_controls_are_removed_and_lines_joined() -> None:
    assert clean_name(f" Tess{CONTROLS}\n Malloy\u202e ") == "Tess Malloy"
    assert clean_name("") == ""


@pytest.mark.parametrize("name", UNREADABLE_NAMES)
def test_name_without_anything_visible_is_refused(name: str) -> None:
    assert not is_visible(name)
    with pytest.raises(ValidationError, match="no visible letters"):
        clean_name(name)


def test_field_is_a_plain_column() -> None:
    assert NameField(max_length=9).deconstruct()[1] == "django.db.models.CharField"


@pytest.mark.django_db
def test_forms_clean_and_refuse_names(producer_client: Client) -> None:
    url = reverse("consent:talent_add")
    response = producer_client.post(url, {"name": "\u200b\u2060", "language": "en"})
    assert response.status_code == 200 and UNREADABLE in response.content.decode()
    producer_client.post(url, {"name": "Tess\u202e Malloy\u2069", "language": "en"})
    assert Talent.objects.get().name == "Tess Malloy"
    form = ManyUsesForm({"company": "\u2066\u200b"})
    assert not form.is_valid() and form.errors["company"] == [UNREADABLE]


@pytest.mark.django_db
def test_admin_cleans_and_refuses_names(make_client: Any, admin: User, factory: ConsentFactory) -> None:
    talent = factory.make_talent()
    client, url = make_client(admin), reverse("admin:consent_talent_change", args=[talent.pk])
    form = client.get(url).context["adminform"].form
    values = {name: form[name].value() or "" for name in form.fields}
    assert UNREADABLE in client.post(url, {**values, "name": "\u200b\u202e"}).content.decode()
    client.post(url, {**values, "name": "\u202eTess\u2069"})
    talent.refresh_from_db()
    assert talent.name == "Tess"


def store_raw(row: Talent | Consent, column: str, value: str) -> None:
    """As an earlier version stored it."""
    with connection.cursor() as cursor:
        key = row.pk if connection.vendor == "postgresql" else row.pk.hex
        cursor.execute(f"UPDATE {row._meta.db_table} SET {column} = %s WHERE id = %s", [value, key])  # noqa: S608 - fixed names


@pytest.mark.django_db
def test_names_of_earlier_versions_are_shown_without_controls(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    store_raw(consent.talent, "name", "\u202eTess\u2066 Malloy")
    store_raw(consent, "company", "\u200bNorth\u202elight")
    page = read_page(factory.open_link(consent), get_guest_url("home", consent))
    assert "Tess Malloy" in page and "Northlight" in page
    assert not any(control in page for control in CONTROLS)
    store_raw(consent.talent, "name", "\u200b\u2060")
    assert Talent.objects.get().name == STAND_IN


@pytest.mark.django_db
def test_statement_has_the_names_without_controls(factory: ConsentFactory, producer: User) -> None:
    talent = Talent.objects.create(name="Tess\u202e", created_by=producer)
    consent = request_consent(
        Talent.objects.get(pk=talent.pk), "resemble_v2", "en-US", "narration", producer, company="North\u2067light"
    )
    assert "Northlight" in consent.text and not any(control in consent.text for control in CONTROLS)


def test_names_of_staff_are_shown_without_controls() -> None:
    assert str(User(username="paula", first_name="Pau\u202ela")) == "Paula"
    assert str(User(username="paula", first_name="\u200b", last_name="\u2060")) == "paula"
