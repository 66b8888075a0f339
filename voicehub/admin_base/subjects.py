"""What a background task works on, in words: a voice, a talent, an account. Each app says how it finds its own."""

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import models

from voicehub.models import Task, User

HEX_LENGTH = 32


def read_first_id(text: str) -> str:
    """The first of two ids that stand behind each other without hyphens."""
    return text[:HEX_LENGTH]


def read_before_colon(text: str) -> str:
    """The first of two ids, or of an id and a number, that a colon divides."""
    return text.partition(":")[0]


@dataclass(frozen=True)
class Subject:
    """The rows that some kinds of tasks work on.

    `names` are the fields with the name, of which the first that is not empty counts. `permission` is what a user needs
    to read it. `read_id` finds the id of the row in the id of the task.
    """

    model: type[models.Model]
    permission: str
    names: tuple[str, ...]
    read_id: Callable[[str], str] = str


_SUBJECTS: dict[str, Subject] = {}


def register_subject(subject: Subject, *kinds: str) -> None:
    _SUBJECTS.update(dict.fromkeys(kinds, subject))


def list_kinds() -> Collection[str]:
    return _SUBJECTS.keys()


def find_subjects(tasks: Iterable[Task], user: User | AnonymousUser) -> dict[uuid.UUID, str]:
    """What each of these tasks works on, by the id of the task. One query for each kind of row."""
    groups: dict[Subject, list[Task]] = {}
    for task in tasks:
        subject = _SUBJECTS.get(task.kind)
        if subject and user.has_perm(subject.permission):
            groups.setdefault(subject, []).append(task)
    return {pk: name for subject, found in groups.items() for pk, name in _find_names(subject, found).items()}


def _find_names(subject: Subject, tasks: Iterable[Task]) -> Mapping[uuid.UUID, str]:
    """Tasks with a malformed id, or with that of a deleted row, are left out."""
    ids: dict[uuid.UUID, Any] = {}
    for task in tasks:
        with suppress(ValidationError):
            ids[task.pk] = subject.model._meta.pk.to_python(subject.read_id(task.object_id))
    rows = subject.model._default_manager.filter(pk__in=set(ids.values())).order_by()
    names = {row[0]: next(filter(None, row[1:]), "") for row in rows.values_list("pk", *subject.names)}
    return {pk: names[row_id] for pk, row_id in ids.items() if names.get(row_id)}
