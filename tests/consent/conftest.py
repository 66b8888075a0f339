from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.consent.rows import ConsentFactory
    from voicehub.models import User


@pytest.fixture
def factory(producer: "User") -> "ConsentFactory":
    from tests.consent.rows import ConsentFactory, make_statement

    make_statement()  # A test that commits empties all tables at its end, also the rows from migrations.
    return ConsentFactory(producer)
