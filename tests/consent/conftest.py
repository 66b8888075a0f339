from typing import TYPE_CHECKING

import pytest
from django.test import Client

if TYPE_CHECKING:
    from tests.consent.rows import Desk
    from voicehub.models import User


@pytest.fixture
def desk(producer: "User") -> "Desk":
    from tests.consent.rows import Desk, statement

    statement()  # tests that commit empty the tables, and with them what the migrations put there
    return Desk(producer)


@pytest.fixture
def as_producer(producer: "User") -> Client:
    client = Client()
    client.force_login(producer)
    return client


@pytest.fixture
def as_viewer(viewer: "User") -> Client:
    client = Client()
    client.force_login(viewer)
    return client


@pytest.fixture
def as_engineer(engineer: "User") -> Client:
    client = Client()
    client.force_login(engineer)
    return client
