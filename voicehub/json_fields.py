"""A JSON field with a shape: of a value that was changed by hand or damaged, pages get the part that is as expected.

The stored value stays as it is: it is written back unchanged if the row is saved, and `get_stored_value` returns it.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeGuard

from django.db import models
from django.db.models.fields.json import KeyTransform

Shape = Any
"""A type or a tuple of types, NUMBER, or one of the classes below."""


class Number:
    """The shape of a finite number. True and false are none."""


NUMBER = Number()


class ListOf:
    """The shape of a list. Elements of another shape are excluded."""

    def __init__(self, element: Shape) -> None:
        self.element = element


class PairOf:
    """The shape of a list of two elements of one shape, such as a span of time."""

    def __init__(self, element: Shape) -> None:
        self.element = element


class Maybe:
    """The shape of a value that may be null, or absent in `Fields`."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape


class Fields:
    """The shape of an object with these members. `others` is the shape of every other member.

    Members of another shape are left out. Without a member that is not `Maybe`, the whole object is damaged.
    """

    def __init__(self, members: Mapping[str, Shape] | None = None, others: Shape = object) -> None:
        self.members = members or {}
        self.others = others


class PartialList(list[Any]):
    """The readable part of a damaged list; `stored` is the value in the database."""

    stored: Any = None


class PartialDict(dict[str, Any]):
    """The readable part of a damaged object; `stored` is the value in the database."""

    stored: Any = None


class JsonText(str):
    """A value that is JSON text already. A `ShapedJSONField` stores it as it is."""

    __slots__ = ()


_NUMBER_TEXTS = {number: str(number) for number in range(-128, 128)}


def write_small_numbers(values: Sequence[int]) -> JsonText:
    """A list of whole numbers in -128..127 as JSON, in half the time of `json.dumps`. KeyError for another number."""
    return JsonText(f"[{', '.join([_NUMBER_TEXTS[value] for value in values])}]")


class _TextEncoder(json.JSONEncoder):
    def encode(self, o: Any) -> str:
        return str(o)


class _Damaged(Exception):
    """Nothing of a value has its shape."""


def _read(value: Any, shape: Shape) -> Any:
    """The value without the parts that do not have their shape."""
    if isinstance(shape, Maybe):
        return None if value is None else _read(value, shape.shape)
    if isinstance(shape, ListOf):
        return _read_list(value, shape)
    if isinstance(shape, Fields):
        return _read_fields(value, shape)
    if not _has_shape(value, shape):
        raise _Damaged
    return value


def _has_shape(value: Any, shape: Shape) -> bool:
    if isinstance(shape, PairOf):
        return isinstance(value, list) and len(value) == 2 and all(_has_shape(one, shape.element) for one in value)
    if isinstance(shape, Number):
        return is_number(value)
    return isinstance(value, shape)


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value from JSON is a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that no float can hold
        return False


def _are_numbers(values: list[Any]) -> bool:
    """Whether all are finite numbers: is_number for a whole list, without a call in Python for each of them."""
    try:
        return set(map(type, values)) <= {int, float} and all(map(math.isfinite, values))
    except OverflowError:
        return False


def _read_list(value: Any, shape: ListOf) -> list[Any]:
    if not isinstance(value, list):
        raise _Damaged
    if shape.element is NUMBER and _are_numbers(value):  # the usual case of the longest lists
        return value
    elements = []
    for element in value:
        with suppress(_Damaged):
            elements.append(_read(element, shape.element))
    return elements


def _read_fields(value: Any, shape: Fields) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Damaged
    members = {}
    for name in value:
        with suppress(_Damaged):
            members[name] = _read(value[name], shape.members.get(name, shape.others))
    if any(name not in members and not isinstance(member, Maybe) for name, member in shape.members.items()):
        raise _Damaged
    return members


class ShapedJSONField(models.JSONField):
    """A JSONField whose value has `shape` (ListOf or Fields) when it comes from the database.

    Migrations see a plain JSONField, because the shape is no part of the column.
    """

    def __init__(self, *args: Any, shape: Shape = object, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.shape = shape

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.JSONField", args, kwargs

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        stored = super().from_db_value(value, expression, connection)
        return stored if isinstance(expression, KeyTransform) else _read_partly(stored, self.shape)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return super().get_db_prep_value(get_stored_value(value), connection, prepared)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if isinstance(value, JsonText):
            return connection.ops.adapt_json_value(value, _TextEncoder)
        return super().get_db_prep_save(get_stored_value(value), connection)


def _read_partly(stored: Any, shape: Shape) -> Any:
    """The stored value if it has the shape, or else its readable part."""
    try:
        readable = _read(stored, shape)
    except _Damaged:
        readable = [] if isinstance(shape, ListOf) else {}
    if readable == stored:
        return stored
    partial = PartialList(readable) if isinstance(shape, ListOf) else PartialDict(readable)
    partial.stored = stored
    return partial


def get_stored_value(value: Any) -> Any:
    """The value in the database. `value` may be only its readable part."""
    return value.stored if isinstance(value, PartialList | PartialDict) else value


def list_damaged_fields(row: models.Model) -> list[str]:
    """The names, in words, of the loaded fields that are readable only in part."""
    return [
        str(field.verbose_name)
        for field in row._meta.concrete_fields
        if isinstance(row.__dict__.get(field.attname), PartialList | PartialDict)
    ]


def hash_json(content: object, default: Callable[[Any], Any] | None = None) -> str:
    """The SHA-256 of the content as canonical JSON: sorted keys, no spaces, UTF-8.

    `default` makes text of what is no JSON. Without it, such content raises TypeError.
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=default)
    return hashlib.sha256(text.encode()).hexdigest()
