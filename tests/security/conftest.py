from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.consent.rows import ConsentFactory
    from tests.voices.rows import Studio
    from voicehub.models import User


@pytest.fixture
def factory(producer: "User") -> "ConsentFactory":
    """Creates consents, their private links and their takes."""
    from tests.consent.rows import ConsentFactory, make_statement

    make_statement()
    return ConsentFactory(producer)


@pytest.fixture
def studio(producer: "User") -> "Studio":
    """Creates voices, their recordings and their builds, with one account at the sandbox."""
    from tests.voices.rows import Studio, make_main_account

    return Studio(producer, make_main_account())
