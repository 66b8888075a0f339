"""The notice of a consent as a PDF to print, with the words that the talent's page shows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.utils import timezone

from consent.extension_points import get_provider_label
from consent.models import Consent
from consent.services.notices import NoticeText, Section
from voicehub.text import format_time

if TYPE_CHECKING:
    from voicehub.pdf_report import PdfReport


def make_notice_pdf(consent: Consent, notice: NoticeText) -> bytes:
    """In the language of the notice, and then in English if that is another one."""
    from voicehub.pdf_report import PdfReport

    now, name = timezone.now(), consent.talent.name
    title = f"{get_provider_label(consent.provider)}: {consent.get_purpose_display()}"
    sample = f"{name} {notice.content['sections']}"
    report = PdfReport(title, f"{name} · {format_time(now)}", now, language=notice.content["language"], sample=sample)
    _add_sections(report, notice.sections)
    if notice.english:
        report.add_heading("The same in English")
        _add_sections(report, notice.english)
    report.add_text(f"SHA-256: {notice.sha256}", is_quiet=True)
    return report.make_bytes()


def _add_sections(report: "PdfReport", sections: Sequence[Section]) -> None:
    for section in sections:
        report.add_subheading(section.title)
        for paragraph in section.paragraphs:
            report.add_text(paragraph)
