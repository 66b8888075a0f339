"""The receipt of a recording: what was agreed, as facts for the page and as a PDF, in the active language."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext, pgettext

from consent.extension_points import get_provider_label
from consent.models import Capture, Consent, Notice, Take
from consent.services.disclosure import compute_term, describe_term
from consent.services.filed_contracts import list_readable_contracts
from consent.services.notices import find_shown_notice
from consent.services.sittings import list_shared_consents
from voicehub.talent_languages import get_talent_language
from voicehub.text import format_date, format_time

if TYPE_CHECKING:
    from voicehub.pdf_report import PdfReport

PDF_NAME = "receipt.pdf"
PDF_TYPE = "application/pdf"


@dataclass(frozen=True, slots=True)
class Fact:
    label: str
    text: str


def describe_capture_to_talent(take: Take) -> str:
    """Describe to the talent in one sentence how the take was made."""
    name = take.recorded_by
    if take.capture == Capture.IN_STUDIO:
        text = gettext("Recorded in the studio by {name}.") if name else gettext("Recorded in the studio by staff.")
    elif take.capture == Capture.UPLOAD and name:
        text = gettext("Uploaded as a file by {name} on your behalf; not recorded in VoiceHub.")
    elif take.capture == Capture.UPLOAD:
        text = gettext("Uploaded by you as a file through the private link; not recorded in VoiceHub.")
    elif name:
        text = gettext("Recorded through the private link in a browser where {name} was signed in.")
    else:
        text = gettext("Recorded by you through the private link.")
    return text.format(name=name)


def list_facts(take: Take) -> list[Fact]:
    """What the receipt says about this recording."""
    return list(_iterate_facts(take.consent, take))


def _iterate_facts(consent: Consent, take: Take) -> Iterator[Fact]:
    purposes = [
        gettext("%(purpose)s, with %(provider)s")
        % {"purpose": one.get_purpose_display(), "provider": get_provider_label(one.provider)}
        for one in list_shared_consents(take)
    ]
    yield Fact(gettext("For"), "\n".join(purposes))
    yield Fact(gettext("For how long"), " ".join(describe_term(compute_term(consent))))
    contracts = list_readable_contracts(consent)
    if contracts:
        signed = gettext("Signed on {day}")
        days = [signed.format(day=format_date(contract.signed_on)) for contract in contracts]
        yield Fact(gettext("Your contract"), "\n".join(days))
    yield Fact(gettext("Received"), format_time(take.created_at))
    if consent.approved_at:
        yield Fact(gettext("In force since"), format_time(consent.approved_at))
    yield Fact(gettext("How"), describe_capture_to_talent(take))
    yield Fact(gettext("Company"), consent.company)


def make_pdf(take: Take, made_at: datetime) -> bytes:
    """The receipt, what the talent read before the recording, and the fingerprints of both."""
    from voicehub.pdf_report import PdfReport

    consent, notice = take.consent, find_shown_notice(take.consent)
    title = gettext("Receipt of your voice consent")
    footer = f"{consent.company} · VoiceHub, {format_time(made_at)}"
    facts = [(fact.label, fact.text) for fact in list_facts(take)]
    sample = f"{title} {consent.talent_name} {consent.text} {facts} {notice.content if notice else ''}"
    report = PdfReport(title, footer, made_at, language=get_talent_language(), sample=sample)
    report.add_text(consent.talent_name)
    report.add_facts(facts)
    report.add_heading(gettext("What you said"))
    report.add_text(consent.text)
    if notice:
        _add_notice(report, notice)
    report.add_heading(gettext("Fingerprints (SHA-256)"))
    report.add_facts(list(_iterate_fingerprints(take, notice)))
    if report.has_replaced:
        report.add_text(gettext("“?” stands for a character that the font lacks."), is_quiet=True)
    return report.make_bytes()


def _add_notice(report: "PdfReport", notice: Notice) -> None:
    """The words that were shown, and the English ones if they were in another language."""
    report.add_heading(gettext("What you read before the recording"))
    shown = gettext("Shown on %(time)s.") % {"time": format_time(notice.created_at)}
    report.add_text(shown, is_quiet=True)
    _add_sections(report, notice.content["sections"])
    if english := notice.content.get("english"):
        report.add_heading("The same in English")
        _add_sections(report, english)


def _add_sections(report: "PdfReport", sections: Sequence[Mapping[str, Any]]) -> None:
    for section in sections:
        report.add_subheading(section["title"])
        for paragraph in section["paragraphs"]:
            report.add_text(paragraph)


def _iterate_fingerprints(take: Take, notice: Notice | None) -> Iterator[tuple[str, str]]:
    yield gettext("Recording"), take.sha256
    if take.wav_sha256:
        yield gettext("WAV that was made from it"), take.wav_sha256
    if notice:
        yield gettext("What you read"), notice.sha256
    yield pgettext("what a talent reads aloud", "Text"), take.consent.text_sha256
