"""Of a damaged JSON value, code gets the part that has its shape, and the stored value stays unchanged."""

import json
from typing import Any

import pytest
from django.db import connection

from consent.models import Contract, TakeCheck
from consent.services.audit_log import find_first_broken_event, hash_event
from tests.consent.rows import ConsentFactory, make_statement
from voicehub.json_fields import (
    NUMBER,
    Fields,
    ListOf,
    Maybe,
    PairOf,
    ShapedJSONField,
    list_damaged_fields,
    write_small_numbers,
)
from voicehub.json_shapes import FINDINGS
from voicehub.models import User

FINDING = {"severity": "look", "code": "noisy", "text": "Noise.", "advice": "Move.", "at": None}


@pytest.fixture
def factory(producer: User) -> ConsentFactory:
    make_statement()
    return ConsentFactory(producer)


def read(stored: str, shape: Any) -> Any:
    return ShapedJSONField(shape=shape).from_db_value(stored, None, connection)


@pytest.mark.parametrize(
    ("stored", "shape", "readable"),
    [
        ('["a", 1, "b"]', ListOf(str), ["a", "b"]),
        ('"a"', ListOf(str), []),
        ("null", Fields(), {}),
        ('{"a": 1, "b": "x"}', Fields(others=NUMBER), {"a": 1}),
        ('{"a": true}', Fields(others=NUMBER), {}),
        ('{"a": null}', Fields({"a": NUMBER}), {}),
        ('{"b": 2}', Fields({"a": NUMBER}), {}),
        ('{"a": null, "b": 2}', Fields({"a": Maybe(NUMBER)}), {"a": None, "b": 2}),
        ("[[1, 2], [1], [1, 2, 3], [null, 2]]", ListOf(PairOf(NUMBER)), [[1, 2]]),
        ('[{"severity": "look"}, 7]', FINDINGS, []),
        (f"[1, 1{'0' * 400}]", ListOf(NUMBER), [1]),
    ],
)
def test_only_the_part_with_the_shape_is_read(stored: str, shape: Any, readable: Any) -> None:
    assert read(stored, shape) == readable


def test_whole_value_is_not_marked_as_damaged() -> None:
    assert type(read("[]", FINDINGS)) is list and type(read('{"a": 1}', Fields())) is dict


@pytest.mark.django_db
def test_small_numbers_are_written_as_json() -> None:
    numbers = list(range(-128, 128))
    assert [write_small_numbers(some) for some in ([], numbers)] == ["[]", json.dumps(numbers)]
    for number in (-129, 128):
        with pytest.raises(KeyError):
            write_small_numbers([0, number])


def test_json_text_is_stored_as_its_value(factory: ConsentFactory) -> None:
    check = TakeCheck(fine_peaks=write_small_numbers([-128, 0, 127]))
    field: Any = TakeCheck._meta.get_field("fine_peaks")
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s", [field.get_db_prep_save(check.fine_peaks, connection)])
        (stored,) = cursor.fetchone() or ("",)
    assert field.from_db_value(stored, None, connection) == [-128, 0, 127]


def test_damaged_value_is_named_and_survives_a_save(factory: ConsentFactory) -> None:
    contract = factory.make_contract(factory.make_talent())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE consent_contract SET providers = %s", ['{"resemble_v2": 1}'])
        contract = Contract.objects.get()
        assert (contract.providers, list_damaged_fields(contract)) == ([], ["providers"])
        contract.save()
        Contract.objects.filter(pk=contract.pk).update(providers=contract.providers)
        cursor.execute("SELECT providers FROM consent_contract")
        assert '"resemble_v2"' in str(cursor.fetchone()[0])


@pytest.mark.django_db
@pytest.mark.parametrize("payload", ['"x"', "[]", "null", '{"capture": 7}'])
def test_damaged_payload_of_an_audit_log_entry_is_detected(factory: ConsentFactory, payload: str) -> None:
    consent = factory.make_consent()
    event = consent.events.get(sequence=1)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE consent_event SET payload = %s WHERE id = %s", [payload, event.pk])
    damaged = consent.events.get(sequence=1)
    assert isinstance(damaged.payload, dict) and hash_event(damaged) != event.hash
    assert find_first_broken_event(consent) == 1
