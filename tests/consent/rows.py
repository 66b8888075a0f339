"""Helpers that create talents, consents in every state, their private links, and files to upload."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from consent.models import Capture, ComparisonAnswer, Consent, Contract, Invitation, Purpose, Statement, Take, Talent
from consent.services.contracts import file_contract
from consent.services.filed_contracts import find_contract_problem
from consent.services.invitations import create_private_link, request_consent
from consent.services.notices import build_notice, store_notice
from consent.services.sittings import record_ticks
from consent.services.takes import submit_take
from consent.services.voice_comparison import build_question
from tests.support.approval import approve_after_listening
from tests.support.html import read_html
from tests.support.pdfs import make_pdf
from tests.support.wav import make_speech_like, make_wav_bytes
from voicehub.models import User

PROVIDER = "resemble_v2"
PDF = make_pdf()
AUTOMATIC = "automatic.pdf"


@cache
def make_clip(number: int = 0) -> bytes:
    """A WAV that passes every check; each number gives another sound."""
    return make_wav_bytes(make_speech_like(4.0, pitch=100.0 + number))


def make_upload(data: bytes, name: str = "statement.wav", content_type: str = "audio/wav") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type=content_type)


def make_terms(**fields: Any) -> dict[str, Any]:
    """The form fields of a contract that is in force."""
    return {
        "signed_on": "2025-01-02",
        "starts_on": "2025-01-03",
        "company": "Northlight Voices",
        "territory": "Worldwide",
        "countries": ["worldwide"],
        "purposes": ["narration"],
        "providers": [PROVIDER],
        "intended_uses": "Audiobooks of the spring list",
        "compensation": "EUR 900",
        "representation": "Agent",
        **fields,
    }


def make_statement() -> Statement:
    """The statement that all consents of the factory use."""
    defaults = {
        "text": "I am aware that recordings of my voice will be used by {company} to make a synthetic voice.",
        "source": "The provider's page",
        "source_date": date(2025, 1, 1),
    }
    return Statement.objects.get_or_create(provider=PROVIDER, language="en-US", version=1, defaults=defaults)[0]


@dataclass
class ConsentFactory:
    """Creates rows with the same services that the pages call."""

    producer: User

    def make_talent(self, name: str = "Tilda Strand", email: str = "tilda@people.test") -> Talent:
        return Talent.objects.create(name=name, email=email, created_by=self.producer)

    def make_contract(self, talent: Talent, *, is_confirmed: bool = True, **fields: Any) -> Contract:
        """File a contract in force. It takes the place of the one of `ensure_contract`, which no test looks at."""
        talent.contracts.filter(file_name=AUTOMATIC).delete()
        return self._file_contract(talent, fields, file_name="contract.pdf", is_confirmed=is_confirmed)

    def _file_contract(self, talent: Talent, fields: dict[str, Any], *, file_name: str, is_confirmed: bool) -> Contract:
        terms = {**make_terms(), "signed_on": date(2025, 1, 2), "starts_on": date(2025, 1, 3), **fields}
        upload = make_upload(PDF, file_name, "application/pdf")
        return file_contract(talent, upload, terms, self.producer, are_uses_read=is_confirmed)

    def ensure_contract(self, *consents: Consent) -> None:
        """File a contract without confirmed terms for each of these consents that no contract on file allows."""
        for consent in consents:
            if find_contract_problem(consent):
                terms = {"purposes": [consent.purpose], "providers": [consent.provider]}
                self._file_contract(consent.talent, terms, file_name=AUTOMATIC, is_confirmed=False)

    def make_consent(
        self, talent: Talent | None = None, purpose: str = Purpose.NARRATION, *, has_contract: bool = True
    ) -> Consent:
        consent = request_consent(talent or self.make_talent(), PROVIDER, "en-US", purpose, self.producer)
        if has_contract:
            self.ensure_contract(consent)
        return consent

    def make_take(self, consent: Consent, data: bytes | None = None, by: User | None = None) -> Take:
        take = submit_take(consent, make_upload(data or make_clip()), Capture.UPLOAD if by else Capture.LINK, by=by)
        consent.refresh_from_db()
        return take

    def make_submitted_consent(self, talent: Talent | None = None) -> Consent:
        consent = self.make_consent(talent)
        self.make_take(consent)
        return consent

    def make_approved_consent(self, talent: Talent | None = None, purpose: str = Purpose.NARRATION) -> Consent:
        consent = self.make_consent(talent, purpose)
        approve_after_listening(consent, self.make_take(consent), self.producer)
        return consent

    def make_link(self, *consents: Consent) -> str:
        token = create_private_link(list(consents), self.producer).rstrip("/").rsplit("/", 1)[1]
        return reverse("invitation:open", args=[token])

    def open_link(self, *consents: Consent, is_read: bool = True) -> Client:
        """A browser that opened a link to these consents.

        With `is_read`, the talent has read the notice of each and ticked its purpose.
        """
        client = Client()
        response = client.get(self.make_link(*consents))
        assert response.status_code == 302, response.content
        if is_read:
            tick_purposes(*consents)
        return client


def allow_comparison(talent: Talent) -> None:
    """Let the voice of this talent be compared. Nothing is compared before the next task."""
    question = build_question(talent)
    fields = {"number": talent.comparison_answers.count() + 1, "version": 1, "reason": "Said so."}
    ComparisonAnswer.objects.create(
        talent=talent, is_allowed=True, content=question.content, sha256=question.sha256, **fields
    )


def read_in_studio(consent: Consent) -> Consent:
    """As if the talent had read the notice of this consent in the studio."""
    store_notice(consent, build_notice(consent))
    return consent


def tick_purposes(*consents: Consent) -> None:
    """As if the talent had read the notices and ticked the purposes of these consents on the newest link."""
    invitation = consents[0].invitations.first()
    assert invitation
    record_ticks(invitation, [(one, build_notice(one)) for one in consents], [one.pk for one in consents])


def make_ticks(*consents: Consent, ticked: Sequence[Consent] | None = None) -> dict[str, list[str]]:
    """The form of the first page with the notices of these open consents. Without `ticked`, all are ticked."""
    return {
        "notice": [build_notice(one).sha256 for one in consents],
        "purpose": [str(one.pk) for one in (consents if ticked is None else ticked)],
    }


def get_invitation(consent: Consent) -> Invitation:
    return consent.invitations.get()


def get_guest_url(name: str, consent: Consent, through: Consent | None = None) -> str:
    """The URL of a talent's page, reached through the newest link to this consent, or to the consent `through`."""
    newest = (through or consent).invitations.first()
    assert newest
    return reverse(
        f"invitation:{name}", args=[newest.pk] if name in {"home", "begin", "language"} else [newest.pk, consent.pk]
    )


def get_url(name: str, row: Any) -> str:
    """The URL of the staff page with this name for a row."""
    return reverse(f"consent:{name}", args=[row.pk])


def read_page(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return read_html(response)
