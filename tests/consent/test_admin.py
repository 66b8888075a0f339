"""A consent in the Django admin: the audit log as sentences, without raw payloads."""

import pytest
from django.test import Client
from django.urls import reverse

from consent.services.review import suspend_consent
from tests.consent.rows import ConsentFactory
from tests.support.approval import APPROVAL_REASON
from tests.support.html import read_html
from voicehub.models import User

pytestmark = pytest.mark.django_db


def test_admin_page_shows_audit_log_as_sentences(factory: ConsentFactory, client: Client, admin: User) -> None:
    consent = factory.make_approved_consent()
    suspend_consent(consent, factory.producer, "A <b>dispute</b>.")
    client.force_login(admin)
    page = read_html(client.get(reverse("admin:consent_consent_change", args=[consent.pk])))
    assert "requested consent." in page
    assert f"approved the recording; the consent is in force: “{APPROVAL_REASON}”" in page
    assert "suspended the consent: “A &lt;b&gt;dispute&lt;/b&gt;.”" in page
    for event in consent.events.all():
        assert f"{event.hash[:12]}…" in page and event.hash not in page
    assert "&quot;text_sha256&quot;" not in page and "text_sha256&#x27;:" not in page
