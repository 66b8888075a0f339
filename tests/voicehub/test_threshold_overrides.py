"""What a studio sets in the admin is what the audio checks judge by: the narrower row wins."""

import pytest
from django.test import Client
from django.urls import reverse

from audio.findings.thresholds import THRESHOLD_INFO, THRESHOLDS
from voicehub.models import ThresholdOverride
from voicehub.threshold_overrides import load_thresholds

pytestmark = pytest.mark.django_db


def put(name: str, value: float, provider: str = "", tier: str = "") -> None:
    ThresholdOverride.objects.create(name=name, value=value, provider=provider, tier=tier, reason="Tried out.")


def test_without_a_row_the_written_numbers_hold() -> None:
    assert load_thresholds() == load_thresholds("resemble_v2", "rapid") == THRESHOLDS


def test_the_narrower_row_wins_whatever_was_written_first() -> None:
    put("noisy_db", 21, "resemble_v2", "rapid")
    put("noisy_db", 18)
    put("noisy_db", 20, "resemble_v2")
    assert load_thresholds().noisy_db == 18
    assert load_thresholds("other", "rapid").noisy_db == 18
    assert load_thresholds("resemble_v2").noisy_db == load_thresholds("resemble_v2", "professional").noisy_db == 20
    assert load_thresholds("resemble_v2", "rapid").noisy_db == 21


def test_a_row_changes_nothing_else_and_one_without_a_threshold_changes_nothing() -> None:
    put("noisy_db", 18)
    put("no_longer_known", 3)
    assert load_thresholds() == THRESHOLDS.with_overrides({"noisy_db": 18})


def test_admin_sets_one_and_sees_the_usual_value(as_admin: Client) -> None:
    page = as_admin.get(reverse("admin:voicehub_thresholdoverride_add")).content.decode()
    for name, known in THRESHOLD_INFO.items():
        assert f"{name} ({known.default:g} {known.unit})" in page
    form = {"name": "noisy_db", "value": "19", "provider": "", "tier": "", "reason": "Our booth hums."}
    as_admin.post(reverse("admin:voicehub_thresholdoverride_add"), form)
    assert load_thresholds().noisy_db == 19
    assert "15 dB" in as_admin.get(reverse("admin:voicehub_thresholdoverride_changelist")).content.decode()


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999", ""])
def test_a_threshold_is_a_number(as_admin: Client, value: str) -> None:
    """No JSON column takes any other, and none of it can be compared with."""
    form = {"name": "noisy_db", "value": value, "provider": "", "tier": "", "reason": "A guess."}
    as_admin.post(reverse("admin:voicehub_thresholdoverride_add"), form)
    assert not ThresholdOverride.objects.exists()


def test_admin_is_told_of_a_threshold_that_does_not_exist(as_admin: Client) -> None:
    form = {"name": "loudness", "value": "19", "provider": "", "tier": "", "reason": "A guess."}
    page = as_admin.post(reverse("admin:voicehub_thresholdoverride_add"), form).content.decode()
    assert "loudness is not one of the available choices" in page
    assert not ThresholdOverride.objects.exists()
