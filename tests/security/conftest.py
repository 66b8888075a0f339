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
    from tests.voices.rows import PROVIDER, Studio
    from voices.models import Account

    account = Account(name="Main", provider=PROVIDER, mode="sandbox")
    account.set_key("a-key-of-the-sandbox")
    account.save(force_insert=True)
    return Studio(producer, account)
