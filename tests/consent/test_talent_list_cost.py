"""The filters of the list of talents look up the consents once, not for each talent."""

import pytest

from consent.lists.talents import list_talent_views
from consent.models import Talent

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def test_filters_by_consent_are_not_judged_for_each_talent() -> None:
    plans = [Talent.objects.filter(view.condition).explain() for view in list_talent_views()]
    assert len(plans) == 4
    assert not [plan for plan in plans if "CORRELATED" in plan]
