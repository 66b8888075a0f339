"""The notice of a consent as a PDF to print, with the words that the talent's page shows."""

from django.utils import timezone

from consent.extension_points import get_provider_label
from consent.models import Consent
from consent.services.notices import NoticeText
from voicehub.pdf_report import PdfReport
from voicehub.text import format_time


def make_notice_pdf(consent: Consent, notice: NoticeText) -> bytes:
    now = timezone.now()
    title = f"Voice consent: {consent.get_purpose_display()}, {get_provider_label(consent.provider)}"
    report = PdfReport(title, f"For {consent.talent.name} · {format_time(now)}", now)
    for section in notice.sections:
        report.add_heading(section.title)
        for paragraph in section.paragraphs:
            report.add_text(paragraph)
    report.add_heading("Technical details")
    report.add_text(f"SHA-256 of this notice: {notice.sha256}", is_quiet=True)
    return report.make_bytes()
