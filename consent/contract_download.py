"""Sends the PDF of a contract, to staff and to the talent alike."""

from django.http import HttpRequest, HttpResponseBase
from django.utils.text import slugify

from consent.models import Contract
from consent.services.file_access import describe_contract, send_recorded
from voicehub.media import send_file


def send_contract(request: HttpRequest, contract: Contract, name: str) -> HttpResponseBase:
    """The PDF, always as a download and never inline, because a PDF can contain scripts.

    `name` is that of the talent which the reader may see. It becomes part of the name of the file.
    """
    name = f"contract-{slugify(name) or 'talent'}-{contract.signed_on:%Y-%m-%d}.pdf"
    response = send_file(request, contract.file, "application/pdf", name, attachment=True)
    return send_recorded(request, describe_contract(contract), response)
