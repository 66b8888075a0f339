from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.consent.rows import Desk
    from voicehub.models import User


@pytest.fixture
def desk(producer: "User") -> "Desk":
    from tests.consent.rows import Desk, statement

    statement()  # tests that commit empty the tables, and with them what the migrations put there
    return Desk(producer)
