"""The rows of who opens a file, which one statement adds or counts on both databases."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from consent.models import FileAccess
from consent.services import file_access
from consent.services.file_access import TALENT, AccessNotRecorded, OpenedFile, Reader, record_access
from voicehub.models import User

pytestmark = pytest.mark.django_db


def test_each_person_and_each_hour_has_a_row(talent: Any, producer: User, viewer: User) -> None:
    take = OpenedFile(talent.pk, "take", talent.pk, "a take")
    readers = [Reader(f"user:{user.pk}", str(user), user) for user in (producer, viewer)]
    for reader in (*readers, TALENT, readers[0]):
        record_access(take, reader)
    assert sorted(FileAccess.objects.values_list("reader_name", "count")) == [
        ("Paula", 2), ("The talent", 1), ("Vera", 1),
    ]  # fmt: skip
    FileAccess.objects.update(hour=timezone.now() - timedelta(hours=2))
    record_access(take, readers[0])
    assert FileAccess.objects.filter(reader_name="Paula").count() == 2


def test_an_access_is_one_statement(talent: Any, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(3):  # with the savepoint around it
        record_access(OpenedFile(talent.pk, "take", talent.pk, "a take"), TALENT)


def test_failure_to_record_breaks_no_transaction(talent: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_access, "UPSERT", "INSERT INTO no_such_table VALUES (" + "%s, " * 9 + "%s)")
    with pytest.raises(AccessNotRecorded) as failure:
        record_access(OpenedFile(talent.pk, "take", talent.pk, "a take"), TALENT)
    assert isinstance(failure.value.__cause__, DatabaseError)
    assert not connection.needs_rollback
