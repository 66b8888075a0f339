"""Parameters of a test that run on SQLite only, because another parameter runs the same queries on PostgreSQL."""

from typing import Any

import pytest


def on_one_database(*values: Any) -> list[Any]:
    return [pytest.param(value, marks=pytest.mark.one_database) for value in values]
