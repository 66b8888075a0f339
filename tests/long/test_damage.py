"""Every page opens although rows, files, or the JSON values of one model are lost or damaged, in each way."""

import pytest
from django.db import models
from django.test import Client

from tests.damaged_studio import ROW_MODELS, list_json_fields
from tests.test_damage import (
    find_broken_pages,
    find_pages_without_files,
    find_pages_without_rows,
    open_link,
    staff,
    studio,
)
from tests.voices.rows import Studio

pytestmark = pytest.mark.django_db

# Fixtures of the short tests that these tests use.
__all__ = ["staff", "studio"]


@pytest.mark.parametrize("model", [model for model in ROW_MODELS if list_json_fields(model)])
def test_damaged_values_of_one_model_break_no_page(model: type[models.Model], staff: Client, studio: Studio) -> None:
    assert find_broken_pages([model], staff, open_link(studio)) == {}


def test_lost_rows_of_one_model_break_no_page(staff: Client, studio: Studio) -> None:
    assert find_pages_without_rows(staff, open_link(studio)) == {}


def test_damaged_files_break_no_page(staff: Client) -> None:
    assert find_pages_without_files(staff) == {}
