"""Sends the PDF of a contract, to staff and to the talent alike."""

from django.http import HttpRequest, HttpResponseBase
from django.utils.text import slugify

from consent.models import Contract
from voicehub.media import send_file


def send_contract(request: HttpRequest, contract: Contract) -> HttpResponseBase:
    """The PDF, always as a download and never inline, because a PDF can contain scripts."""
    name = f"contract-{slugify(contract.talent.name) or 'talent'}-{contract.signed_on:%Y-%m-%d}.pdf"
    return send_file(request, contract.file, "application/pdf", name, attachment=True)
