"""A consent in the administration: its history in sentences, nothing raw."""

import pytest
from django.test import Client
from django.urls import reverse

from consent.services.review import suspend_consent
from tests.consent.rows import ConsentFactory
from tests.support.approval import REASON
from tests.support.html import read_html
from voicehub.models import User

pytestmark = pytest.mark.django_db


def test_the_history_is_told_in_sentences(factory: ConsentFactory, client: Client, admin: User) -> None:
    consent = factory.make_approved_consent()
    suspend_consent(consent, factory.producer, "A <b>dispute</b>.")
    client.force_login(admin)
    shown = read_html(client.get(reverse("admin:consent_consent_change", args=[consent.pk])))
    assert "requested consent." in shown
    assert f"approved the recording; the consent is in force: “{REASON}”" in shown
    assert "suspended the consent: “A &lt;b&gt;dispute&lt;/b&gt;.”" in shown
    for event in consent.events.all():
        assert f"{event.hash[:12]}…" in shown and event.hash not in shown
    assert "&quot;text_sha256&quot;" not in shown and "text_sha256&#x27;:" not in shown
