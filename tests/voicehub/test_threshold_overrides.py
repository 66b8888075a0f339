"""The audio checks use the thresholds that the studio sets in the admin. The most specific override applies."""

import pytest
from django.test import Client
from django.urls import reverse

from audio.findings.thresholds import THRESHOLD_INFO, THRESHOLDS
from voicehub.models import ThresholdOverride
from voicehub.threshold_overrides import load_thresholds

pytestmark = pytest.mark.django_db


def create_override(name: str, value: float, provider: str = "", tier: str = "") -> None:
    ThresholdOverride.objects.create(name=name, value=value, provider=provider, tier=tier, reason="Tried out.")


def test_defaults_apply_without_overrides() -> None:
    assert load_thresholds() == load_thresholds("resemble_v2", "rapid") == THRESHOLDS


def test_most_specific_override_applies_whatever_the_order_of_creation() -> None:
    create_override("noisy_db", 21, "resemble_v2", "rapid")
    create_override("noisy_db", 18)
    create_override("noisy_db", 20, "resemble_v2")
    assert load_thresholds().noisy_db == 18
    assert load_thresholds("other", "rapid").noisy_db == 18
    assert load_thresholds("resemble_v2").noisy_db == load_thresholds("resemble_v2", "professional").noisy_db == 20
    assert load_thresholds("resemble_v2", "rapid").noisy_db == 21


def test_override_changes_only_its_own_existing_threshold() -> None:
    create_override("noisy_db", 18)
    create_override("no_longer_known", 3)
    assert load_thresholds() == THRESHOLDS.with_overrides({"noisy_db": 18})


def test_admin_sets_override_and_sees_the_default(superuser_client: Client) -> None:
    html = superuser_client.get(reverse("admin:voicehub_thresholdoverride_add")).content.decode()
    for name, info in THRESHOLD_INFO.items():
        default = f"{info.default:g}".replace("-", "−")
        assert f'value="{name}"' in html and f"(default {default} {info.unit})" in html
    form = {"name": "noisy_db", "value": "19", "provider": "", "tier": "", "reason": "Our booth hums."}
    superuser_client.post(reverse("admin:voicehub_thresholdoverride_add"), form)
    assert load_thresholds().noisy_db == 19
    assert "15 dB" in superuser_client.get(reverse("admin:voicehub_thresholdoverride_changelist")).content.decode()


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999", ""])
def test_override_that_is_not_a_finite_number_is_refused(superuser_client: Client, value: str) -> None:
    """A JSON column cannot store such a value, and no comparison with it works."""
    form = {"name": "noisy_db", "value": value, "provider": "", "tier": "", "reason": "A guess."}
    superuser_client.post(reverse("admin:voicehub_thresholdoverride_add"), form)
    assert not ThresholdOverride.objects.exists()


def test_override_of_unknown_threshold_is_refused(superuser_client: Client) -> None:
    form = {"name": "loudness", "value": "19", "provider": "", "tier": "", "reason": "A guess."}
    html = superuser_client.post(reverse("admin:voicehub_thresholdoverride_add"), form).content.decode()
    assert "loudness is not one of the available choices" in html
    assert not ThresholdOverride.objects.exists()
