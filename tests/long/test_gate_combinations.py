"""The gate over all combinations of consent, contract, other contract and voice."""

import pytest

from tests.consent.services.test_gate_combinations import OTHERS, check_pairs, fixed_today
from voicehub.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("reads_names")]

# A fixture of the short test that this test uses.
__all__ = ["fixed_today"]


@pytest.mark.parametrize("other", OTHERS)
def test_gate_gives_exactly_the_expected_reasons_for_all_pairs(producer: User, other: str) -> None:
    check_pairs(producer, other)
